"""The workflow list as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Sum

from workflows_app.dashboard import paging, workflow_rows
from workflows_app.dashboard.filters import Filters
from workflows_app.dashboard.live import IDLE_MILLISECONDS, LIST_MILLISECONDS
from workflows_app.dashboard.looks import LOOKS, Look
from workflows_app.graph.statuses import Status
from workflows_app.models import Template, Workflow

MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Tab:
    look: Look | None
    word: str
    count: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ListPage:
    filters: Filters
    tabs: list[Tab]
    rows: list[workflow_rows.Row]
    older_url: str
    newest_url: str
    without: list[tuple[str, str]]
    is_first: bool
    poll_milliseconds: int
    now: str


def build(filters: Filters, *, now: datetime) -> ListPage:
    page = paging.page(workflow_rows.listable(), filters)
    return ListPage(
        filters=filters,
        tabs=_tabs(filters),
        rows=workflow_rows.rows(page.workflows, now=now),
        older_url=filters.url(after=page.older) if page.older else "",
        newest_url=filters.url(),
        without=filters.without(),
        is_first=page.is_first,
        poll_milliseconds=LIST_MILLISECONDS if Workflow.objects.active().exists() else IDLE_MILLISECONDS,
        now=now.isoformat(),
    )


def tag() -> str:
    """Changes whenever a row of the list may have: both parts are read from an index, at any number of workflows."""
    newest = Workflow.objects.newest_first().values_list("updated_at", "id").first()
    active = Workflow.objects.active().aggregate(count=Count("id"), seq=Sum("seq"))
    row = f"{newest[0].timestamp()}-{newest[1]}" if newest else "none"
    return f"{row}-{active['count']}-{active['seq'] or 0}"


def template_choices() -> list[tuple[str, str]]:
    return list(Template.objects.published().order_by("slug").values_list("slug", "name"))


def _tabs(filters: Filters) -> list[Tab]:
    tabs = [Tab(None, "All", "", filters.url(status=""), not filters.status)]
    for status, seen in LOOKS.items():
        tabs.append(Tab(seen, seen.word, _count(status), filters.url(status=seen.css), filters.status == seen.css))
    return tabs


def _count(status: Status) -> str:
    """Counted up to a limit, so that a million workflows cost no more than a thousand."""
    found = Workflow.objects.in_status(status)[:MOST_COUNTED].count()
    return "" if not found else f"{found:,}" if found < MOST_COUNTED else f"{MOST_COUNTED - 1:,}+"
