"""Receiving events: each is kept once, starts what its payload triggers, and wakes the steps that wait for it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import Error

from workflows_app.catalog import arrivals, triggers
from workflows_app.catalog.arrivals import Arrival
from workflows_app.engine import subscriptions
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.models import Event, Workflow

logger = logging.getLogger(__name__)
Json = Any


@dataclass(frozen=True, slots=True)
class Taken:
    """An event, and the workflows that it started just now: none when it came before."""

    event: Event
    started: Sequence[Workflow] = ()


def receive(
    *,
    payload: Json,
    source: str = "",
    idempotency_key: str | None = None,
    chain_depth: int = 0,
    by: AbstractBaseUser | None = None,
    now: datetime,
) -> Event:
    """The event with its `matches`. The same source, key and payload give the earlier event and start nothing.
    Raises IdempotencyConflict."""
    return take(payload=payload, source=source, idempotency_key=idempotency_key, chain_depth=chain_depth, by=by, now=now).event


def take(
    *,
    payload: Json,
    source: str = "",
    idempotency_key: str | None = None,
    chain_depth: int = 0,
    by: AbstractBaseUser | None = None,
    now: datetime | None = None,
) -> Taken:
    """The same, with what it started. Without `now` it is the database's, told together with the triggers: one answer less to wait
    for. Triggers are computed before the transaction, which others wait for."""
    versions, now = (triggers.triggered(), now) if now else triggers.triggered_now()
    verdicts = triggers.judge(versions, payload, chain_depth=chain_depth, max_chain=settings.ENV.max_event_chain)
    event = Event(
        source=source, idempotency_key=idempotency_key, idempotency_digest=subscriptions.digest(payload), payload=payload,
        chain_depth=chain_depth, received_at=now, received_by_id=by.pk if by else None,
        matches=[verdict.as_json() for verdict in verdicts],
    )  # fmt: skip
    arrival = Arrival(event, verdicts, now)
    arrivals.keep(arrival)
    if not arrival.is_new:
        return Taken(_earlier(event))
    if not event.is_delivered:
        _deliver(event, now)
    return Taken(event, arrival.workflows)


def _earlier(event: Event) -> Event:
    """The one that took the key. Raises IdempotencyConflict when it came with another payload."""
    earlier = Event.objects.get(source=event.source, idempotency_key=event.idempotency_key)
    if earlier.idempotency_digest != event.idempotency_digest:
        raise IdempotencyConflict(earlier.idempotency_key or "")
    return earlier


def _deliver(event: Event, now: datetime) -> None:
    """The event is kept already: if the database goes away now, the reaper delivers it later."""
    try:
        subscriptions.deliver(event, now=now)
    except Error:
        logger.exception("Event %s could not be delivered yet", event.uid)
