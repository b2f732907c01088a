"""SIGTERM: claim nothing more, let running steps finish for a while, hand the rest back, leave nothing behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine import oracle
from tests.processes.conftest import begin, finished
from tests.processes.group import Group, until
from tests.processes.test_kills import has_begun
from workflows_app.graph.definition import Node
from workflows_app.models import Attempt, Step

Workers = Callable[..., Group]
GRACE = 2.0


def outcomes(id: str) -> list[str]:
    return list(Attempt.objects.filter(step__node_id=id).order_by("number").values_list("outcome", flat=True))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_group_leaves_at_once(workers: Workers, number: signal.Signals) -> None:
    group = workers()
    began = time.monotonic()
    group.process.send_signal(number)
    assert group.ended() == 0
    assert time.monotonic() - began < GRACE + 2


def test_what_runs_may_finish_and_what_takes_too_long_is_handed_back_unpenalised(workers: Workers, tmp_path: Path) -> None:
    group = workers(MAX_PARALLEL_NODES="3")
    workflow = begin(
        *(Node(f"q{number}", "nap", config={"seconds": 1}) for number in range(5)),
        *(Node(f"t{number}", "hold") for number in range(2)),
        *(Node(f"s{number}", "hold_async") for number in range(5)),
        *(Node(f"after{number}", "mark", needs=(f"q{number}",)) for number in range(5)),
    )
    slow = ["t0", "t1", *(f"s{number}" for number in range(5))]
    until("all run", lambda: has_begun(tmp_path, *slow, "q0"))
    began = time.monotonic()
    group.process.send_signal(signal.SIGTERM)
    assert group.ended() == 0, group.said()
    assert time.monotonic() - began < GRACE + 5
    assert not Step.objects.running().exists()
    assert [outcomes(id) for id in slow] == [["released"]] * len(slow)
    assert {outcomes(f"q{number}")[0] for number in range(5)} == {"completed"}
    assert not Attempt.objects.filter(step__node_id__startswith="after").exists(), "something was claimed while leaving"
    (tmp_path / "gate").touch()
    workers()
    assert finished(workflow).status == "COMPLETED"
    assert all(outcomes(id) == ["released", "completed"] for id in slow)
    assert not Step.objects.filter(failures__gt=0).exists() and not Step.objects.filter(crashes__gt=0).exists()
    oracle.judge(workflow)


def test_a_group_under_load_leaves_in_time_again_and_again_and_loses_nothing(workers: Workers, tmp_path: Path) -> None:
    retries = 4
    chain = [Node(f"c{n}", "mark" if n % 2 else "mark_async", needs=(f"c{n - 1}",) if n else ()) for n in range(150)]
    runs = [begin(*chain, name=str(number)) for number in range(8)]
    for _ in range(retries):
        group = workers()
        until("it works", lambda: Step.objects.running().exists() or not Step.objects.filter(ended_at=None).exists())
        began = time.monotonic()
        group.process.send_signal(signal.SIGTERM)
        assert group.ended() == 0, group.said()
        assert time.monotonic() - began < GRACE + 5
        assert not Step.objects.running().exists()
    workers()
    for workflow in runs:
        assert finished(workflow).status == "COMPLETED"
        oracle.judge(workflow)
    assert not Attempt.objects.filter(outcome__in=["crashed", "failed"]).exists()


def test_a_task_that_never_ends_does_not_keep_a_leaving_group(workers: Workers, tmp_path: Path) -> None:
    group = workers()
    begin(Node("a", "stuck"))
    until("it runs", lambda: has_begun(tmp_path, "a"))
    began = time.monotonic()
    group.process.send_signal(signal.SIGTERM)
    assert group.ended() == 0, group.said()
    assert time.monotonic() - began < GRACE + 5
    assert outcomes("a") == ["released"]
