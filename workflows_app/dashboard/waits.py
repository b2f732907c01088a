"""What a step waits for, in words for people: made of the `waitingFor` of its JSON, in full for one step and in short for a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflows_app.dashboard.looks import LOOKS, Moment, moment, plural
from workflows_app.engine.report.held import Held, held
from workflows_app.graph.statuses import ACTIVE, Status
from workflows_app.models import Workflow

MOST_NAMED = 3
EXPIRES = ("approval", "event", "elements", "answer")
OF_THE_WORKFLOW = ("a place", "somebody to")
Reason = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that is missing. `step` and `workflow` are ids that the words can lead to; `at` is when it comes or runs out."""

    words: str
    step: str = ""
    workflow: str = ""
    at: Moment | None = None


def of_reasons(reasons: Sequence[Reason], statuses: Mapping[str, str], *, now: datetime) -> list[Wait]:
    """The `waitingFor` of the step's JSON: the first few, and how many more."""
    shown = [_wait(reason, statuses, now) for reason in reasons[:MOST_NAMED]]
    more = len(reasons) - MOST_NAMED
    return [*shown, Wait(f"{more:,} more")] if more > 0 else shown


def _wait(reason: Reason, statuses: Mapping[str, str], now: datetime) -> Wait:
    kind, id = reason["kind"], reason["id"]
    if kind == "step":
        return Wait(_named(id, statuses[id]), step=id)
    if kind == "workflow" and id:
        return Wait("the workflow", workflow=id)
    if kind == "time":
        return Wait(f"{_timer(reason)}{',' if _is_next_try(reason) else ''}", at=moment(reason["at"], now=now))
    expires = moment(reason["at"], now=now) if kind in EXPIRES else None
    return Wait(f"{reason['text']}, which expires" if expires else reason["text"], at=expires)


def _named(id: str, status: str) -> str:
    """The id, and its status when that says more than that it waits too."""
    return id if status == Status.WAITING_FOR_DEPENDENCY else f"{id} ({LOOKS[Status(status)].word.lower()})"


def _timer(reason: Reason) -> str:
    """Without the moment, which is shown beside it."""
    text: str = reason["text"].removesuffix(f", due at {reason['at']}").removesuffix(f", {reason['at']}")
    return text


def _is_next_try(reason: Reason) -> bool:
    return bool(reason["text"].endswith(f", due at {reason['at']}"))


def of_workflows(workflows: Sequence[Workflow], *, now: datetime) -> Mapping[int, str]:
    """What each active workflow of which nothing runs waits for, in a line; the same number of queries for one and for a page."""
    found = held([workflow.pk for workflow in workflows if workflow.status in ACTIVE], now=now)
    return {pk: line for pk, one in found.items() if (line := _line(one, now))}


def _line(found: Held, now: datetime) -> str:
    said = brief(found.reasons, now=now)
    if not said or said.startswith(OF_THE_WORKFLOW):  # of the workflow as a whole, whichever step is first
        return said and f"waits for {said}"
    more = f", and {plural(found.others, 'more step')}" if found.others else ""
    return f"{found.step} waits for {said}{more}"


def brief(reasons: Sequence[Reason], *, now: datetime) -> str:
    """The first reason with its time on the clock, for where nothing counts down."""
    if not reasons:
        return ""
    reason = reasons[0]
    if reason["kind"] == "time":
        return f"{_timer(reason)}{' at' if _is_next_try(reason) else ', until'} {_clock(reason['at'], now)}"
    if reason["kind"] in EXPIRES and reason["at"]:
        return f"{reason['text']}, until {_clock(reason['at'], now)}"
    return str(reason["text"])


def _clock(iso: str, now: datetime) -> str:
    """With the day when that is another."""
    at = datetime.fromisoformat(iso).astimezone(UTC)
    return f"{at:%H:%M:%S} UTC" if at.date() == now.astimezone(UTC).date() else f"{at:%Y-%m-%d %H:%M} UTC"
