"""What the rows know of when each step was ready, ran and waited: the parts of a row of the timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows_app.actions import ACTIONS
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.statuses import ACTIVE, Status
from workflows_app.models import Attempt, Step, Workflow

FIELDS = (
    "id", "node_id", "status", "is_skipped", "attempt", "started_at", "claimed_at", "ended_at", "available_at", "waits_for",
)  # fmt: skip
CSS = {"completed": "completed", "failed": "failed", "retried": "failed", "crashed": "failed", "stopped": "stopped", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class Part:
    """`kind` is `attempt`, `queued` or `pause` (between two attempts: back-off, then the queue)."""

    kind: str
    css: str
    start: datetime
    stop: datetime
    words: str
    is_idle: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """`ready_at` is when what it needs had ended, or the workflow began; None while it is not ready, or where the rows do not tell: it
    was opened again after it had run."""

    step: Step
    node: Node
    ready_at: datetime | None
    parts: tuple[Part, ...]

    @property
    def began_at(self) -> datetime | None:
        return next((part.start for part in self.parts if part.kind == "attempt"), None)

    @property
    def queued_seconds(self) -> float | None:
        return next(((part.stop - part.start).total_seconds() for part in self.parts if part.kind == "queued"), None)


def times_of(workflow: Workflow, definition: Definition, ids: Sequence[str], now: datetime) -> list[Times]:
    """In the order of `ids`, in three queries."""
    steps = {step.node_id: step for step in Step.objects.filter(workflow=workflow, node_id__in=list(ids)).only(*FIELDS)}
    needs = {need for id in ids for need in definition.by_id[id].needs}
    ended = dict(Step.objects.filter(workflow=workflow, node_id__in=list(needs)).values_list("node_id", "ended_at"))
    attempts = _attempts([step.pk for step in steps.values()])
    found = []
    for step in (steps[id] for id in ids if id in steps):
        node = definition.by_id[step.node_id]
        runs = _runs(step, node, attempts.get(step.pk, ()), now)
        ready_at = _ready_at(workflow, node, ended)
        found.append(Times(step, node, ready_at, tuple(_with_waits(step, ready_at, runs, now))))
    return found


def _attempts(keys: Sequence[int]) -> Mapping[int, list[Attempt]]:
    found: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(step_id__in=keys).order_by("step_id", "number"):
        found[attempt.step_id].append(attempt)
    return found


def _ready_at(workflow: Workflow, node: Node, ended: Mapping[str, datetime | None]) -> datetime | None:
    """When the last of what it needs had ended; the first, where one success is enough."""
    if not node.needs:
        return workflow.started_at
    moments = [moment for moment in (ended.get(need) for need in node.needs) if moment is not None]
    if node.trigger_rule == "one_success":
        return min(moments, default=None)
    return max(moments) if len(moments) == len(node.needs) else None


def _runs(step: Step, node: Node, attempts: Sequence[Attempt], now: datetime) -> list[Part]:
    """Every attempt, the one that goes on too; where no attempt was kept, the step's own times."""
    is_idle = node.body is not None or (node.action in ACTIONS and ACTIONS[node.action].waits) or node.action == "delay"
    found = [
        Part("attempt", CSS.get(a.outcome, "pending"), a.started_at, a.ended_at, f"attempt {a.number}: {a.outcome}", is_idle)
        for a in attempts
    ]
    began = step.claimed_at or step.started_at
    if began and step.attempt and step.status == Status.RUNNING:
        return [*found, Part("attempt", "running", began, max(began, now), f"attempt {step.attempt}: runs")]
    if began and step.attempt and step.status == Status.WAITING_FOR_DEPENDENCY:
        return [*found, Part("attempt", "waiting", began, max(began, now), f"attempt {step.attempt}: waits", is_idle=True)]
    if not found and step.started_at and step.ended_at and step.attempt:
        css = "skipped" if step.is_skipped else step.status.lower()
        return [Part("attempt", css, step.started_at, step.ended_at, step.status.lower(), is_idle)]
    return found


def _ended(attempt: Attempt, *, is_idle: bool) -> Part:
    words = f"attempt {attempt.number}: {attempt.outcome}"
    return Part("attempt", CSS.get(attempt.outcome, "pending"), attempt.started_at, attempt.ended_at, words, is_idle)


def _with_waits(step: Step, ready_at: datetime | None, runs: Sequence[Part], now: datetime) -> list[Part]:
    """The time in the queue before the first attempt, and the pauses between attempts."""
    first = runs[0].start if runs else now if step.status in ACTIVE and step.status != Status.WAITING_FOR_DEPENDENCY else None
    found = [Part("queued", "queued", ready_at, first, "queued")] if ready_at and first and ready_at < first else []
    for i, run in enumerate(runs):
        found += (
            [Part("pause", "pause", runs[i - 1].stop, run.start, "back-off, then the queue")] if i and runs[i - 1].stop < run.start else []
        )
        found.append(run)
    if runs and step.status == Status.PENDING and runs[-1].stop < now:
        found.append(Part("pause", "pause", runs[-1].stop, now, "back-off before the next attempt"))
    return found
