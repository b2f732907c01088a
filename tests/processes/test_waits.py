"""What waits is a row: it outlives every process, and goes on when somebody is there again (CONTRACT.md section 7)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.engine import oracle
from tests.processes.conftest import begin, finished
from tests.processes.group import Group, until
from workflows_app.catalog import events
from workflows_app.engine.answers import answer
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Node
from workflows_app.models import Step, Workflow

Workers = Callable[..., Group]
YES = {"approved": True, "by": "ada", "at": None, "data": {}, "reason": ""}


def waiting(workflow: Workflow) -> Step | None:
    return Step.objects.filter(workflow=workflow, status="WAITING_FOR_DEPENDENCY", claimed_at__isnull=False).first()


def test_a_timer_outlives_all_processes_and_does_not_end_early(workers: Workers, tmp_path: Path) -> None:
    group = workers()
    workflow = begin(Node("nap", "delay", config={"seconds": 1.5}), Node("after", "mark", needs=("nap",)))
    nap = until("the delay has begun", lambda: waiting(workflow))
    group.destroy()
    workers()
    assert finished(workflow).status == "COMPLETED"
    after = Step.objects.get(workflow=workflow, node_id="after")
    assert after.started_at >= nap.available_at, "it ended early"
    oracle.judge(workflow)


def test_an_answer_given_while_nobody_is_there_is_taken_up_later(workers: Workers, tmp_path: Path) -> None:
    group = workers()
    workflow = begin(Node("ask", "approval", config={"message": "May we?"}), Node("after", "mark", needs=("ask",)))
    asked = until("it asks", lambda: waiting(workflow))
    group.destroy()
    assert answer(step_id=asked.pk, attempt=asked.attempt, kind=Step.APPROVAL, answer=YES, now=database_now())
    workers()
    assert finished(workflow).status == "COMPLETED"
    oracle.judge(workflow)


def test_an_event_that_came_while_nobody_was_there_is_taken_up_later(workers: Workers, tmp_path: Path) -> None:
    group = workers()
    workflow = begin(Node("hear", "wait_for_event", config={"correlate": {"path": "order", "value": 7}}))
    until("it listens", lambda: waiting(workflow))
    group.destroy()
    events.receive(payload={"order": 7}, now=database_now())
    workers()
    assert finished(workflow).status == "COMPLETED"
    assert Step.objects.get(workflow=workflow).output["payload"] == {"order": 7}
    oracle.judge(workflow)
