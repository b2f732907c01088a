"""Keeping events: those that arrive at the same time in several threads share one transaction, each kept once."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from workflows_app.catalog.triggers import Verdict
from workflows_app.engine import doorbell
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.engine.start import Order, place
from workflows_app.models import Event

_turn = threading.Lock()
_queue: deque[Arrival] = deque()


@dataclass(slots=True, eq=False)
class Arrival:
    """An event that is not stored yet, and what each template says to it. Afterwards `is_new` tells whether its key was free."""

    event: Event
    verdicts: Sequence[Verdict]
    now: datetime
    is_kept: bool = False
    is_new: bool = False

    @property
    def starting(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.params is not None]


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
        _start(session, [arrival for arrival in new if arrival.starting])
    for arrival in batch:
        arrival.is_kept = True
    if any(arrival.starting for arrival in new):
        doorbell.ring()


def _add(session: Session, batch: Sequence[Arrival]) -> list[Arrival]:
    """Insert the events; those whose key was free."""
    rows = session.run(session.statements.add_events, batch=[_row(session, arrival.event) for arrival in batch])
    added = {uid.replace("-", ""): (pk, bool(is_delivered)) for uid, pk, is_delivered in rows}
    for arrival in batch:
        event, arrival.is_new = arrival.event, arrival.event.uid.hex in added
        if arrival.is_new:
            event.pk, event.is_delivered = added[event.uid.hex]
            event._state.adding = False
    return [arrival for arrival in batch if arrival.is_new]


def _row(session: Session, event: Event) -> dict[str, Any]:
    return {
        "uid": event.uid.hex,
        "source": event.source,
        "idempotency_key": event.idempotency_key,
        "idempotency_digest": event.idempotency_digest,
        "payload": json.dumps(event.payload),
        "chain_depth": event.chain_depth,
        "received_at": session.time(event.received_at),
        "received_by_id": event.received_by_id,
        "matches": json.dumps(event.matches),
    }


def _start(session: Session, arrivals: Sequence[Arrival]) -> None:
    """Start what matched, and say of each template which workflow it was."""
    if not arrivals:
        return
    orders = [_order(verdict, arrival.event) for arrival in arrivals for verdict in arrival.starting]
    workflows = iter(place(session, orders, arrivals[0].now))
    for arrival in arrivals:
        started = {id(verdict): str(next(workflows).uid) for verdict in arrival.starting}
        arrival.event.matches = [verdict.as_json(started.get(id(verdict))) for verdict in arrival.verdicts]
    batch = [{"key": arrival.event.pk, "now_matches": json.dumps(arrival.event.matches)} for arrival in arrivals]
    session.run(session.statements.note_matches, batch=batch)


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
