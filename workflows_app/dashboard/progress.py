"""How far a workflow is, how long it may still take, and whether it is slower than usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows_app.dashboard.looks import look
from workflows_app.engine.definitions import compiled
from workflows_app.engine.report.usual import SLOWER, Usual, is_slow, usual_of, usual_steps
from workflows_app.graph.progress import format_duration, progress
from workflows_app.graph.remaining import longest_path
from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models import Step, Workflow

SOON_SECONDS = 10
ASKED = (Step.APPROVAL, Step.EVENT)
Statuses = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Progress:
    """`eta` is what is left, in words; empty where nobody can know. `usual` is what workflows like it take."""

    percent: int
    done: str
    eta: str
    usual: str
    is_slow: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier workflows of the same version tell; nothing of one that has too few."""

    whole: Usual | None
    steps: Mapping[str, float]


def known(workflow: Workflow) -> Known:
    found = usual_of(workflow.template_version)
    return Known(found, usual_steps(found, workflow.total_steps) if found else {})


def build(workflow: Workflow, statuses: Statuses, told: Known, *, workers: int, now: datetime) -> Progress:
    """`statuses` are those of its steps; without a live worker nobody knows how long it will take."""
    return Progress(
        percent=progress(done=workflow.done_steps, total=workflow.total_steps),
        done=f"{workflow.done_steps:,} of {workflow.total_steps:,} done",
        eta=_eta(workflow, statuses, told, now) if workers else "",
        usual=span(told.whole.median_seconds) if told.whole else "",
        is_slow=is_slow(workflow, told.whole, now=now),
    )


def is_slow_step(step: Step, seconds: float | None, *, now: datetime) -> bool:
    """Whether a running one has taken half as long again as usual, and a second more."""
    if seconds is None or step.status != Status.RUNNING or step.started_at is None:
        return False
    return (now - step.started_at).total_seconds() > max(seconds * SLOWER, seconds + 1)


def span(seconds: float) -> str:
    """`"250 ms"`, `"5 sec"`, `"2 min 10 sec"`."""
    return f"{max(1, round(seconds * 1000))} ms" if seconds < 1 else format_duration(timedelta(seconds=round(seconds)))


def title(workflow: Workflow) -> str:
    """What the tab of the browser says: how far it is, or how it ended."""
    if workflow.status in ACTIVE:
        return f"{workflow.done_steps}/{workflow.total_steps} · {workflow.name}"
    return f"{look(workflow.status).glyph} {workflow.name}"


def _eta(workflow: Workflow, statuses: Statuses, told: Known, now: datetime) -> str:
    """Along the longest path of what is left, each step as long as it usually takes. Nothing while people or events are awaited, or
    when a step already takes longer than usual: nobody knows then."""
    if not told.steps or workflow.status not in ACTIVE or workflow.awaits_trigger:
        return ""
    begun = _begun(workflow, told, now)
    if any(seconds is None for seconds in begun.values()):
        return ""
    left = {id: seconds for id, seconds in told.steps.items() if statuses.get(id) not in FINAL}
    return _words(longest_path(compiled(workflow.definition_id), left | {id: seconds or 0.0 for id, seconds in begun.items()}))


def _begun(workflow: Workflow, told: Known, now: datetime) -> Mapping[str, float | None]:
    """Seconds that begun steps still take; None for one of which that is not known. One that waits for a time says itself until when."""
    steps = Step.objects.top_level().filter(workflow=workflow, started_at__isnull=False, ended_at__isnull=True)
    rows = steps.values_list("node_id", "started_at", "available_at", "waits_for")
    return {id: None if asked in ASKED else _left(told.steps.get(id), began, due, now) for id, began, due, asked in rows}


def _left(usual: float | None, began: datetime | None, due: datetime | None, now: datetime) -> float | None:
    if due and due > now:
        return (due - now).total_seconds()
    spent = (now - began).total_seconds() if began else 0.0
    return None if usual is None or spent > usual + 1 else max(0.0, usual - spent)


def _words(seconds: float) -> str:
    """Nothing for nothing: what took longer than usual may end at once, or not."""
    if seconds < SOON_SECONDS:
        return "a few seconds left" if seconds > 0 else ""
    if seconds < 90:
        return f"about {round(seconds / 10) * 10} s left"
    return f"about {round(seconds / 60)} min left" if seconds < 5_400 else f"about {round(seconds / 3_600)} hr left"
