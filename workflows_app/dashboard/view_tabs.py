"""The views above the workflow list: those that everybody has, then the saved ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from workflows_app.access import saved_views
from workflows_app.dashboard import lanes, paging
from workflows_app.dashboard.filters import Filters, of_text
from workflows_app.dashboard.looks import LOOKS, Look
from workflows_app.graph.statuses import Status
from workflows_app.models import SavedView

MOST_COUNTED, COUNT_WINDOW, VIEWS_COUNTED = 99, 1_000, 8
FAILING, RUNNING, WAITING = "status=failed&since=24h", "status=running", "q=is:waiting"
BUILT_IN = (
    ("All", "", None), ("Failing now", FAILING, Status.FAILED), ("Running", RUNNING, Status.RUNNING),
    ("Waiting", WAITING, Status.WAITING_FOR_DEPENDENCY),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tab:
    look: Look | None
    word: str
    count: str
    url: str
    is_current: bool
    title: str = ""


@dataclass(frozen=True, slots=True)
class Tabs:
    """`own` is the reader's view that is shown now, if it is one."""

    tabs: list[Tab]
    own: SavedView | None


def build(filters: Filters, reader: User, *, now: datetime) -> Tabs:
    tabs = [_tab(word, of_text(query), filters, now, status=status, is_counted=bool(query)) for word, query, status in BUILT_IN]
    own = None
    for place, view in enumerate(saved_views.visible_to(reader)):
        kept = of_text(view.query)
        tabs.append(_tab(view.name, kept, filters, now, is_counted=place < VIEWS_COUNTED, title=_title(view, reader)))
        own = view if view.owner == reader and kept.values == filters.values else own
    return Tabs(tabs, own)


def count(filters: Filters, *, now: datetime, window: int = COUNT_WINDOW, none: str = "") -> str:
    """`"12"`, or `"99+"`: counted up to a limit, so that a million workflows cost no more than a thousand. `none` for none, and
    nothing when there may be some further back."""
    found, is_more = paging.count(lanes.of(filters, now=now), limit=MOST_COUNTED, window=window)
    if not found:
        return "" if is_more else none
    return f"{found}+" if is_more else str(found)


def _tab(
    word: str, view: Filters, filters: Filters, now: datetime, *, status: Status | None = None, is_counted: bool, title: str = ""
) -> Tab:
    look = LOOKS[status] if status else None
    return Tab(look, word, count(view, now=now) if is_counted else "", view.url(), view.values == filters.values, title)


def _title(view: SavedView, reader: User) -> str:
    if view.owner != reader:
        return f"Shared by {view.owner.get_username()}"
    return "Your view, shared with everybody" if view.is_shared else "Your view"
