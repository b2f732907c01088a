"""Receiving events: each is kept once, starts what its payload triggers, and wakes the steps that wait for it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError

from workflows_app.catalog import triggers
from workflows_app.catalog.triggers import Verdict
from workflows_app.engine import doorbell, subscriptions
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.engine.sql import events as sql
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.engine.start import Order, place
from workflows_app.models import Event

logger = logging.getLogger(__name__)
Json = Any


def receive(
    *,
    payload: Json,
    source: str = "",
    idempotency_key: str | None = None,
    chain_depth: int = 0,
    by: AbstractBaseUser | None = None,
    now: datetime,
) -> Event:
    """The event with its `matches`, and the workflows that it started. The same source, key and payload give the earlier event and
    start nothing. Triggers are computed before the transaction, which somebody else waits for. Raises IdempotencyConflict."""
    verdicts = triggers.judge(triggers.triggered(), payload, chain_depth=chain_depth, max_chain=settings.ENV.max_event_chain)
    event = Event(
        source=source, idempotency_key=idempotency_key, idempotency_digest=subscriptions.digest(payload), payload=payload,
        chain_depth=chain_depth, received_at=now, received_by_id=by.pk if by else None,
        matches=[verdict.as_json() for verdict in verdicts],
    )  # fmt: skip
    with write() as session:
        if not _keep(session, event):
            return _earlier(event)
        _start(session, event, verdicts, now)
    if any(verdict.params is not None for verdict in verdicts):
        doorbell.ring()
    if not event.is_delivered:
        _deliver(event, now)
    return event


def _keep(session: Session, event: Event) -> bool:
    """Insert the event; False when its key is taken."""
    rows = session.run(
        sql.add_event(session.statements.dialect),
        uid=event.uid.hex,
        source=event.source,
        idempotency_key=event.idempotency_key,
        idempotency_digest=event.idempotency_digest,
        payload=json.dumps(event.payload),
        chain_depth=event.chain_depth,
        received_at=event.received_at,
        received_by_id=event.received_by_id,
        matches=json.dumps(event.matches),
    )
    for event.pk, is_delivered in rows:
        event.is_delivered, event._state.adding = bool(is_delivered), False
    return bool(rows)


def _earlier(event: Event) -> Event:
    """The one that took the key. Raises IdempotencyConflict when it came with another payload."""
    earlier = Event.objects.get(source=event.source, idempotency_key=event.idempotency_key)
    if earlier.idempotency_digest != event.idempotency_digest:
        raise IdempotencyConflict(earlier.idempotency_key or "")
    return earlier


def _start(session: Session, event: Event, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Start what matched, and say of each template which workflow it was."""
    starting = [verdict for verdict in verdicts if verdict.params is not None]
    if not starting:
        return
    workflows = place(session, [_order(verdict, event) for verdict in starting], now)
    started = {id(verdict): str(workflow.uid) for verdict, workflow in zip(starting, workflows, strict=True)}
    event.matches = [verdict.as_json(started.get(id(verdict))) for verdict in verdicts]
    session.run(sql.note_matches(session.statements.dialect), matches=json.dumps(event.matches), id=event.pk)


def _order(verdict: Verdict, event: Event) -> Order:
    version = verdict.version
    return Order(
        definition=version.definition,
        name=version.template.name,
        description=version.template.description,
        tags=version.template.tags,
        params=verdict.params or {},
        template_version=version,
        event=event,
        chain_depth=event.chain_depth,
    )


def _deliver(event: Event, now: datetime) -> None:
    """The event is kept already: if the database goes away now, the reaper delivers it later."""
    try:
        subscriptions.deliver(event, now=now)
    except DatabaseError:
        logger.exception("Event %s could not be delivered yet", event.uid)
