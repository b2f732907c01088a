"""What waits for the reader, wherever they are: the counts in the header."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from django.contrib.auth.models import User
from django.db.models import Count, Max, Sum
from django.http import HttpRequest

from workflows_app.access import notifications
from workflows_app.catalog import approvals
from workflows_app.dashboard.kept import Kept
from workflows_app.models import Notification, NotificationRead, Step

MOST_SHOWN = 99
_tags: Kept[str] = Kept()


class Attention:
    """Counted when the page shows it, and once: a page without a header costs nothing."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def unread(self) -> str:
        return _shown(notifications.recent_unread_count(self.user))

    @cached_property
    def approvals(self) -> str:
        return _shown(approvals.waiting_count(self.user))


def context(request: HttpRequest) -> Mapping[str, Attention | None]:
    """A context processor: `attention`, None for who is not signed in."""
    user = getattr(request, "user", None)
    return {"attention": Attention(user) if isinstance(user, User) else None}


def tag() -> str:
    """Changes whenever a count may have, a moment later: it is the same for every page and everybody."""
    return _tags.get("tag", _tag)


def _tag() -> str:
    """The ends of two indexes, and the few steps that wait for an approval."""
    newest = Notification.objects.aggregate(last=Max("pk"))["last"]
    read = NotificationRead.objects.aggregate(last=Max("pk"))["last"]
    waiting = Step.objects.filter(waits_for=Step.APPROVAL).order_by().aggregate(count=Count("pk"), keys=Sum("pk"), tries=Sum("attempt"))
    return f"{newest}-{read}-{waiting['count']}-{waiting['keys']}-{waiting['tries']}"


def _shown(count: int) -> str:
    """Nothing for none."""
    return f"{MOST_SHOWN}+" if count > MOST_SHOWN else str(count or "")
