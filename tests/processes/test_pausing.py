"""`manage.py queue pause` with real workers: nothing starts until it is resumed, and then everything does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.engine import oracle
from tests.processes.conftest import begin, finished
from tests.processes.group import Group, cpu_seconds, until
from tests.processes.test_draining import manage
from tests.processes.test_kills import has_begun, started
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Node
from workflows_app.models import Step

Workers = Callable[..., Group]


def test_nothing_starts_while_the_queue_is_paused_and_everything_after(workers: Workers, tmp_path: Path) -> None:
    group = workers()
    first = begin(Node("a", "hold"), Node("b", "mark", needs=("a",)))
    until("it runs", lambda: has_begun(tmp_path, "a"))
    said = manage("queue", "pause", "--reason", "a test")
    assert said.returncode == 0, said.stderr
    (tmp_path / "gate").touch()
    until("what ran has ended", lambda: Step.objects.get(workflow=first, node_id="a").status == "COMPLETED")
    nodes = [Node(f"p{number}", "mark" if number % 2 else "mark_async") for number in range(20)]
    nodes += [Node(f"k{number}", "mark_async", concurrency_key="door", concurrency_limit=2) for number in range(4)]
    nodes += [Node("nap", "delay", config={"seconds": 0.2})]
    workflow, used, began = begin(*nodes), cpu_seconds(group.pids()), database_now()
    until("it has been paused for longer than any look", lambda: (database_now() - began).total_seconds() > 3)
    assert [line[1] for line in started(tmp_path)] == ["a"]
    assert not Step.objects.running().exists() and Step.objects.due(database_now()).count() == 26
    assert cpu_seconds(group.pids()) - used < 1.5, "nobody spins on what may not be taken"
    assert manage("queue", "resume").returncode == 0
    assert finished(workflow).status == finished(first).status == "COMPLETED"
    assert len(started(tmp_path)) == 26
    oracle.judge(workflow)


def test_a_pause_outlives_the_workers(workers: Workers, tmp_path: Path) -> None:
    group = workers()
    assert manage("queue", "pause").returncode == 0
    group.destroy()
    workflow = begin(Node("a", "mark"))
    workers()
    began = database_now()
    until("a new group has looked", lambda: (database_now() - began).total_seconds() > 1.5)
    assert not started(tmp_path)
    assert manage("queue", "resume").returncode == 0
    assert finished(workflow).status == "COMPLETED"
