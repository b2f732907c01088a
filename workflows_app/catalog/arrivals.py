"""Keeping events: those that arrive at the same time in several threads share one transaction, each kept once."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from workflows_app.catalog.triggers import Verdict
from workflows_app.engine import doorbell
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.engine.start import Order, insert, prepared
from workflows_app.models import Event, Workflow

_turn = threading.Lock()
_queue: deque[Arrival] = deque()


class Arrival:
    """An event that is not stored yet, what each template says to it, and the workflows that start. All that can be made before
    the transaction is: others wait for that. Afterwards `is_new` tells whether the event's key was free."""

    def __init__(self, event: Event, verdicts: Sequence[Verdict], now: datetime) -> None:
        self.event, self.now = event, now
        self.workflows = [prepared(_order(verdict, event), now) for verdict in verdicts if verdict.params is not None]
        self.row = _row(event)
        self.is_kept = self.is_new = False


def keep(arrival: Arrival) -> None:
    """Store the event and start what it triggers. Who has the turn takes along everybody who waits for it: a commit costs
    the same for one as for twenty. If their transaction fails, each tries alone, and who was at fault is told."""
    if connection.in_atomic_block:
        _keep([arrival])
        return
    _queue.append(arrival)
    with _turn:
        if not arrival.is_kept:
            _keep_with_others(arrival)


def _keep_with_others(arrival: Arrival) -> None:
    batch = [arrival, *(other for other in _taken() if other is not arrival)]
    try:
        _keep(batch)
    except Exception:
        if len(batch) == 1:
            raise
        _keep([arrival])


def _taken() -> list[Arrival]:
    """The queue, emptied. It holds one arrival of each thread at most."""
    found: list[Arrival] = []
    while _queue:
        found.append(_queue.popleft())
    return found


def _keep(batch: Sequence[Arrival]) -> None:
    with write() as session:
        new = _add(session, batch)
        workflows = [workflow for arrival in new for workflow in _of_stored_event(arrival)]
        insert(session, workflows, batch[0].now)
    for arrival in batch:
        arrival.is_kept = True
    if workflows:
        doorbell.ring()


def _add(session: Session, batch: Sequence[Arrival]) -> list[Arrival]:
    """Insert the events; those whose key was free."""
    rows = session.run(session.statements.add_events, batch=[arrival.row for arrival in batch])
    added = {uid.replace("-", ""): (pk, bool(is_delivered)) for uid, pk, is_delivered in rows}
    for arrival in batch:
        event, arrival.is_new = arrival.event, arrival.event.uid.hex in added
        if arrival.is_new:
            event.pk, event.is_delivered = added[event.uid.hex]
            event._state.adding = False
    return [arrival for arrival in batch if arrival.is_new]


def _of_stored_event(arrival: Arrival) -> list[Workflow]:
    """Its workflows, once the event has its key."""
    for workflow in arrival.workflows:
        workflow.event_id = arrival.event.pk
    return arrival.workflows


def _row(event: Event) -> dict[str, Any]:
    return {
        "uid": event.uid.hex,
        "source": event.source,
        "idempotency_key": event.idempotency_key,
        "idempotency_digest": event.idempotency_digest,
        "payload": json.dumps(event.payload),
        "chain_depth": event.chain_depth,
        "received_at": Session().time(event.received_at),
        "received_by_id": event.received_by_id,
        "matches": json.dumps(event.matches),
    }


def _order(verdict: Verdict, event: Event) -> Order:
    version = verdict.version
    return Order(
        definition=version.definition,
        name=version.template.name,
        description=version.template.description,
        tags=version.template.tags,
        params=verdict.params or {},
        template_version=version,
        uid=verdict.workflow_uid,
        chain_depth=event.chain_depth,
    )
