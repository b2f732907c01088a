"""What a step waits for, in words: an upstream step, a time, an answer, a worker, a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from workflows_app.dashboard.looks import Look, listed
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Step

PLACE = "a place: as many workflows run as MAX_CONCURRENT_WORKFLOWS allows"


def words(step: Step, *, needs: Iterable[str], looks: Mapping[str, tuple[str, Look]], now: datetime) -> str:
    """`looks` gives `(status, look)` of every step of the workflow by id. Empty when the step waits for nothing."""
    if step.status == Status.PENDING:
        return _for_worker(step, now)
    if step.status != Status.WAITING_FOR_DEPENDENCY:
        return ""
    if step.available_at or step.attempt:
        return of_started(step)
    return listed([_named(id, looks[id]) for id in needs if id in looks and looks[id][0] not in FINAL], limit=3) or PLACE


def of_started(step: Step) -> str:
    """The wait of a step that an attempt began: a timer has a time, an answer has none."""
    if step.available_at is None:
        return str(step.metadata.get("waitingFor") or "an answer")
    until = f"until {step.available_at:%H:%M:%S} UTC"
    return f"{step.metadata.get('waitingFor') or 'a timer'}, {until}"


def _named(id: str, seen: tuple[str, Look]) -> str:
    """The id, and its status when that says more than that it waits too."""
    return id if seen[0] == Status.WAITING_FOR_DEPENDENCY else f"{id} ({seen[1].word.lower()})"


def _for_worker(step: Step, now: datetime) -> str:
    if step.available_at and step.available_at > now:
        return f"the next try at {step.available_at:%H:%M:%S} UTC"
    return "a free worker"
