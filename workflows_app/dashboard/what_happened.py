"""The box that says what happened, why, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workflows_app.dashboard import waits
from workflows_app.dashboard.looks import Look, listed, look, plural, took
from workflows_app.dashboard.steps_table import Looks, StepTable
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow


@dataclass(frozen=True, slots=True)
class Deed:
    """A button: the verb of the URL, its words, and whether it is the one most will want."""

    verb: str
    words: str
    is_first_choice: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    look: Look
    what: str
    why: str
    now_what: str
    deeds: tuple[Deed, ...]


NO_WORKER = "Steps start when a worker does."
STOP, RERUN = Deed("stop", "Stop"), Deed("rerun", "Run again")
RESUME, RETRY = Deed("resume", "Resume", True), Deed("retry", "Retry failed steps", True)


def tell(workflow: Workflow, table: StepTable, *, workers: int, now: datetime) -> Story:
    """`workers` is how many live: with none, nothing will ever start, and the box must say so."""
    if workflow.status == Status.COMPLETED:
        return _completed(workflow, table, now)
    if workflow.status == Status.FAILED:
        return _failed(workflow, table)
    if workflow.status == Status.STOPPED:
        return _stopped(workflow, table)
    return _active(workflow, table, workers, now)


def _completed(workflow: Workflow, table: StepTable, now: datetime) -> Story:
    spent = took(workflow.started_at, workflow.ended_at, now=now)
    forgiven = _ids(table.looks, Status.FAILED)
    why = table.strip.label if not forgiven else f"{table.strip.label}. {listed(forgiven)} failed, which this workflow allows."
    return Story(look(workflow.status), f"Completed in {spent.words if spent else 'no time'}", why, "Nothing is left to do.", (RERUN,))


def _failed(workflow: Workflow, table: StepTable) -> Story:
    failed = list(Step.objects.filter(workflow=workflow, status=Status.FAILED).defer("output", "resume").order_by("ended_at")[:5])
    if not failed:
        return Story(look(workflow.status), "Failed", workflow.error, "Run it again, or look at the steps below.", (RERUN,))
    first, blocked = failed[0], _blocked(table.looks)
    others = len(_ids(table.looks, Status.FAILED)) - 1
    too = f", and {plural(others, 'other step')} too" if others else ""
    what = f"{first.node_id} failed after {plural(first.attempt, 'attempt')}{too}"
    now_what = "Retry runs the failed steps and what depends on them; what is done stays done."
    waiting = f"{plural(len(blocked), 'step')} did not run because of it: {listed(blocked)}. " if blocked else ""
    return Story(look(workflow.status), what, first.error or workflow.error, waiting + now_what, (RETRY, RERUN))


def _stopped(workflow: Workflow, table: StepTable) -> Story:
    what = f"Stopped with {workflow.done_steps:,} of {plural(workflow.total_steps, 'step')} done"
    return Story(look(workflow.status), what, workflow.error or table.strip.label, "Resume goes on where it stopped.", (RESUME, RERUN))


def _active(workflow: Workflow, table: StepTable, workers: int, now: datetime) -> Story:
    running = _ids(table.looks, Status.RUNNING)
    done = f"{workflow.done_steps:,} of {plural(workflow.total_steps, 'step')} done"
    seen = look(workflow.status)
    if not workers:
        return Story(seen, f"Nothing can run: no worker is alive · {done}", NO_WORKER, "Start workers with “make run”.", (STOP,))
    if running:
        return Story(seen, f"Running · {done}", f"Now: {listed(running)}.", "", (STOP,))
    return Story(seen, f"{seen.word} · {done}", _why_idle(workflow, now), "", (STOP,))


def _why_idle(workflow: Workflow, now: datetime) -> str:
    held = Step.objects.filter(workflow=workflow, available_at__isnull=False) | Step.objects.filter(
        workflow=workflow, status=Status.WAITING_FOR_DEPENDENCY, remaining=0
    )
    first = held.defer("output", "resume").order_by("available_at").first()
    if first is None:
        return "The next steps are about to start."
    return f"{first.node_id} waits for {waits.words(first, needs=(), looks={}, now=now)}."


def _ids(looks: Looks, status: Status) -> list[str]:
    return [id for id, (found, _) in looks.items() if found == status]


def _blocked(looks: Mapping[str, tuple[str, Look]]) -> list[str]:
    return [id for id, (status, seen) in looks.items() if status == Status.STOPPED and seen.css == "stopped"]
