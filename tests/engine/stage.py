"""A worker in this process whose clock the test moves, so that timers and back-off take no time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from workflows_app.engine import control, definitions, lifecycle, start, worker
from workflows_app.engine.clock import Clock
from workflows_app.engine.loop import Drain
from workflows_app.graph.definition import Definition as Graph
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Attempt, LogLine, Step, Workflow

NEVER = RetryPolicy(retries=0)


def node(id: str, action: str = "echo", *needs: str, **changes: Any) -> Node:
    """A node that is not retried unless the test says so."""
    return Node(id, action, needs=needs, **{"retry": NEVER, **changes})


class PromptDrain(Drain):
    """Does not wait a last time for what cannot come."""

    def _gather(self, *, wait_seconds: float) -> None:
        super()._gather(wait_seconds=wait_seconds if self.running else 0)


class Stage:
    """The clock stands at the real time and is moved to the next timer by `play`."""

    def __init__(self) -> None:
        lifecycle.begin()
        self.worker = worker.current()
        self.worker.look_for_seat()
        self.worker.inputs = type(self.worker.inputs)()
        self.worker.clock = Clock()
        self.worker.clock.set(datetime.now(UTC))
        self.worker.thread.seconds_per_task = 0.02

    @property
    def now(self) -> datetime:
        return self.worker.clock.now()

    def start(self, *nodes: Node, **order: Any) -> Workflow:
        row = definitions.store(definition=Graph(nodes), now=self.now)
        return start.start(order=start.Order(definition=row, **{"name": "A workflow", **order}), now=self.now)

    def drain(self) -> None:
        """One stretch of work: everything that is due and what follows from it."""
        PromptDrain(self.worker).run()

    def play(self, workflow: Workflow, *, rounds: int = 200) -> Workflow:
        """Drain and move the clock from timer to timer until the workflow has ended."""
        for _ in range(rounds):
            self.drain()
            workflow.refresh_from_db()
            if workflow.status in FINAL or not self.to_next_timer():
                return workflow
        raise AssertionError(f"the workflow is still {workflow.status} after {rounds} rounds: {statuses(workflow)}")

    def to_next_timer(self) -> bool:
        """Move the clock on to the next time in a row; whether there is one."""
        upcoming = Step.objects.filter(available_at__isnull=False).order_by("available_at").values_list("available_at", flat=True).first()
        if upcoming is None:
            return False
        self.worker.clock.set(max(self.now, upcoming + timedelta(milliseconds=1)))
        return True

    def run(self, *nodes: Node, **order: Any) -> Workflow:
        return self.play(self.start(*nodes, **order))

    def stop(self, workflow: Workflow) -> Workflow:
        return control.stop(uid=workflow.uid, now=self.now)


def step(workflow: Workflow, id: str) -> Step:
    return Step.objects.get(workflow=workflow, node_id=id)


def statuses(workflow: Workflow) -> dict[str, str]:
    """How each step stands; a skipped one says so."""
    rows = workflow.steps.values_list("node_id", "status", "is_skipped")
    return {id: "SKIPPED" if is_skipped else str(Status(status)) for id, status, is_skipped in rows}


def outcomes(workflow: Workflow, id: str) -> list[str]:
    """What became of the attempts at a step, in order."""
    return list(Attempt.objects.filter(step__workflow=workflow, step__node_id=id).order_by("number").values_list("outcome", flat=True))


def log_of(workflow: Workflow, id: str) -> str:
    return "\n".join(LogLine.objects.filter(step__workflow=workflow, step__node_id=id).values_list("message", flat=True))
