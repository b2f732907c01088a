"""Notifications as their page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import QueryDict

from workflows_app.access import notifications
from workflows_app.dashboard.live import LIST_MILLISECONDS
from workflows_app.dashboard.looks import Look, Moment, moment
from workflows_app.models import Notification
from workflows_app.models.notifications import NotificationQuerySet

PER_PAGE = 50
LEVELS: Mapping[str, Look] = {
    "info": Look("pending", "i", "Info"),
    "success": Look("completed", "✓", "Success"),
    "warning": Look("waiting", "!", "Warning"),
    "error": Look("failed", "✕", "Error"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """`whom` says to whom it is addressed, `workflow` and `step` what it is about, empty when that was deleted or never was."""

    uid: str
    look: Look
    title: str
    message: str
    whom: str
    workflow: str
    workflow_name: str
    step: str
    at: Moment | None
    is_read: bool


@dataclass(frozen=True, slots=True)
class Tab:
    word: str
    url: str
    count: str
    look: Look | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """As the URL has them."""

    unread_only: bool = False
    level: str = ""

    def url(self, after: str = "") -> str:
        query = {"show": "unread" if self.unread_only else "", "level": self.level, "after": after}
        return f"?{urlencode({key: value for key, value in query.items() if value})}"


@dataclass(frozen=True, slots=True)
class NotificationsPage:
    rows: list[Row]
    tabs: list[Tab]
    unread: int
    unread_only: bool
    level: str
    url: str
    newest_url: str
    older_url: str
    is_first: bool
    poll_milliseconds: int
    now: str


def build(user: User, query: QueryDict, *, now: datetime) -> NotificationsPage:
    level, after = query.get("level", ""), query.get("after", "")
    filters = Filters(query.get("show") == "unread", level if level in LEVELS else "")
    found = notifications.visible_to(user, unread_only=filters.unread_only).select_related("user", "workflow")
    found = found.filter(level=filters.level) if filters.level else found
    rows = list(_below(found, after)[: PER_PAGE + 1])
    shown = rows[:PER_PAGE]
    read = notifications.read_among([row.pk for row in shown], user=user)
    unread = notifications.unread_count(user)
    return NotificationsPage(
        rows=[_row(row, is_read=row.pk in read, user=user, now=now) for row in shown],
        tabs=_tabs(filters, unread),
        unread=unread,
        unread_only=filters.unread_only,
        level=filters.level,
        url=filters.url(after),
        newest_url=filters.url(),
        older_url=filters.url(str(shown[-1].uid)) if len(rows) > PER_PAGE else "",
        is_first=not after,
        poll_milliseconds=LIST_MILLISECONDS,
        now=now.isoformat(),
    )


def _below(found: NotificationQuerySet, after: str) -> NotificationQuerySet:
    """The cursor is the id of the last one seen; one that names nothing means the first page."""
    try:
        last = Notification.objects.filter(uid=notifications.parsed(after)).values_list("pk", flat=True).first()
    except notifications.NotificationNotFound:
        return found
    return found.filter(pk__lt=last) if last else found


def _tabs(filters: Filters, unread: int) -> list[Tab]:
    """All or unread, and of these every level or one."""
    whole = [
        Tab("All", replace(filters, unread_only=False).url(), "", None, not filters.unread_only),
        Tab("Unread", replace(filters, unread_only=True).url(), str(unread or ""), None, filters.unread_only),
    ]
    levels = [(name, look, name == filters.level) for name, look in LEVELS.items()]
    return whole + [Tab(look.word, replace(filters, level="" if is_on else name).url(), "", look, is_on) for name, look, is_on in levels]


def _row(row: Notification, *, is_read: bool, user: User, now: datetime) -> Row:
    return Row(
        uid=str(row.uid),
        look=LEVELS[row.level],
        title=row.title,
        message=row.message,
        whom=_whom(row, user),
        workflow=str(row.workflow.uid) if row.workflow else "",
        workflow_name=row.workflow.name if row.workflow else "",
        step=row.node_id,
        at=moment(row.created_at, now=now),
        is_read=is_read,
    )


def _whom(row: Notification, user: User) -> str:
    if row.user:
        return "to you" if row.user == user else f"to {row.user.get_username()}"
    if row.role:
        return f"to the role {row.role}"
    return f"to the channel {row.channel}" if row.channel else ""
