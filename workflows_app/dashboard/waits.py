"""What a step waits for, in words: an upstream step, a time, an answer, a worker, a turn, a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows_app.dashboard.looks import LOOKS, Moment, moment
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

MOST_NAMED = 3
UNTRIGGERED = "somebody to start it: it was submitted, not started"
PLACE = "a place: as many workflows run as MAX_CONCURRENT_WORKFLOWS allows"
OTHERS: Mapping[str | None, str] = {
    Step.ELEMENTS: "its elements",
    Step.WORKFLOW: "the workflow that it started",
    Step.TURN: "its turn among the elements",
    Step.APPROVAL: "an approval",
    Step.EVENT: "an event",
}


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that is missing. `step` and `workflow` are ids that the words can lead to; `at` is when it comes or runs out."""

    words: str
    step: str = ""
    workflow: str = ""
    at: Moment | None = None


def of_reasons(reasons: Sequence[Mapping[str, Any]], statuses: Mapping[str, str], *, is_retry: bool, now: datetime) -> list[Wait]:
    """The `waitingFor` of the step's JSON, for people: the first few, and how many more. `is_retry`: it ran before."""
    shown = [_wait(reason, statuses, is_retry, now) for reason in reasons[:MOST_NAMED]]
    more = len(reasons) - MOST_NAMED
    return [*shown, Wait(f"{more:,} more")] if more > 0 else shown


def _wait(reason: Mapping[str, Any], statuses: Mapping[str, str], is_retry: bool, now: datetime) -> Wait:
    kind, id, at = reason["kind"], reason["id"], moment(reason["at"], now=now)
    if kind == "step":
        return Wait(_named(id, statuses[id]), step=id)
    if kind == "time":
        return Wait("the next try," if is_retry else reason["text"].removesuffix(f", {reason['at']}"), at=at)
    if kind == "workflow" and id:
        return Wait("the workflow", workflow=id)
    return Wait(f"{reason['text']}, which expires" if at else reason["text"], at=at)


def _named(id: str, status: str) -> str:
    """The id, and its status when that says more than that it waits too."""
    return id if status == Status.WAITING_FOR_DEPENDENCY else f"{id} ({LOOKS[Status(status)].word.lower()})"


def words(step: Step, *, now: datetime) -> str:
    """The same in short, from the step's row alone, for lists: a step that nothing before it holds back."""
    if step.status == Status.PENDING:
        is_later = step.available_at and step.available_at > now
        return f"the next try at {step.available_at:%H:%M:%S} UTC" if is_later else "a free worker"
    if not step.attempt and not step.available_at:
        return PLACE
    why = str(step.metadata.get("waitingFor") or OTHERS.get(step.waits_for) or ("a timer" if step.available_at else "an answer"))
    return f"{why}, until {step.available_at:%H:%M:%S} UTC" if step.available_at else why
