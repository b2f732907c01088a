"""Subscriptions: events are brought to the steps that wait for them, each wait answered once."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import F, QuerySet

from workflows_app.engine import answers, doorbell
from workflows_app.engine.report.times import iso
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.graph.conditions import ConditionError, holds, share
from workflows_app.graph.lookup import MISSING, find
from workflows_app.graph.syntax import Path, parse
from workflows_app.models import Event, Step, Subscription

Json = Any
LATE = timedelta(seconds=2)
RECENT = timedelta(seconds=30)
PRUNED_EVERY = timedelta(minutes=1)
STEPS_PER_TRANSACTION, EVENTS_AT_ONCE = 50, 100


def digest(value: Json) -> str:
    """SHA-256 of the value's canonical JSON: neither the order of keys matters nor how a number is written, for PostgreSQL keeps
    1e2 as 100."""
    text = json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _whole(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    return [_whole(part) for part in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class _Wait:
    """A step that an event may answer."""

    subscription_id: int
    step_id: int
    attempt: int
    condition: Json
    workflow_uid: uuid.UUID
    node_id: str


def deliver(event: Event, *, now: datetime) -> int:
    """Offer an event to every step that waits for one; how many took it."""
    waits = _waiting(event)
    work = share(sum(wait.condition is not None for wait in waits))
    found = [wait for wait in waits if _holds(wait.condition, event, work=work)]
    taken = _answer(event, found, now)
    Event.objects.filter(pk=event.pk).update(is_delivered=True)
    event.is_delivered = True
    return taken


def catch_up(*, now: datetime, step_ids: Collection[int] | None = None) -> int:
    """Offer steps that just began to wait the events that came in before their subscription could be seen; how many took one.
    Without ids, to all whose subscription is not half a minute old."""
    recent = Subscription.objects.filter(created_at__gte=now - RECENT)
    return _catch_up(recent if step_ids is None else Subscription.objects.filter(step_id__in=step_ids), now)


class Sweeper:
    """What is looked after every second or so: events that whoever kept them did not deliver, and subscriptions that whoever
    recorded them did not catch up. The first look of a process is at all of them."""

    def __init__(self) -> None:
        self._swept_at: datetime | None = None
        self._pruned_at: datetime | None = None

    def sweep(self, *, now: datetime) -> int:
        """How many steps took an event. Costs two looks at an index while there is nothing to do."""
        late = Event.objects.undelivered().filter(received_at__lte=now - LATE).order_by("id")
        taken = sum(deliver(event, now=now) for event in late[:EVENTS_AT_ONCE])
        taken += _catch_up(self._recent(now), now)
        self._swept_at = now
        if self._pruned_at is None or now - self._pruned_at >= PRUNED_EVERY:
            prune()
            self._pruned_at = now
        return taken

    def _recent(self, now: datetime) -> QuerySet[Subscription]:
        everything = Subscription.objects.all()
        return everything if self._swept_at is None else everything.filter(created_at__gte=min(now, self._swept_at) - RECENT)


def prune() -> int:
    """Forget subscriptions whose step does not wait any more; how many."""
    over = list(_over(Subscription.objects.all()).values_list("pk", flat=True)[:1000])
    return _forget(over) if over else 0


def _over(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    return rows.exclude(step__waits_for=Step.EVENT, step__attempt=F("attempt"))


def _forget(ids: Sequence[int]) -> int:
    """Delete those of them that are over, asked anew: SQLite gives the number of a deleted row to the next."""
    return _over(Subscription.objects.filter(pk__in=ids)).delete()[0]


def _waiting(event: Event) -> list[_Wait]:
    """Those with a subscription to the event's source and to a value that its payload holds."""
    session = Session()
    paths = [row[0] for row in session.run(session.statements.awaited_paths)]
    batch = [{"at_path": path, "digest": found} for path in paths if (found := _digest_at(path, event.payload)) is not None]
    if not batch:
        return []
    rows = session.run(session.statements.waiting_steps, batch=batch, source=event.source, received_at=event.received_at)
    return [
        _Wait(id, step_id, attempt, json.loads(condition) if condition else None, uuid.UUID(uid), node_id)
        for id, step_id, attempt, condition, uid, node_id in rows
    ]


def _digest_at(path: str, payload: Json) -> str | None:
    """The digest that a subscription to this path must have; None when the payload has nothing there."""
    if not path:
        return ""
    value = find(_parsed(path), payload)
    return None if value is MISSING else digest(value)


