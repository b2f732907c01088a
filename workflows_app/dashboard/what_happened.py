"""The box that says what happened, why, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import F, Q
from django.urls import reverse

from workflows_app.dashboard import runs_again, step_rows, waits
from workflows_app.dashboard.cutting import cut
from workflows_app.dashboard.looks import Look, listed, look, plural, took
from workflows_app.dashboard.steps_table import Looks, Overview
from workflows_app.engine import pausing
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow


@dataclass(frozen=True, slots=True)
class Deed:
    """A button: the verb of the URL, its words, whether it is the one most will want, and from which step. One with a `url` is a link.
    `runs` says what it runs again."""

    verb: str
    words: str
    is_first_choice: bool = False
    from_step: str = ""
    url: str = ""
    runs: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """`decide` is the step that waits for an approval, if one does; `step` the one that failed, where its log explains it."""

    look: Look
    what: str
    why: str
    now_what: str
    deeds: tuple[Deed, ...]
    decide: str = ""
    step: str = ""


MOST_HELD, MOST_OF_NAME = 20, 30
NO_WORKER = "Steps start when a worker does."
STOP, RERUN = Deed("stop", "Stop"), Deed("rerun", "Run again")
RESUME = Deed("resume", "Resume", True)


def tell(workflow: Workflow, found: Overview, *, workers: int, now: datetime) -> Story:
    """`workers` is how many live: with none, nothing will ever start, and the box must say so."""
    if workflow.status == Status.COMPLETED:
        return _completed(workflow, found, now)
    if workflow.status == Status.FAILED:
        return _failed(workflow, found)
    if workflow.status == Status.STOPPED:
        return _stopped(workflow, found)
    return _active(workflow, found, workers, now)


def _completed(workflow: Workflow, found: Overview, now: datetime) -> Story:
    spent = took(workflow.started_at, workflow.ended_at, now=now)
    forgiven = _ids(found.looks, Status.FAILED)
    why = found.strip.label if not forgiven else f"{found.strip.label}. {listed(forgiven)} failed, which this workflow allows."
    deeds = (*_edited(workflow), RERUN)
    return Story(look(workflow.status), f"Completed in {spent.words if spent else 'no time'}", why, "", deeds)


def _failed(workflow: Workflow, found: Overview) -> Story:
    ended = Step.objects.top_level().filter(workflow=workflow, status=Status.FAILED).order_by("ended_at", "position")
    failed = list(ended.defer("output", "resume", "answer")[:1])
    if not failed:
        deeds = (*_edited(workflow), RERUN)
        return Story(look(workflow.status), "Failed", workflow.error, "Run it again, or look at the steps below.", deeds)
    first, blocked = failed[0], _blocked(found.looks)
    others = len(_ids(found.looks, Status.FAILED)) - 1
    too = f", and {plural(others, 'other step')} too" if others else ""
    what = f"{first.node_id} failed after {plural(first.attempt, 'attempt')}{too}"
    waiting = f"{plural(len(blocked), 'step')} did not run because of it: {listed(blocked)}." if blocked else ""
    deeds = (*_retries(workflow, first.node_id, others), *_edited(workflow, first.node_id), RERUN)
    return Story(look(workflow.status), what, first.error or workflow.error, waiting, deeds, step=first.node_id)


def _retries(workflow: Workflow, first: str, others: int) -> tuple[Deed, ...]:
    """Each says what it runs. With one failed step there is one retry; it keeps the elements of a map that are done."""
    everything = runs_again.in_order(workflow)
    below = runs_again.in_order(workflow, first)
    words = f"Retry {first}" if len(below) == 1 else f"Retry {first} and {len(below) - 1:,} below"
    if not others:
        return (Deed("retry", words, True, runs=runs_again.words(workflow)),)
    return (
        Deed("retry", f"Retry all {others + 1:,} failed steps", True, runs=runs_again.said(workflow, everything)),
        Deed("retry", words, from_step=first, runs=runs_again.said(workflow, below)),
    )


def _edited(workflow: Workflow, from_step: str = "") -> tuple[Deed, ...]:
    """The same with other parameters: from a step of this workflow, or as a new one of its template."""
    retry = f"{reverse('dashboard:workflow-retry', args=[workflow.uid])}?{urlencode({'step': from_step})}"
    deeds = [Deed("retry-edited", "Edit parameters & retry…", url=retry)] if from_step else []
    if version := workflow.template_version:
        start = f"{reverse('dashboard:template-start', args=[version.template.slug])}?{urlencode({'from': workflow.uid})}"
        deeds.append(Deed("start-edited", "Edit parameters & run…", url=start))
    return tuple(deeds)


def _stopped(workflow: Workflow, found: Overview) -> Story:
    what = f"Stopped with {workflow.done_steps:,} of {plural(workflow.total_steps, 'step')} done"
    deeds = (RESUME, *_edited(workflow), RERUN)
    return Story(look(workflow.status), what, workflow.error or found.strip.label, "Resume goes on where it stopped.", deeds)


def _active(workflow: Workflow, found: Overview, workers: int, now: datetime) -> Story:
    running = _ids(found.looks, Status.RUNNING)
    failed = len(_ids(found.looks, Status.FAILED))
    done = f"{workflow.done_steps:,} of {plural(workflow.total_steps, 'step')} done{f', {failed:,} failed' if failed else ''}"
    seen = look(workflow.status)
    if workflow.awaits_trigger:
        return Story(seen, "Submitted, not started", "Nothing of it runs before somebody starts it.", "", (STOP,))
    held = _held(workflow)
    asking = next((step.node_id for step in held if step.waits_for == Step.APPROVAL), "")
    deeds = (*_awaited(held), STOP)
    if not workers:
        return Story(seen, f"Nothing can run: no worker is alive · {done}", NO_WORKER, "Start workers with “make run”.", deeds, asking)
    if running:
        why = " ".join([f"Now: {listed(running)}.", *_elements(held, found), *_paused()])
        return Story(seen, f"Running · {done}", why, "", deeds, asking)
    return Story(seen, f"{seen.word} · {done}", _why_idle(workflow, held, found, now), "", deeds, asking)


def _held(workflow: Workflow) -> list[Step]:
    """Steps that a time, an answer, a worker or a place holds back, those that wait for an answer first: an operator can give it."""
    timed = Q(available_at__isnull=False) | Q(status=Status.WAITING_FOR_DEPENDENCY, remaining=0)
    found = Step.objects.top_level().filter(timed, workflow=workflow).defer("output", "resume", "answer")
    return list(found.order_by(F("waits_for").asc(nulls_last=True), "available_at")[:MOST_HELD])


def _awaited(held: Sequence[Step]) -> tuple[Deed, ...]:
    """Leads to the workflow that one of these waits for."""
    ids = [step.pk for step in held if step.waits_for == Step.WORKFLOW]
    child = Workflow.objects.filter(parent_step__in=ids).only("uid", "name").order_by("-pk").first() if ids else None
    return (Deed("open", f"Open {cut(child.name, MOST_OF_NAME)}", url=reverse("dashboard:workflow", args=[child.uid])),) if child else ()


def _why_idle(workflow: Workflow, held: Sequence[Step], found: Overview, now: datetime) -> str:
    """How far a map is, and what holds its elements up; of anything else what it waits for."""
    elements = _elements(held[:1], found)
    waits_for = waits.of_workflows([workflow], now=now).get(workflow.pk, "")
    if elements and waits_for.startswith(f"{held[0].node_id} waits for"):
        return elements[0]
    sentence = f"It {waits_for}." if waits_for.startswith("waits for") else f"{waits_for}." if waits_for else ""
    return " ".join(filter(None, [*elements, sentence])) or "The next steps are about to start."


def _paused() -> list[str]:
    pause = pausing.current()
    return [f"The queue is paused {pausing.told(pause)}: nothing else starts."] if pause else []


def _elements(held: Sequence[Step], found: Overview) -> list[str]:
    """How far each of these maps is."""
    maps = [step for step in held if step.waits_for == Step.ELEMENTS]
    return [f"{row.id}: {row.bar.words}." for row in step_rows.rows(maps, found.about) if row.bar]


def _ids(looks: Looks, status: Status) -> list[str]:
    return [id for id, (found, _) in looks.items() if found == status]


def _blocked(looks: Mapping[str, tuple[str, Look]]) -> list[str]:
    return [id for id, (status, seen) in looks.items() if status == Status.STOPPED and seen.css == "stopped"]
