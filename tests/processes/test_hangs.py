"""Steps that hang, block or fall silent, and steps that only wait."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.engine import oracle
from tests.processes.conftest import alive, begin, finished
from tests.processes.group import Group, until
from tests.processes.test_kills import has_begun, judge, started
from tests.processes.test_leaving import outcomes
from workflows_app.engine import control
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.models import Step

Workers = Callable[..., Group]
ONCE = RetryPolicy(retries=0)


def test_a_thread_that_never_returns_fails_its_step_and_its_process_is_replaced(workers: Workers, tmp_path: Path) -> None:
    workers()
    workflow = begin(Node("a", "stuck", timeout_seconds=0.5, retry=ONCE), Node("b", "mark", needs=("a",), trigger_rule="all_done"))
    assert finished(workflow).status == "FAILED"
    assert "took longer than its timeout of 0.5 s" in Step.objects.get(node_id="a").error
    assert outcomes("b") == ["completed"]
    stuck = int(started(tmp_path)[0][3])
    until("the stuck process is gone and replaced", lambda: stuck not in {w.pid for w in alive()} and len(alive()) == 2)
    assert finished(begin(*(Node(f"n{n}", "mark") for n in range(10)))).status == "COMPLETED"
    judge(workflow, tmp_path)


def test_a_coroutine_that_blocks_the_loop_fails_and_its_neighbours_run_elsewhere_unpenalised(workers: Workers, tmp_path: Path) -> None:
    workers(WORKER_HEARTBEAT_TIMEOUT="10")
    bad = begin(Node("bad", "block_the_loop", timeout_seconds=0.5, retry=ONCE))
    until("the loop is blocked", lambda: has_begun(tmp_path, "bad"))
    neighbours = begin(*(Node(f"n{n}", "mark_async") for n in range(30)))
    assert finished(bad).status == "FAILED" and "timeout" in Step.objects.get(node_id="bad").error
    assert finished(neighbours).status == "COMPLETED"
    assert not Step.objects.filter(workflow=neighbours, crashes__gt=0).exists()
    assert not Step.objects.filter(workflow=neighbours, failures__gt=0).exists()
    is_replaced(int(started(tmp_path)[0][3]))
    oracle.judge(neighbours)


def test_a_process_whose_loop_stays_blocked_after_a_stop_is_replaced(workers: Workers, tmp_path: Path) -> None:
    """The step is nobody's any more, and no timeout will come to end it."""
    workers(MAX_PARALLEL_NODES="1")
    bad = begin(Node("bad", "block_the_loop"))
    until("the loop is blocked", lambda: has_begun(tmp_path, "bad"))
    control.stop(uid=bad.uid, now=database_now())
    assert finished(begin(Node("n", "mark_async"))).status == "COMPLETED"
    is_replaced(int(started(tmp_path)[0][3]))


def is_replaced(pid: int) -> None:
    until("the process is gone", lambda: pid not in {worker.pid for worker in alive()})


def test_a_hundred_waiting_coroutines_run_side_by_side(workers: Workers, tmp_path: Path) -> None:
    workers()
    workflow = begin(*(Node(f"n{n}", "nap", config={"seconds": 1}) for n in range(100)), Node("z", "mark", needs=("n0", "n99")))
    began = time.monotonic()
    assert finished(workflow).status == "COMPLETED"
    assert time.monotonic() - began < 6
    judge(workflow, tmp_path)


def test_plain_tasks_use_every_process(workers: Workers, tmp_path: Path) -> None:
    """Two that wait for the same gate run at once in two processes: one that claimed both, because its tasks were quick, gives one back."""
    workers()
    finished(begin(*(Node(f"w{n}", "mark") for n in range(200))))
    workflow = begin(Node("a", "hold"), Node("b", "hold"), Node("quick", "mark_async"))
    until("both run", lambda: has_begun(tmp_path, "a", "b"))
    assert len({line[3] for line in started(tmp_path) if line[1] in "ab"}) == 2
    (tmp_path / "gate").touch()
    assert finished(workflow).status == "COMPLETED"
    judge(workflow, tmp_path)


def test_a_worker_stopped_beyond_its_lease_has_its_late_result_refused(workers: Workers, tmp_path: Path) -> None:
    """SIGSTOP: the process lives, so only the lease can tell; SIGCONT: it goes on as if nothing had happened."""
    workers()
    workflow = begin(Node("a", "hold", retry=RetryPolicy(retries=2)), Node("b", "mark", needs=("a",)))
    until("it runs", lambda: has_begun(tmp_path, "a"))
    frozen = int(started(tmp_path)[0][3])
    os.kill(frozen, signal.SIGSTOP)
    until("its step is taken back and runs elsewhere", lambda: ["a", "2"] in [line[1:3] for line in started(tmp_path)])
    (tmp_path / "gate").touch()
    os.kill(frozen, signal.SIGCONT)
    assert finished(workflow).status == "COMPLETED"
    assert outcomes("a") == ["crashed", "completed"] and Step.objects.get(node_id="a").output == 2
    assert "fell silent" in Step.objects.get(node_id="a").log_lines.filter(level="ERROR").get().message
    judge(workflow, tmp_path)


def test_a_step_may_take_longer_than_a_lease(workers: Workers, tmp_path: Path) -> None:
    """Its worker's heartbeat extends the lease, for coroutines and for plain tasks."""
    workers(WORKER_HEARTBEAT_TIMEOUT="0.9")
    workflow = begin(
        Node("a", "nap", config={"seconds": 4}), Node("b", "nap_thread", config={"seconds": 4}), Node("z", "mark", needs=("a", "b"))
    )
    assert finished(workflow).status == "COMPLETED"
    assert outcomes("a") == outcomes("b") == ["completed"]
    judge(workflow, tmp_path)


def test_a_stop_cancels_a_running_coroutine_at_once(workers: Workers, tmp_path: Path) -> None:
    workers(MAX_PARALLEL_NODES="1", MAX_PARALLEL_IO="1")
    workflow = begin(Node("a", "hold_async"), Node("b", "mark", needs=("a",)))
    until("it runs", lambda: has_begun(tmp_path, "a"))
    control.stop(uid=workflow.uid, now=database_now())
    other = begin(Node("c", "mark_async"))
    assert finished(other, seconds=5).status == "COMPLETED", "the slot was not freed"
    assert not has_begun(tmp_path, "b")
    oracle.judge(workflow)


def test_a_due_timer_wakes_an_idle_group(workers: Workers, tmp_path: Path) -> None:
    workers()
    workflow = begin(Node("d", "delay", config={"seconds": 1.5}), Node("z", "mark", needs=("d",)))
    assert finished(workflow, seconds=10).status == "COMPLETED"
    step = Step.objects.get(node_id="d")
    waited = (step.ended_at - step.started_at).total_seconds()
    assert 1.5 <= waited < 3.5
    judge(workflow, tmp_path)