@lru_cache(maxsize=1024)
def _parsed(path: str) -> Path:
    """As the action that waits has checked it."""
    return parse(f"payload.{path}").paths[0][1:]


def _holds(condition: Json, event: Event, *, work: int) -> bool:
    """One that cannot be computed over this payload is not met."""
    try:
        return condition is None or holds(condition, event.payload, work=work)
    except ConditionError:
        return False


def _answer(event: Event, waits: Sequence[_Wait], now: datetime) -> int:
    """How many took it."""
    starts = range(0, len(waits), STEPS_PER_TRANSACTION)
    return sum(_answer_together(event, waits[at : at + STEPS_PER_TRANSACTION], now) for at in starts)


def _answer_together(event: Event, waits: Sequence[_Wait], now: datetime) -> int:
    """Answer them and note it on the event, together. The event's row is locked first, as everybody does who delivers."""
    told = {"id": str(event.uid), "source": event.source, "receivedAt": iso(event.received_at), "payload": event.payload}
    with write():
        kept = Event.objects.select_for_update().only("deliveries").get(pk=event.pk)
        taken = [w for w in waits if answers.answer(step_id=w.step_id, attempt=w.attempt, kind="event", answer=told, now=now)]
        event.deliveries = kept.deliveries + [{"workflowId": str(wait.workflow_uid), "stepId": wait.node_id} for wait in taken]
        _forget([wait.subscription_id for wait in waits])
        Event.objects.filter(pk=event.pk).update(deliveries=event.deliveries)
    if taken:
        doorbell.ring()
    return len(taken)


def _catch_up(rows: QuerySet[Subscription], now: datetime) -> int:
    """The oldest event that satisfies a wait answers it. Workflows are locked in the order of their ids, as everybody does."""
    still = rows.filter(step__waits_for=Step.EVENT, step__attempt=F("attempt")).select_related("step__workflow")
    waiting = {row.pk: row for row in still.only(*_FIELDS).order_by("step__workflow_id", "step_id")}
    wishes = _wishes(waiting.values())
    taken = 0
    for event in _events_for(list(waiting.values())):
        takers = _takers(wishes, event)
        found = [waiting.pop(key) for key in list(waiting) if key in takers] if takers else []
        taken += _answer(event, [_wait(row) for row in found], now)
        if not waiting:
            break
    return taken


@dataclass(slots=True)
class _Wish:
    """What several subscriptions ask for, all the same: to look at it once spares looking at each."""

    source: str
    condition: Json
    rows: list[Subscription] = field(default_factory=list)

    def takers(self, event: Event, *, work: int) -> list[int]:
        since = [row.pk for row in self.rows if row.since <= event.received_at] if self.source in ("", event.source) else []
        return since if since and _holds(self.condition, event, work=work) else []


Wishes = Mapping[str, Mapping[str, Collection[_Wish]]]


def _wishes(rows: Iterable[Subscription]) -> Wishes:
    """By path, and by the digest of the value that must be there."""
    found: dict[str, dict[str, dict[str, _Wish]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        alike = found[row.path][row.value_digest]
        alike.setdefault(json.dumps([row.source, row.condition]), _Wish(row.source, row.condition)).rows.append(row)
    return {path: {digest: list(alike.values()) for digest, alike in by_digest.items()} for path, by_digest in found.items()}


def _takers(wishes: Wishes, event: Event) -> set[int]:
    asked = [wish for path, by_digest in wishes.items() for wish in by_digest.get(_digest_at(path, event.payload) or "", ())]
    return {taker for wish in asked for taker in wish.takers(event, work=share(len(asked)))}


_FIELDS = (
    "attempt", "source", "path", "value_digest", "condition", "since", "step__node_id", "step__workflow__uid",
)  # fmt: skip


def _events_for(rows: Sequence[Subscription]) -> Iterator[Event]:
    """Events that may concern these, the oldest first."""
    if not rows:
        return
    found = Event.objects.filter(received_at__gte=min(row.since for row in rows)).order_by("id")
    if all(row.source for row in rows):
        found = found.filter(source__in={row.source for row in rows})
    ids = list(found.values_list("pk", flat=True))
    for at in range(0, len(ids), EVENTS_AT_ONCE):
        yield from Event.objects.filter(pk__in=ids[at : at + EVENTS_AT_ONCE]).defer("matches", "deliveries").order_by("id")


def _wait(row: Subscription) -> _Wait:
    return _Wait(row.pk, row.step_id, row.attempt, row.condition, row.step.workflow.uid, row.step.node_id)
