"""The box that says what happened, why, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

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
    """`decide` is the step that waits for an approval, if one does."""

    look: Look
    what: str
    why: str
    now_what: str
    deeds: tuple[Deed, ...]
    decide: str = ""


MOST_HELD = 20
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
    ended = Step.objects.top_level().filter(workflow=workflow, status=Status.FAILED).order_by("ended_at")
    failed = list(ended.defer("output", "resume", "answer")[:1])
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
    failed = len(_ids(table.looks, Status.FAILED))
    done = f"{workflow.done_steps:,} of {plural(workflow.total_steps, 'step')} done{f', {failed:,} failed' if failed else ''}"
    seen = look(workflow.status)
    if workflow.awaits_trigger:
        return Story(seen, "Submitted, not started", "Nothing of it runs before somebody starts it.", "", (STOP,))
    held = _held(workflow)
    asking = next((step.node_id for step in held if step.waits_for == Step.APPROVAL), "")
    if not workers:
        return Story(seen, f"Nothing can run: no worker is alive · {done}", NO_WORKER, "Start workers with “make run”.", (STOP,), asking)
    if running:
        return Story(seen, f"Running · {done}", " ".join([f"Now: {listed(running)}.", *_elements(held, table)]), "", (STOP,), asking)
    return Story(seen, f"{seen.word} · {done}", _why_idle(held, table, now), "", (STOP,), asking)


def _held(workflow: Workflow) -> list[Step]:
    """Steps that a time, an answer, a worker or a place holds back, those that wait for an answer first: an operator can give it."""
    timed = Q(available_at__isnull=False) | Q(status=Status.WAITING_FOR_DEPENDENCY, remaining=0)
    found = Step.objects.top_level().filter(timed, workflow=workflow).defer("output", "resume", "answer")
    return list(found.order_by(F("waits_for").asc(nulls_last=True), "available_at")[:MOST_HELD])


def _why_idle(held: Sequence[Step], table: StepTable, now: datetime) -> str:
    if not held:
        return "The next steps are about to start."
    if elements := _elements(held[:1], table):
        return elements[0]
    return f"{held[0].node_id} waits for {waits.words(held[0], now=now)}."


def _elements(held: Sequence[Step], table: StepTable) -> list[str]:
    """How far each of these maps is."""
    bars = {row.id: row.bar for row in table.rows if row.bar}
    return [f"{id}: {bars[id].words}." for id in (step.node_id for step in held if step.waits_for == Step.ELEMENTS) if id in bars]


def _ids(looks: Looks, status: Status) -> list[str]:
    return [id for id, (found, _) in looks.items() if found == status]


def _blocked(looks: Mapping[str, tuple[str, Look]]) -> list[str]:
    return [id for id, (status, seen) in looks.items() if status == Status.STOPPED and seen.css == "stopped"]
