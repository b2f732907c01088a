"""What must be true of every workflow, whatever happened to it. One function judges all runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.engine.stage import PromptDrain
from workflows_app.graph.definition import Definition as Graph
from workflows_app.graph.definition import Node
from workflows_app.graph.progress import progress
from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models import Attempt, Step, Workflow

IN_HISTORY = {"completed", "skipped", "failed", "retried", "crashed", "stopped", "released"}


def judge(workflow: Workflow, *, retries_from: int = 0) -> None:
    """Raise AssertionError with every rule that this workflow breaks. Each retry from a step may complete steps once more."""
    workflow.refresh_from_db()
    broken = list(_violations(workflow, 1 + retries_from))
    assert not broken, "\n".join(broken)


def recount(workflow: Workflow) -> None:
    """The counters say what the steps are. True after every commit, not only at the end."""
    workflow.refresh_from_db()
    broken = list(_counters(workflow, workflow.definition.compiled(), list(workflow.steps.top_level())))
    assert not broken, "\n".join(broken)


def _violations(workflow: Workflow, completions: int) -> Iterator[str]:
    graph, steps = workflow.definition.compiled(), {step.node_id: step for step in workflow.steps.top_level()}
    yield from _counters(workflow, graph, list(steps.values()))
    if workflow.status in FINAL:
        yield from (f"{id} is {step.status} in a {workflow.status} workflow" for id, step in steps.items() if step.status in ACTIVE)
    if (progress(done=workflow.done_steps, total=workflow.total_steps) == 100) != (workflow.status == Status.COMPLETED):
        yield f"{workflow.done_steps} of {workflow.total_steps} steps are done and the workflow is {workflow.status}"
    attempts = _attempts(workflow)
    for node in graph.nodes:
        yield from _history(steps[node.id], attempts[steps[node.id].pk], completions)
        yield from _order(node, steps)
    for element in workflow.steps.filter(parent__isnull=False).select_related("parent"):
        yield from _element(element, attempts[element.pk], completions)


def _attempts(workflow: Workflow) -> defaultdict[int, list[Attempt]]:
    """By step, in one query: workflows of thousands of steps are judged, too."""
    found: defaultdict[int, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(step__workflow=workflow):
        found[attempt.step_id].append(attempt)
    return found


def _element(element: Step, attempts: list[Attempt], completions: int) -> Iterator[str]:
    """An element of a map: the same history as any step, and it does not outlive its map."""
    yield from _history(element, attempts, completions)
    if element.parent and element.parent.status in FINAL and element.status in ACTIVE:
        yield f"{element.node_id} is {element.status} and its map {element.parent.status}"


def _counters(workflow: Workflow, graph: Graph, steps: list[Step]) -> Iterator[str]:
    failed = [step for step in steps if step.status == Status.FAILED]
    forgiven = [step for step in failed if graph.by_id[step.node_id].on_failure == "continue"]
    counted = {
        "total_steps": len(steps),
        "done_steps": sum(step.status == Status.COMPLETED or step.is_skipped for step in steps) + len(forgiven),
        "failed_steps": len(failed),
        "active_steps": sum(_is_active(step) for step in steps),
    }
    for name, number in counted.items():
        if getattr(workflow, name) != number:
            yield f"{name} is {getattr(workflow, name)}, counted {number}"


def _is_active(step: Step) -> bool:
    is_mid_attempt = step.status == Status.WAITING_FOR_DEPENDENCY and step.claimed_at is not None
    return step.status in (Status.PENDING, Status.RUNNING) or is_mid_attempt


def _history(step: Step, attempts: list[Attempt], completions: int) -> Iterator[str]:
    said = Counter(attempt.outcome for attempt in attempts)
    numbers = sorted(attempt.number for attempt in attempts)
    if step.status == Status.COMPLETED and not 1 <= said["completed"] <= completions:
        yield f"{step.node_id} is COMPLETED with {said['completed']} completed attempts"
    if step.status in FINAL and numbers != list(range(1, step.attempt + 1)):
        yield f"{step.node_id} was claimed {step.attempt} times, its history has {numbers}"
    if set(said) - IN_HISTORY:
        yield f"{step.node_id} has outcomes {set(said)}"
    if step.status == Status.FAILED and not step.error:
        yield f"{step.node_id} FAILED without a reason"


def _order(node: Node, steps: dict[str, Step]) -> Iterator[str]:
    step = steps[node.id]
    if step.started_at is None:
        return
    ends = [steps[need].ended_at for need in node.needs]
    needed = min(ends, default=None) if node.trigger_rule == "one_success" else max(ends, default=None)
    if needed and step.started_at < needed:
        yield f"{node.id} started at {step.started_at}, before {needed}"


class JudgedDrain(PromptDrain):
    """Recounts every workflow after every commit, and sees that progress and `seq` only rise."""

    def __init__(self, worker) -> None:  # type: ignore[no-untyped-def]
        super().__init__(worker)
        self.seen: dict[int, tuple[int, int]] = {}
        self.commits = 0

    def _commit(self, *, is_again: bool):  # type: ignore[no-untyped-def]
        claims = super()._commit(is_again=is_again)
        self.commits += 1
        for workflow in Workflow.objects.all():
            recount(workflow)
            done, seq = self.seen.get(workflow.pk, (0, 0))
            assert workflow.done_steps >= done and workflow.seq >= seq, "progress or seq went back"
            self.seen[workflow.pk] = workflow.done_steps, workflow.seq
        return claims
