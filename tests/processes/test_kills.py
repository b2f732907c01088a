"""kill -9 of anything at any time: nothing lost, nothing recorded twice, never frozen."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine import oracle
from tests.processes.conftest import alive, begin, finished
from tests.processes.group import Group, until
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.models import Attempt, Step, Workflow

Workers = Callable[..., Group]


def started(place: Path) -> list[list[str]]:
    """Workflow, step, attempt, process and idempotency key of every call that was really made."""
    file = place / "starts"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


def has_begun(place: Path, *steps: str) -> bool:
    return {line[1] for line in started(place)} >= set(steps)


def judge(workflow: Workflow, place: Path) -> None:
    """The oracle, and: the attempts in the rows are those that an append-only file saw."""
    oracle.judge(workflow)
    seen = [(step, int(attempt)) for uid, step, attempt, *_ in started(place) if uid == str(workflow.uid)]
    assert not [twice for twice, count in Counter(seen).items() if count > 1]
    recorded = set(Attempt.objects.filter(step__workflow=workflow).values_list("step__node_id", "number"))
    assert set(seen) <= recorded
    keys = {(step, key) for uid, step, *_, key in started(place) if uid == str(workflow.uid)}
    assert len(keys) == len({step for step, _ in keys})


def test_a_worker_killed_in_the_middle_costs_one_attempt_and_no_step(workers: Workers, tmp_path: Path) -> None:
    group = workers()
    workflow = begin(
        Node("a", "mark"), Node("b", "hold", needs=("a",)), Node("c", "hold_async", needs=("a",)), Node("z", "mark", needs=("b", "c"))
    )
    until("both run", lambda: has_begun(tmp_path, "b", "c"))
    for pid in {int(line[3]) for line in started(tmp_path) if line[1] in "bc"}:
        group.kill(pid)
    until("they were begun again", lambda: [line[1:3] for line in started(tmp_path)].count(["b", "2"]) == 1)
    (tmp_path / "gate").touch()
    assert finished(workflow).status == "COMPLETED"
    assert list(Attempt.objects.filter(step__node_id="b").values_list("outcome", flat=True)) == ["crashed", "completed"]
    assert "The worker process died" in Step.objects.get(node_id="b").log_lines.filter(level="ERROR").get().message
    judge(workflow, tmp_path)


@pytest.mark.parametrize("who", ["pusher", "monitor"])
def test_a_helper_process_that_is_killed_is_replaced(workers: Workers, tmp_path: Path, who: str) -> None:
    group = workers()
    workflow = begin(Node("a", "hold"), Node("b", "mark", needs=("a",)))
    until("it runs", lambda: has_begun(tmp_path, "a"))
    group.kill(getattr(group, who))
    (tmp_path / "gate").touch()
    assert finished(workflow).status == "COMPLETED"
    assert finished(begin(Node("c", "mark"), Node("d", "mark_async", needs=("c",)))).status == "COMPLETED"
    judge(workflow, tmp_path)


def test_a_killed_sentinel_ends_the_group_with_a_failure_and_the_next_start_goes_on(workers: Workers, tmp_path: Path) -> None:
    group = workers()
    workflow = begin(Node("a", "hold"), Node("b", "mark", needs=("a",)))
    until("it runs", lambda: has_begun(tmp_path, "a"))
    group.kill(group.sentinel)
    assert group.ended() not in (0, None)
    (tmp_path / "gate").touch()
    workers()
    assert finished(workflow).status == "COMPLETED"
    judge(workflow, tmp_path)


@pytest.mark.parametrize("who", ["main", "all"])
def test_a_killed_group_leaves_no_orphan_and_the_next_start_goes_on(workers: Workers, tmp_path: Path, who: str) -> None:
    group = workers()
    workflow = begin(Node("a", "hold"), Node("w", "delay", config={"seconds": 0.5}), Node("b", "mark", needs=("a", "w")))
    until("it runs", lambda: has_begun(tmp_path, "a"))
    for pid in [group.main] if who == "main" else group.pids():
        group.kill(pid)
    group.ended()
    (tmp_path / "gate").touch()
    workers()
    assert finished(workflow).status == "COMPLETED"
    assert list(Attempt.objects.filter(step__node_id="a").values_list("outcome", flat=True)) == ["crashed", "completed"]
    judge(workflow, tmp_path)


def test_idle_workers_killed_again_and_again_never_freeze_the_group(workers: Workers, tmp_path: Path) -> None:
    """One of them holds the read end of the queue each time."""
    group = workers()
    for number in range(5):
        victim = alive()[0]
        group.kill(victim.pid)
        workflow = begin(Node("a", "mark"), Node("b", "mark_async", needs=("a",)), name=str(number))
        assert finished(workflow, seconds=10).status == "COMPLETED"
        until("the dead one is replaced", lambda: len(alive()) == 2)
        judge(workflow, tmp_path)


def test_a_storm_of_kills_loses_nothing_and_records_nothing_twice(workers: Workers, tmp_path: Path) -> None:
    """Every 50 starts a random process of the group is killed; a group that ended is started again, as its supervisor would."""
    dice = random.Random(20261121)
    retries = RetryPolicy(retries=20, initial_delay=0)
    layers = [[f"n{layer}x{place}" for place in range(12)] for layer in range(12)]
    nodes = [
        Node(id, "mark" if place % 3 else "mark_async", needs=tuple(layers[layer - 1][place % 4 :: 4]) if layer else (), retry=retries)
        for layer, ids in enumerate(layers)
        for place, id in enumerate(ids)
    ]
    groups = [workers()]
    runs = [begin(*nodes, name=str(number)) for number in range(4)]

    def is_supervised(count: int) -> bool:
        """Start a group that ended anew; whether so many steps began."""
        if groups[-1].process.poll() is not None:
            groups[-1].ended()
            groups.append(workers())
        return len(started(tmp_path)) > count or all_final(runs)

    for kill in range(8):
        until("some more steps began", lambda count=kill * 50: is_supervised(count))
        if pids := groups[-1].pids():
            groups[-1].kill(dice.choice(pids))
    until("all have ended", lambda: is_supervised(10**9), seconds=60)
    for workflow in runs:
        assert finished(workflow).status == "COMPLETED"
        judge(workflow, tmp_path)


def all_final(runs: list[Workflow]) -> bool:
    return not Workflow.objects.filter(pk__in=[run.pk for run in runs]).active().exists()


def test_a_step_that_kills_its_worker_fails_after_exactly_its_attempts(workers: Workers, tmp_path: Path) -> None:
    workers()
    poison = begin(Node("bad", "die", retry=RetryPolicy(retries=2)), Node("below", "mark", needs=("bad",)))
    assert finished(poison).status == "FAILED"
    assert [line[1:3] for line in started(tmp_path)] == [["bad", "1"], ["bad", "2"], ["bad", "3"]]
    step = Step.objects.get(node_id="bad")
    assert (step.status, step.crashes, step.failures) == ("FAILED", 3, 0)
    assert step.error == "The step ended its own process with exit code 9; that happened 3 times, so the step is not tried again"
    assert list(step.attempts.values_list("outcome", flat=True)) == ["crashed"] * 3
    assert finished(begin(Node("a", "mark"))).status == "COMPLETED"
    judge(poison, tmp_path)
