"""One verb on many workflows: each in a transaction of its own, and at the end it is told what became of every one."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection

from workflows_app.engine import control
from workflows_app.engine.errors import NotAllowed, WorkflowNotFound
from workflows_app.engine.stop_many import stop_many
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Workflow

MOST_SECONDS = 20.0
GONE, ENDED = "It was deleted meanwhile", "It ended just before the stop"


@dataclass(slots=True)
class Outcome:
    """`refused` lists ids by the reason. `broken` says why it ended early, with `left` as they were; of `unsure` nobody knows, for the
    database broke off there, perhaps after its commit."""

    done: int = 0
    refused: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    broken: str = ""
    left: int = 0
    unsure: int | None = None


def stop(ids: Sequence[int], *, now: datetime) -> Outcome:
    """As `stop_many` does it: in larger transactions, with their sub-workflows. When one of them breaks off, those before it stay done."""
    outcome, statuses = Outcome(), _statuses(ids)
    for id in ids:
        if id not in statuses:
            outcome.refused[GONE].append(id)
        elif statuses[id] in FINAL:
            outcome.refused[f"The workflow is {statuses[id]} already: there is nothing to stop"].append(id)
    active = [id for id in ids if id in statuses and statuses[id] not in FINAL]
    try:
        stop_many(workflows=Workflow.objects.filter(pk__in=active), now=now)
    except (OperationalError, InterfaceError) as error:
        outcome.broken = _broken(error)
    _look(outcome, active)
    return outcome


def retry(ids: Sequence[int], *, now: datetime) -> Outcome:
    return _each(ids, lambda uid: control.retry(uid=uid, now=now))


def resume(ids: Sequence[int], *, now: datetime) -> Outcome:
    return _each(ids, lambda uid: control.resume(uid=uid, now=now))


def delete(ids: Sequence[int], *, now: datetime) -> Outcome:
    return _each(ids, lambda uid: control.delete(uid=uid))


def _each(ids: Sequence[int], verb: Callable[[object], object]) -> Outcome:
    """In this order, for as long as a request may take; when the database goes away, what was done stays done and is told."""
    outcome, uids = Outcome(), dict(Workflow.objects.filter(pk__in=ids).values_list("pk", "uid"))
    until = time.monotonic() + MOST_SECONDS
    for place, id in enumerate(ids):
        if time.monotonic() > until:
            outcome.broken = f"{MOST_SECONDS:.0f} seconds were over"
        elif id not in uids:
            outcome.refused[GONE].append(id)
        else:
            _try(outcome, id, uids[id], verb)
        if outcome.broken:
            outcome.left = len(ids) - place - (outcome.unsure is not None)
            break
    return outcome


def _try(outcome: Outcome, id: int, uid: object, verb: Callable[[object], object]) -> None:
    try:
        verb(uid)
        outcome.done += 1
    except WorkflowNotFound:
        outcome.refused[GONE].append(id)
    except NotAllowed as error:
        outcome.refused[str(error)].append(id)
    except (OperationalError, InterfaceError) as error:
        outcome.broken, outcome.unsure = _broken(error), id


def _broken(error: Exception) -> str:
    return f"the database did not answer ({type(error).__name__})"


def _look(outcome: Outcome, ids: Sequence[int]) -> None:
    """What became of those that were to be stopped."""
    if outcome.broken and not connection.in_atomic_block:
        connection.close()  # it may be the one that broke
    statuses = _statuses(ids) if ids else {}
    for id in ids:
        if id not in statuses:
            outcome.refused[GONE].append(id)
        elif statuses[id] == Status.STOPPED:
            outcome.done += 1
        elif statuses[id] in FINAL:
            outcome.refused[ENDED].append(id)
        else:
            outcome.left += 1


def _statuses(ids: Sequence[int]) -> Mapping[int, Status]:
    return {id: Status(status) for id, status in Workflow.objects.filter(pk__in=ids).values_list("pk", "status")}
