"""The histogram above the workflow list: the last 24 hours, a bar for each quarter of an hour, stacked by status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from workflows_app.dashboard.filters import Filters
from workflows_app.dashboard.looks import LOOKS, Look
from workflows_app.dashboard.time_range import TimeRange, written
from workflows_app.engine.report import throughput
from workflows_app.engine.report.throughput import QUARTER, Bucket
from workflows_app.graph.statuses import Status

PITCH, BAR, HEIGHT, LEAST = 10, 8, 46, 2
LINK = '<a href="{}{}" tabindex="-1" class="{}"><title>{}</title><rect x="{}" y="0" width="10" height="46"/></a>\n'
BOTTOM_UP = (
    Status.COMPLETED, Status.STOPPED, Status.FAILED, Status.RUNNING, Status.PENDING, Status.WAITING_FOR_DEPENDENCY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    css: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """The link that lies over what is drawn of one quarter."""

    x: str
    url: str
    title: str
    is_outside: bool


@dataclass(frozen=True, slots=True)
class Layer:
    """All that is drawn of one status, as one SVG path: hundreds of rectangles would cost more than the rest of the page."""

    css: str
    path: str


@dataclass(frozen=True, slots=True)
class Item:
    """One status of the legend: a link that filters by it, or no more."""

    look: Look
    words: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Hour:
    """A row of the same in words."""

    words: str
    url: str
    counts: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """`label` tells it in one sentence; `hours` has all of it as a table. `links` are the bars as SVG."""

    width: int
    height: int
    layers: list[Layer]
    bars: list[Bar]
    legend: list[Item]
    hours: list[Hour]
    label: str
    first: str
    last: str

    @property
    def links(self) -> SafeString:
        here = reverse("dashboard:workflows")
        bars = ((here, bar.url, "is-outside" if bar.is_outside else "inside", bar.title, bar.x) for bar in self.bars)
        return format_html_join("", LINK, bars)


def build(filters: Filters, *, now: datetime) -> Histogram:
    buckets = throughput.last_day(now)
    total = _sum(buckets)
    tallest = max((bucket.counts.total() for bucket in buckets), default=0)
    times, base = filters.between(now), _without_time(filters)
    return Histogram(
        width=PITCH * len(buckets),
        height=HEIGHT,
        layers=_layers(buckets, tallest),
        bars=[_bar(place, bucket, base, times) for place, bucket in enumerate(buckets) if bucket.counts],
        legend=[_item(status, total[status], filters) for status in LOOKS],
        hours=_hours(buckets, base),
        label=f"Workflows of the last 24 hours: {words(total) or 'none'}",
        first=f"{buckets[0].start:%H:%M}",
        last=f"{buckets[-1].start + QUARTER:%H:%M}",
    )


def words(counts: Counter[Status]) -> str:
    """`"1,189 completed, 3 failed"`."""
    return ", ".join(f"{counts[status]:,} {LOOKS[status].word.lower()}" for status in BOTTOM_UP if counts[status])


def _sum(buckets: Sequence[Bucket]) -> Counter[Status]:
    found: Counter[Status] = Counter()
    for bucket in buckets:
        found.update(bucket.counts)
    return found


def _bar(place: int, bucket: Bucket, base: str, times: TimeRange) -> Bar:
    end = bucket.start + QUARTER
    is_outside = bool((times.start and end <= times.start) or (times.end and bucket.start >= times.end))
    title = f"{bucket.start:%H:%M} to {end:%H:%M} UTC: {words(bucket.counts)}"
    return Bar(str(place * PITCH), _url(base, bucket.start, end), title, is_outside)


def _layers(buckets: Sequence[Bucket], tallest: int) -> list[Layer]:
    paths: dict[str, list[str]] = {}
    for place, bucket in enumerate(buckets):
        for segment in _segments(bucket.counts, tallest):
            paths.setdefault(segment.css, []).append(f"M{place * PITCH} {segment.y}h{BAR}v{segment.height}h-{BAR}z")
    return [Layer(css, "".join(parts)) for css, parts in paths.items()]


def _segments(counts: Counter[Status], tallest: int) -> tuple[Segment, ...]:
    """One failure among a thousand is seen, too: none is lower than can be seen."""
    present = [status for status in BOTTOM_UP if counts[status]]
    room = HEIGHT - LEAST * len(BOTTOM_UP)
    found, y = [], float(HEIGHT)
    for status in present:
        height = LEAST + room * counts[status] / tallest
        y -= height
        found.append(Segment(LOOKS[status].css, round(y, 1), round(height, 1)))
    return tuple(found)


def _item(status: Status, count: int, filters: Filters) -> Item:
    look = LOOKS[status]
    return Item(look, f"{count:,} {look.word.lower()}", filters.toggled(look.css), look.css in filters.get("status").split(","))


def _hours(buckets: Sequence[Bucket], base: str) -> list[Hour]:
    """The newest first, those with something in them."""
    by_hour: dict[datetime, Counter[Status]] = {}
    for bucket in reversed(buckets):
        by_hour.setdefault(bucket.start.replace(minute=0), Counter()).update(bucket.counts)
    rows = ((start, start + timedelta(hours=1), counts) for start, counts in by_hour.items() if counts)
    return [Hour(f"{start:%H:%M} to {end:%H:%M} UTC", _url(base, start, end), words(counts)) for start, end, counts in rows]


def _without_time(filters: Filters) -> str:
    """What the URL of every range begins with."""
    url = filters.url(since="", from_="", to="")
    return url if url == "?" else f"{url}&"


def _url(base: str, start: datetime, end: datetime) -> str:
    return f"{base}from={written(start)}&to={written(end)}"
