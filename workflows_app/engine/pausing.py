"""The queue paused as a whole: no worker claims a step until it is resumed; what runs goes on, and timers keep their time."""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.auth.models import User

from workflows_app.engine import doorbell
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.sql.transaction import write
from workflows_app.models import QueuePause

logger = logging.getLogger(__name__)
THE_ONE = 1
MAX_REASON = 200


def pause(*, by: User | None = None, reason: str = "", now: datetime) -> QueuePause:
    """Let nothing start any more. A claim that is being made at this moment may still take its steps. Raises NotAllowed when
    the queue is paused already."""
    values = {"since": now, "by": by, "reason": reason.strip()[:MAX_REASON]}
    with write():
        row, is_new = QueuePause.objects.get_or_create(pk=THE_ONE, defaults=values)
    if not is_new:
        raise NotAllowed(f"The queue is paused already: {told(row)}")
    logger.warning("The queue is paused: %s", told(row))
    return row


def resume(*, by: User | None = None) -> None:
    """Let workers take steps again, those that came due meanwhile at once. Raises NotAllowed when the queue is not paused."""
    with write():
        gone, _ = QueuePause.objects.filter(pk=THE_ONE).delete()
    if not gone:
        raise NotAllowed("The queue is not paused: nothing is to be resumed.")
    logger.warning("The queue goes on%s", f": resumed by {by.username}" if by else "")
    doorbell.ring()


def current() -> QueuePause | None:
    """The pause that holds now, if one does."""
    return QueuePause.objects.select_related("by").first()


def is_paused() -> bool:
    return QueuePause.objects.exists()


def told(pause: QueuePause) -> str:
    """By whom, since when and why."""
    who = f"by {pause.by.username} " if pause.by else ""
    return f"{who}since {pause.since:%Y-%m-%d %H:%M:%S} UTC{f' ({pause.reason})' if pause.reason else ''}"
