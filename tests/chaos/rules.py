"""What must be true after every operation, whatever it was and however it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.chaos.audit import Change
from tests.chaos.virtual import holders
from tests.engine.stage import Stage
from tests.engine.test_random_parts import recount
from workflows_app.graph.statuses import FINAL
from workflows_app.models import Attempt, Repair, Step, Workflow

MOVES = {
    ("WAITING_FOR_DEPENDENCY", "PENDING"): "ready",
    ("WAITING_FOR_DEPENDENCY", "RUNNING"): "woken",
    ("WAITING_FOR_DEPENDENCY", "STOPPED"): "ruled out or stopped",
    ("PENDING", "RUNNING"): "claimed",
    ("PENDING", "STOPPED"): "stopped",
    ("RUNNING", "PENDING"): "tried again or handed back",
    ("RUNNING", "WAITING_FOR_DEPENDENCY"): "waits",
    ("RUNNING", "COMPLETED"): "ended",
    ("RUNNING", "FAILED"): "ended",
    ("RUNNING", "STOPPED"): "skipped or stopped",
}
WORKFLOW_MOVES = {
    ("PENDING", "WAITING_FOR_DEPENDENCY"),
    ("WAITING_FOR_DEPENDENCY", "PENDING"),
    *((was, became) for was in ("PENDING", "WAITING_FOR_DEPENDENCY") for became in ("RUNNING", "STOPPED")),
    *(("RUNNING", became) for became in FINAL),
}


def broken(changes: Iterable[Change], *, reopens: bool, stage_now: Stage) -> list[str]:
    """Every rule that these changes and the rows as they are now break. `reopens`: the operation may open what was final."""
    found = list(changes)
    if not found:
        return []
    steps = [change for change in found if change.kind == "step"]
    workflows = [change for change in found if change.kind == "workflow"]
    return [
        *(problem for change in steps for problem in _of_step(change, reopens)),
        *(problem for change in workflows for problem in _of_workflow(change, reopens)),
        *_recounted({change.workflow_id for change in found}),
        *_attempts({change.row_id for change in steps}),
        *_keys(stage_now),
        *(f"the invariant sweep had to mend: {repair}" for repair in Repair.objects.all()),
    ]


def _of_step(change: Change, reopens: bool) -> Iterator[str]:
    move = (change.was, change.became)
    is_known = move in MOVES or change.was == change.became
    is_opened = (
        change.was in FINAL and (reopens or change.parent_id is not None) and change.became not in ("RUNNING", "COMPLETED", "FAILED")
    )
    if not (is_known or is_opened):
        yield f"step {change.row_id} went from {change.was} to {change.became}"
    gained = change.attempt - change.attempt_was
    allowed = {("PENDING", "RUNNING"): (1,), ("RUNNING", "PENDING"): (0, -1)}.get(move, (0,))
    if gained not in allowed:
        yield f"step {change.row_id} gained {gained} attempts from {change.was} to {change.became}"


def _of_workflow(change: Change, reopens: bool) -> Iterator[str]:
    move = (change.was, change.became)
    is_opened = reopens and change.was in FINAL and change.became in ("PENDING", "RUNNING")
    if change.was != change.became and move not in WORKFLOW_MOVES and not is_opened:
        yield f"workflow {change.row_id} went from {change.was} to {change.became}"
    if change.seq < change.seq_was:
        yield f"seq of workflow {change.row_id} fell from {change.seq_was} to {change.seq}"


def _recounted(workflow_ids: set[int]) -> Iterator[str]:
    for workflow in Workflow.objects.filter(pk__in=workflow_ids):
        try:
            recount(workflow)
        except AssertionError as error:
            yield f"workflow {workflow.pk}: {error}"


def _attempts(step_ids: set[int]) -> Iterator[str]:
    """No attempt is recorded that nobody claimed; the database itself refuses two records of one."""
    counted = Counter(Attempt.objects.filter(step__in=step_ids).values_list("step_id", flat=True))
    for step in Step.objects.filter(pk__in=step_ids):
        is_open = step.status in ("RUNNING",) or (step.claimed_at is not None and step.status == "WAITING_FOR_DEPENDENCY")
        most = step.attempt - 1 if is_open else step.attempt
        if counted[step.pk] > most:
            yield f"{step.node_id} ({step.status}) was claimed {step.attempt} times and has {counted[step.pk]} attempts recorded"


def _keys(stage_now: Stage) -> Iterator[str]:
    for key in "kl":
        limits = holders(key, now=stage_now.now)
        if len(limits) > max(limits, default=0):
            yield f"{len(limits)} steps hold the key {key!r}, which allows {max(limits)}"
