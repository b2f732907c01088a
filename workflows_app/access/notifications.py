"""Which notifications a user sees, and which of them they have read."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max

from workflows_app.models import Notification, NotificationRead
from workflows_app.models.notifications import NotificationQuerySet

BATCH = 500
RECENT = 2_000


class NotificationNotFound(LookupError):
    """There is no such notification, or none for this user."""

    def __init__(self, uid: object) -> None:
        super().__init__(f"Notification {uid} not found")


def visible_to(user: User, *, unread_only: bool = False) -> NotificationQuerySet:
    """Newest first; addressed to the user, a role of theirs, a channel or everybody (a superuser sees all)."""
    shown = Notification.objects.unread_by(user) if unread_only else Notification.objects.visible_to(user)
    return shown.order_by("-id")


def unread_count(user: User) -> int:
    return Notification.objects.unread_by(user).count()


def recent_unread_count(user: User) -> int:
    """Of the latest 2,000 notifications, whoever they are for: cheap enough for every page, however many were ever kept."""
    newest = Notification.objects.aggregate(last=Max("pk"))["last"] or 0
    return Notification.objects.unread_by(user).filter(pk__gt=newest - RECENT).count()


def read_among(keys: list[int], *, user: User) -> set[int]:
    """The keys of those that the user has read."""
    return set(NotificationRead.objects.filter(user=user, notification__in=keys).values_list("notification", flat=True))


def mark_read(*, user: User, uid: object, now: datetime) -> Notification:
    """Reading twice is reading. Raises NotificationNotFound, also for one that the user may not see."""
    found = visible_to(user).filter(uid=parsed(uid)).first()
    if found is None:
        raise NotificationNotFound(uid)
    _note([found.pk], user, now)
    return found


def mark_all_read(*, user: User, now: datetime) -> int:
    """All that the user sees now; how many were unread."""
    keys = list(visible_to(user, unread_only=True).values_list("pk", flat=True))
    _note(keys, user, now)
    return len(keys)


def _note(keys: list[int], user: User, now: datetime) -> None:
    """The constraint keeps one row for each; whoever comes second is ignored."""
    rows = [NotificationRead(notification_id=key, user=user, read_at=now) for key in keys]
    NotificationRead.objects.bulk_create(rows, ignore_conflicts=True, batch_size=BATCH)


def parsed(uid: object) -> uuid.UUID:
    """Raises NotificationNotFound for what is no UUID."""
    try:
        return uuid.UUID(str(uid))
    except ValueError:
        raise NotificationNotFound(uid) from None
