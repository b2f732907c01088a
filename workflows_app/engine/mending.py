"""Mend a workflow whose rows contradict its definition: wake-ups that were lost, counters that drifted, ends that nobody noticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Count, Q

from workflows_app.engine import endings, reopen, stopping
from workflows_app.engine.commit import Ended, apply
from workflows_app.engine.definitions import compiled, is_readable
from workflows_app.engine.fan_in import Delta
from workflows_app.engine.locking import under_lock, update
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.graph.definition import Definition
from workflows_app.graph.statuses import Status
from workflows_app.models import LogLine, Repair, Step, Workflow

MOST_LEFTOVERS = 500
LEFT_OVER = "the workflow had ended"
CLAIMABLE = Q(available_at__isnull=False)
PLACES = (  # each is what a partial index of steps holds: said together they would be looked for among all steps there ever were
    CLAIMABLE & Q(concurrency_key__isnull=True), CLAIMABLE & Q(concurrency_key__isnull=False),
    Q(lease_expires_at__isnull=False), Q(waits_for__isnull=False),
)  # fmt: skip
HOLDS_A_PLACE = reduce(or_, PLACES)


def quiet(since: datetime, *, after: int, most: int) -> Iterator[tuple[int, int, int]]:
    """Id, `seq` and number of steps of active workflows that nothing happened in since then, in the order of ids."""
    rows = Workflow.objects.active().filter(id__gt=after, updated_at__lt=since, awaits_trigger=False)
    rows = rows.exclude(status=Status.WAITING_FOR_DEPENDENCY).order_by("id")
    return rows.values_list("id", "seq", "total_steps")[:most].iterator()


def examine(id: int, *, now: datetime) -> list[Repair]:
    """Look without a lock; what seems wrong is looked at again under it, and mended. What was. What only another release can read
    is left to that one."""
    workflow = Workflow.objects.active().filter(pk=id).first()
    if workflow is None or not is_readable(workflow.definition_id) or not _Judgement(workflow, now).is_wrong:
        return []
    with write():
        workflow = under_lock(Workflow.objects.active().filter(pk=id)).first()
        judgement = _Judgement(workflow, now) if workflow else None
        if judgement is None or not judgement.is_wrong:
            return []
        repairs, ended = judgement.mend()
    endings.after_end(ended, now=now)
    return repairs


def end_leftover_steps(*, now: datetime) -> list[Repair]:
    """Steps that could still run although their workflow has ended: they are stopped, and their late results refused."""
    left = Step.objects.filter(workflow__ended_at__isnull=False).order_by().values_list("workflow_id", flat=True)
    found = left.none().union(*(left.filter(place) for place in PLACES))[:MOST_LEFTOVERS]
    repairs = []
    for workflow_id in sorted(found):
        with write():
            workflow = under_lock(Workflow.objects.final().filter(pk=workflow_id)).first()
            count = _stop_leftovers(workflow, now) if workflow else 0
        if workflow and count:
            repairs.append(Repair(at=now, kind="step_of_ended_workflow", workflow=workflow, detail=f"{workflow}: {count} steps were left"))
    return repairs


def _stop_leftovers(workflow: Workflow, now: datetime) -> int:
    count = workflow.steps.filter(HOLDS_A_PLACE).count()
    if count:
        stopping.end_steps(Session(), [workflow.pk], now=now, reason=LEFT_OVER, line=f"Stopped: {LEFT_OVER}")
    return count


@dataclass(frozen=True)
class _Kept:
    """What is compared of a step that has not begun."""

    status: str
    remaining: int
    succeeded: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        needs = f"{self.remaining} needs open, {self.succeeded} succeeded, {self.failed} failed, {self.skipped} skipped"
        return f"{Status(self.status)} ({needs})"


class _Judgement:
    """One workflow as its rows are, beside what they should be. Made twice: without the lock, and under it."""

    def __init__(self, workflow: Workflow, now: datetime) -> None:
        self.workflow, self.now = workflow, now
        self.definition: Definition = compiled(workflow.definition_id)
        rows = workflow.steps.top_level().defer("output", "resume", "answer", "element")
        self.steps = {step.node_id: step for step in rows}
        self.misplaced = self._misplaced()
        self.forgotten = [step for step in self.steps.values() if _is_forgotten(step)]
        self.maps = self._maps()

    @property
    def is_wrong(self) -> bool:
        return bool(self.misplaced or self.forgotten or self.maps or self._drift() or not self.workflow.active_steps)

    def mend(self) -> tuple[list[Repair], list[Ended]]:
        """Write what should be, under the lock. What was wrong, and the workflow when that has ended it."""
        repairs = list(self._repairs())
        session = Session()
        if self.misplaced:
            session.run(session.statements.reopen, batch=[reopen.row(step) for step in self.misplaced.values()], now=self.now)
            self.steps |= self.misplaced
        for step in self.forgotten:
            Step.objects.filter(pk=step.pk, attempt=step.attempt, status=step.status).update(available_at=self.now)
            self._say(step, "Nothing would have woken this step: it goes on now")
        for step in self.maps:
            session.run(session.statements.open_elements, batch=[{"key": step.pk}], now=self.now)
            session.run(session.statements.release_elements, parent=step.pk, most=1, now=self.now)
        update(self.workflow, self.now, **reopen.counters(self.definition, self.steps))
        return repairs, apply(session, {self.workflow.pk: Delta()}, now=self.now)

    def _misplaced(self) -> dict[str, Step]:
        """Steps that have not begun and do not stand where their dependencies leave them, as they should be."""
        placed, wrong = dict(self.steps), {}
        for node in reopen.in_order(self.definition):
            step = self.steps[node.id]
            if not _is_unbegun(step):
                continue
            placed[node.id] = copy(step)
            reopen.place(placed[node.id], node, self.definition, placed, self.now)
            if _kept(placed[node.id]) != _kept(step):
                wrong[node.id] = placed[node.id]
        return wrong

    def _maps(self) -> list[Step]:
        """Maps whose count of open elements is not what their elements say, or whose elements all wait for their turn."""
        waiting = [step for step in self.steps.values() if step.waits_for == Step.ELEMENTS]
        rows = Step.objects.filter(parent_id__in=[step.pk for step in waiting], ended_at__isnull=True).values_list("parent_id")
        counts = rows.annotate(open=Count("pk"), turns=Count("pk", filter=Q(waits_for=Step.TURN))) if waiting else ()
        held = {id: (count, turns) for id, count, turns in counts}
        return [step for step in waiting if _is_miscounted(step, *held.get(step.pk, (0, 0)), self.now)]

    def _drift(self) -> Mapping[str, int]:
        should = reopen.counters(self.definition, self.steps)
        return {name: number for name, number in should.items() if getattr(self.workflow, name) != number}

    def _repairs(self) -> Iterator[Repair]:
        for id, step in self.misplaced.items():
            before, after = _kept(self.steps[id]), _kept(step)
            yield self._repair("lost_wake_up", f"{id} was {before}; it should be {after}")
        for step in self.forgotten:
            yield self._repair("lost_wake_up", f"{step.node_id} waited for nobody")
        for step in self.maps:
            yield self._repair("elements", f"{step.node_id} counted {step.open_elements} open elements")
        if self.misplaced or self.forgotten:
            return  # then the counters are wrong for that reason
        if drift := self._drift():
            yield self._repair("counters", f"the counters should be {drift}")
        elif not self.workflow.active_steps:
            yield self._repair("stalled_workflow", "no step was active and it had not ended")

    def _repair(self, kind: str, what: str) -> Repair:
        return Repair(at=self.now, kind=kind, workflow=self.workflow, detail=f"{self.workflow}: {what}")

    def _say(self, step: Step, message: str) -> None:
        LogLine.objects.create(step=step, attempt=step.attempt, at=self.now, level="WARNING", message=message)


def _is_miscounted(step: Step, count: int, turns: int, now: datetime) -> bool:
    is_going_on = step.available_at is not None and step.available_at <= now
    return not is_going_on and (step.open_elements != count or turns == count)


def _is_unbegun(step: Step) -> bool:
    return step.status == Status.WAITING_FOR_DEPENDENCY and step.claimed_at is None and step.waits_for is None


def _is_forgotten(step: Step) -> bool:
    """In the middle of an attempt, and neither a time nor anybody's answer would let it go on."""
    is_waiting = step.status == Status.WAITING_FOR_DEPENDENCY and step.claimed_at is not None
    return is_waiting and step.waits_for is None and step.available_at is None


def _kept(step: Step) -> _Kept:
    return _Kept(step.status, step.remaining, step.succeeded_needs, step.failed_needs, step.skipped_needs)
