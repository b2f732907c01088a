"""How many at once, over several worker processes: never more than the limit, and as many as it allows (CONTRACT.md section 7)."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine import oracle
from tests.factories import a_definition, a_template
from tests.processes.conftest import begin, finished
from tests.processes.group import Group, until
from tests.processes.test_kills import has_begun, started
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.models import Attempt, Step, Workflow

Workers = Callable[..., Group]
SHORT = {"seconds": 0.05}


def most_at_once(place: Path) -> int:
    """From the stamps that the tasks left. An end and a begin at one time do not overlap."""
    stamps = [line.split() for line in (place / "spans").read_text().splitlines()]
    now = most = 0
    for _, word, _ in sorted(stamps, key=lambda stamp: (float(stamp[0]), stamp[1] == "begin")):
        now += 1 if word == "begin" else -1
        most = max(most, now)
    return most


def spans(count: int, action: str, **changes: object) -> list[Node]:
    return [Node(f"{action}{number}", action, config=SHORT, **changes) for number in range(count)]


def test_plain_tasks_take_a_process_each(workers: Workers, tmp_path: Path) -> None:
    """MAX_PARALLEL_NODES."""
    workers(MAX_PARALLEL_NODES="3")
    assert finished(begin(*spans(24, "span_thread"))).status == "COMPLETED"
    assert most_at_once(tmp_path) == 3


@pytest.mark.parametrize("limit", [2, 7])
def test_waiting_steps_share_the_slots_of_the_host(workers: Workers, tmp_path: Path, limit: int) -> None:
    """MAX_PARALLEL_IO, also where it does not divide by the processes."""
    workers(MAX_PARALLEL_NODES="3", MAX_PARALLEL_IO=str(limit))
    assert finished(begin(*spans(60, "span"))).status == "COMPLETED"
    assert most_at_once(tmp_path) == limit


def test_a_concurrency_key_is_kept_over_processes_workflows_and_kinds_of_step(workers: Workers, tmp_path: Path) -> None:
    workers(MAX_PARALLEL_NODES="3")
    keyed = {"concurrency_key": "warehouse", "concurrency_limit": 2}
    found = [begin(*spans(6, "span", **keyed), *spans(6, "span_thread", **keyed)) for _ in range(3)]
    assert {finished(workflow).status for workflow in found} == {"COMPLETED"}
    assert most_at_once(tmp_path) == 2


def test_a_holder_that_is_killed_gives_its_place_back(workers: Workers, tmp_path: Path) -> None:
    group = workers()
    keyed = {"concurrency_key": "warehouse", "concurrency_limit": 1, "retry": RetryPolicy(retries=3)}
    workflow = begin(Node("first", "hold_async", priority=0, **keyed), Node("second", "mark", **keyed))
    until("the first holds the key", lambda: has_begun(tmp_path, "first"))
    assert not has_begun(tmp_path, "second")
    group.kill(int(started(tmp_path)[0][3]))
    (tmp_path / "gate").touch()
    assert finished(workflow).status == "COMPLETED"
    assert Attempt.objects.filter(step__node_id="first").first().outcome == "crashed"


def test_a_map_keeps_to_its_limit_over_processes(workers: Workers, tmp_path: Path) -> None:
    workers(MAX_PARALLEL_NODES="3")
    body = Node("each", "span_thread", config=SHORT)
    workflow = finished(begin(Node("each", "map", config={"items": list(range(20)), "limit": 2}, body=body)))
    assert workflow.status == "COMPLETED" and most_at_once(tmp_path) == 2
    oracle.judge(workflow)


def test_workers_killed_again_and_again_lose_no_element_of_a_map(workers: Workers, tmp_path: Path) -> None:
    group, draw = workers(MAX_PARALLEL_NODES="3"), random.Random(7)
    body = Node("each", "nap_thread", config={"seconds": 0.03}, retry=RetryPolicy(retries=50, initial_delay=0.05))
    retry = RetryPolicy(retries=50, initial_delay=0.05)
    workflow = begin(Node("each", "map", config={"items": list(range(60)), "limit": 6}, body=body, retry=retry))
    for goal in (5, 15, 30, 45):
        until(f"{goal} elements were begun", lambda goal=goal: len({line[1] for line in started(tmp_path)}) >= goal)
        group.kill(draw.choice(group.children(group.sentinel)[:3]))
    workflow = finished(workflow, seconds=60)
    assert workflow.status == "COMPLETED", workflow.error
    output = Step.objects.get(workflow=workflow, node_id="each").output
    assert output["succeeded"] == 60 and len(output["results"]) == 60
    assert Attempt.objects.filter(step__workflow=workflow, outcome="completed").count() == 61
    oracle.judge(workflow)


def test_a_sub_workflow_and_its_parent_survive_the_death_of_their_workers(workers: Workers, tmp_path: Path) -> None:
    again = RetryPolicy(retries=5, initial_delay=0.05)
    a_template("child", definition=a_definition(Node("c", "hold_async", retry=again)), params_schema={"type": "object"})
    group = workers()
    workflow = begin(Node("call", "sub_workflow", config={"template": "child"}, retry=again), Node("z", "mark", needs=("call",)))
    until("the child runs", lambda: has_begun(tmp_path, "c"))
    for pid in group.children(group.sentinel)[:2]:
        group.kill(pid)
    (tmp_path / "gate").touch()
    assert finished(workflow).status == "COMPLETED"
    child = Workflow.objects.get(parent=workflow)
    oracle.judge(workflow)
    oracle.judge(child)


def test_a_step_that_takes_too_much_memory_fails_and_its_neighbours_do_not(workers: Workers, tmp_path: Path) -> None:
    """WORKER_MEMORY_MB: the step gets a MemoryError before the machine gets into trouble."""
    workers(WORKER_MEMORY_MB="400")
    workflow = begin(
        Node("greedy", "take_memory", config={"megabytes": 2_000}, retry=RetryPolicy(retries=0)),
        Node("modest", "take_memory", config={"megabytes": 20}),
        *(Node(f"n{number}", "nap", config={"seconds": 0.2}) for number in range(5)),
    )
    assert finished(workflow).status == "FAILED"
    found = {step.node_id: step for step in workflow.steps.all()}
    assert found["greedy"].error.startswith("MemoryError") and found["greedy"].crashes == 0
    assert {step.status for id, step in found.items() if id != "greedy"} == {"COMPLETED"}
