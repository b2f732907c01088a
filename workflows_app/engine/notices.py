"""Notifications that steps leave for people, stored together with the step's result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.contrib.auth.models import User

from workflows_app.actions.base import Fail, Notice
from workflows_app.engine.outcomes import Outcome, clip
from workflows_app.models import Notification

MAX_MESSAGE_CHARACTERS = 10_000


def check(notices: Sequence[Notice]) -> None:
    """Raises Fail for a user who does not exist. A role may: it is the name of a group that somebody joins later."""
    names = {notice.user for notice in notices if notice.user}
    for name in sorted(names - set(_users(names))):
        raise Fail(f"There is no user '{name}' to notify")


def record(outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """One row for each notice."""
    if outcomes:
        users = _users({notice.user for outcome in outcomes for notice in outcome.notices})
        Notification.objects.bulk_create(row for outcome in outcomes for row in _rows(outcome, users, now))


def _users(names: set[str]) -> dict[str, int]:
    wanted = names - {""}
    return dict(User.objects.filter(username__in=wanted).values_list("username", "pk")) if wanted else {}


def _rows(outcome: Outcome, users: dict[str, int], now: datetime) -> Iterator[Notification]:
    """For a user who was deleted in between there is nobody to tell."""
    for notice in outcome.notices:
        if notice.user and notice.user not in users:
            continue
        yield Notification(
            title=clip(notice.title, 180), message=clip(notice.message, MAX_MESSAGE_CHARACTERS), level=notice.level,
            role=notice.role[:150], user_id=users.get(notice.user), channel=notice.channel[:100],
            workflow_id=outcome.claim.workflow_id, node_id=outcome.claim.node_id, created_at=now,
        )  # fmt: skip
