"""The workflow list as its page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from workflows_app.dashboard import histogram, lanes, paging, snapshot, time_range, view_tabs, workflow_rows
from workflows_app.dashboard.filters import Filters
from workflows_app.dashboard.histogram import Histogram
from workflows_app.dashboard.lanes import Group
from workflows_app.dashboard.live import IDLE_MILLISECONDS, LIST_MILLISECONDS
from workflows_app.dashboard.looks import moment
from workflows_app.dashboard.paging import PER_PAGE, Found
from workflows_app.dashboard.shown_rows import Shown, shown
from workflows_app.dashboard.view_tabs import Tabs
from workflows_app.engine.report.pulse import pulse
from workflows_app.models import Template, Workflow

MOST_DROPPED = 8  # each is counted, which is another search


@dataclass(frozen=True, slots=True)
class Matching:
    """How many match, in words; `signed` is that as the page showed it. When not all can be taken at once, `hint` says what to do."""

    words: str = ""
    signed: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ListPage:
    """`live_url` asks for the same rows again; `news` says what a fresh look would bring. `searched` tells how far back was looked,
    when that is not the whole history. `without` is what to drop when nothing matches: words, URL, how many that would show."""

    filters: Filters
    problems: list[str]
    views: Tabs
    histogram: Histogram
    rows: list[workflow_rows.Row]
    news: str
    live_url: str
    older_url: str
    newest_url: str
    searched: str
    matching: Matching
    without: list[tuple[str, str, str]]
    is_first: bool
    has_any: bool
    poll_milliseconds: int
    now: str


def build(filters: Filters, reader: User, *, now: datetime) -> ListPage:
    groups = lanes.of(filters, now=now)
    seen = shown(groups, filters)
    rows = workflow_rows.rows(seen.workflows, filters, now=now)
    problems = [*filters.problems, *lanes.unknown(filters)]
    return ListPage(
        filters=filters,
        problems=problems,
        views=view_tabs.build(filters, reader, now=now),
        histogram=histogram.build(filters, now=now),
        rows=rows,
        news=seen.news,
        live_url=filters.url(after=filters.after, rows=".".join(str(row.pk) for row in rows)),
        older_url=filters.url(after=seen.older) if seen.older else "",
        newest_url=filters.url(),
        searched=_searched(seen, now),
        matching=_matching(filters, groups, seen.found, is_sure=not problems),
        without=[] if rows else _without(filters, now),
        is_first=not filters.after,
        has_any=bool(rows) or Workflow.objects.exists(),
        poll_milliseconds=LIST_MILLISECONDS if Workflow.objects.active().exists() else IDLE_MILLISECONDS,
        now=now.isoformat(),
    )


def tag() -> str:
    """Changes whenever a row of the list may have."""
    return pulse().workflows


def tag_of(filters: Filters, reader: User, *, now: datetime) -> str:
    """That of this page: with its filters and its rows, of this reader; anew when the bars and ranges move on."""
    parts = (filters.values, filters.after, filters.rows, reader.pk)
    found = pulse()
    return f"{found.workflows}-{found.views}-{time_range.age(filters.lengths, now=now)}-{snapshot.digest(parts)}"


def template_choices() -> list[tuple[str, str]]:
    return list(Template.objects.published().order_by("slug").values_list("slug", "name"))


def _matching(filters: Filters, groups: Sequence[Group], found: Found, *, is_sure: bool) -> Matching:
    """Counted only when a page does not show them all."""
    count, is_more = len(found.keys), False
    if filters.after or not count:
        return Matching()
    if count > PER_PAGE:
        count, is_more = paging.count(groups, limit=snapshot.MOST)
    words = f"{count:,}{' found so far' if is_more else ' that match'}"
    if is_more and count == snapshot.MOST:
        return Matching(f"More than {count:,} match", hint="narrow the filter to take all of them at once")
    if not is_sure:
        return Matching(words, hint="mend the search first to take all of them at once")
    return Matching(words, snapshot.of_page(filters, count, found.keys).signed)


def _searched(seen: Shown, now: datetime) -> str:
    if not seen.found.cut or len(seen.workflows) >= PER_PAGE:
        return ""
    last = Workflow.objects.filter(pk=seen.found.cut[-1]).values_list("updated_at", flat=True).first()
    when = moment(last, now=now)
    back = f", back to {when.words} ({when.title})" if when else ""
    return f"Looked through {paging.WINDOW:,} workflows at most{back}."


def _without(filters: Filters, now: datetime) -> list[tuple[str, str, str]]:
    dropped = filters.without()[:MOST_DROPPED]
    return [(said, left.url(), view_tabs.count(left, now=now, window=paging.WINDOW, none="0")) for said, left in dropped]
