"""How statuses, times, durations and JSON are written for people (EXPERIENCE: glyph + word + colour)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from workflows_app.graph.progress import format_duration
from workflows_app.graph.statuses import Status

MAX_JSON_CHARACTERS = 20_000
STATUS = '<span class="status s-{}"><span class="glyph" aria-hidden="true">{}</span>{}</span>'
TIME = '<time datetime="{}" title="{}" data-ago>{}</time>'
TOOK, TICKING = '<span class="num">{}</span>', '<span class="num" data-since="{}">{}</span>'


@dataclass(frozen=True, slots=True)
class Look:
    """`css` ends the class names `s-…`; it is also the word used in URLs. `drawn`, here and below, is what the component of that name
    shows; the rows of long tables take it from here, for a component costs ten times as much."""

    css: str
    glyph: str
    word: str

    @property
    def drawn(self) -> SafeString:
        return format_html_join("", STATUS, [(self.css, self.glyph, self.word)])


LOOKS: Mapping[Status, Look] = {
    Status.PENDING: Look("pending", "○", "Pending"),
    Status.WAITING_FOR_DEPENDENCY: Look("waiting", "◷", "Waiting"),
    Status.RUNNING: Look("running", "◐", "Running"),
    Status.COMPLETED: Look("completed", "✓", "Completed"),
    Status.FAILED: Look("failed", "✕", "Failed"),
    Status.STOPPED: Look("stopped", "■", "Stopped"),
}
SKIPPED = Look("skipped", "⤼", "Skipped")


def look(status: str, *, is_skipped: bool = False) -> Look:
    return SKIPPED if is_skipped else LOOKS[Status(status)]


def status_named(word: str) -> Status | None:
    """The status a URL means by `failed` or `FAILED`, if any."""
    return next((status for status, seen in LOOKS.items() if word.lower() in {seen.css, status.lower()}), None)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as `<time>` shows it: `words` now, `iso` for the script that keeps them current, `title` in full."""

    iso: str
    words: str
    title: str

    @property
    def drawn(self) -> SafeString:
        return format_html_join("", TIME, [(self.iso, self.title, self.words)])


def moment(at: datetime | str | None, *, now: datetime) -> Moment | None:
    if not at:
        return None
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    at = at.astimezone(UTC)
    return Moment(at.isoformat(timespec="milliseconds"), relative(at - now), f"{at:%Y-%m-%d %H:%M:%S} UTC")


def relative(distance: timedelta) -> str:
    """`"now"`, `"5 sec ago"`, `"in 3 min"`; `static/live.js` counts on in the same words."""
    seconds = abs(int(distance.total_seconds()))
    if seconds < 1:
        return "now"
    size, unit = next((size, unit) for size, unit in ((86_400, "d"), (3_600, "hr"), (60, "min"), (1, "sec")) if seconds >= size)
    words = f"{seconds // size} {unit}"
    return f"in {words}" if distance > timedelta(0) else f"{words} ago"


@dataclass(frozen=True, slots=True)
class Took:
    """How long something ran; `since` is set while it still runs, so that the script can count on."""

    words: str
    since: str = ""

    @property
    def drawn(self) -> SafeString:
        if self.since:
            return format_html_join("", TICKING, [(self.since, self.words)])
        return format_html_join("", TOOK, [(self.words,)])


def took(started: datetime | None, ended: datetime | None, *, now: datetime) -> Took | None:
    if not started:
        return None
    if ended:
        return Took(_short(ended - started))
    return Took(_short(now - started), since=started.astimezone(UTC).isoformat(timespec="milliseconds"))


def _short(duration: timedelta) -> str:
    """The contract's words, with the milliseconds that people want to see below one second."""
    if timedelta(0) < duration < timedelta(seconds=1):
        return f"{max(1, duration // timedelta(milliseconds=1))} ms"
    return format_duration(duration)


def pretty(value: Any) -> str:
    """Indented JSON, cut at a size that a browser shows without effort."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    if len(text) <= MAX_JSON_CHARACTERS:
        return text
    return f"{text[:MAX_JSON_CHARACTERS]}\n… {len(text) - MAX_JSON_CHARACTERS:,} more characters: read them through the API"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: list[str], *, limit: int = 4) -> str:
    """`"a, b and 3 more"`."""
    shown = names[:limit]
    if len(names) > limit:
        return f"{', '.join(shown)} and {len(names) - limit} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
