"""MAX_CONCURRENT_WORKFLOWS: one over the limit waits for a place, the oldest first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.engine import oracle
from tests.engine.stage import Stage, node, statuses
from workflows_app.engine import admission, control, report
from workflows_app.models import Workflow


@pytest.fixture(autouse=True)
def _a_limit_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "max_concurrent_workflows", 1)


@pytest.fixture
def three(stage: Stage) -> Iterator[list[Workflow]]:
    yield [stage.start(node("a"), node("b", "echo", "a"), name=f"number {number}") for number in range(3)]


def _now(workflows: list[Workflow]) -> list[str]:
    return [Workflow.objects.get(pk=workflow.pk).status for workflow in workflows]


def test_the_first_may_start_and_the_others_wait(three: list[Workflow]) -> None:
    assert _now(three) == ["PENDING", "WAITING_FOR_DEPENDENCY", "WAITING_FOR_DEPENDENCY"]
    assert statuses(three[1]) == {"a": "WAITING_FOR_DEPENDENCY", "b": "WAITING_FOR_DEPENDENCY"}


def test_a_held_workflow_says_what_it_waits_for(three: list[Workflow]) -> None:
    (reason,) = report.step(three[1].uid, "a")["waitingFor"]
    assert reason["kind"] == "limit" and "MAX_CONCURRENT_WORKFLOWS" in reason["text"]


def test_all_of_them_run_one_after_the_other(stage: Stage, three: list[Workflow]) -> None:
    for workflow in three:
        assert stage.play(workflow).status == "COMPLETED"
        oracle.judge(workflow)
    ended = [Workflow.objects.get(pk=workflow.pk) for workflow in three]
    assert all(earlier.ended_at <= later.started_at for earlier, later in itertools.pairwise(ended))


def test_a_stop_makes_room_for_the_next(stage: Stage, three: list[Workflow]) -> None:
    stage.stop(three[0])
    assert _now(three) == ["STOPPED", "PENDING", "WAITING_FOR_DEPENDENCY"]


def test_a_held_workflow_can_be_stopped_and_does_not_start_later(stage: Stage, three: list[Workflow]) -> None:
    stage.stop(three[1])
    stage.play(three[0])
    stage.play(three[2])
    assert _now(three) == ["COMPLETED", "STOPPED", "COMPLETED"]


def test_a_stopped_one_that_is_resumed_runs_beside_the_others(stage: Stage, three: list[Workflow]) -> None:
    stage.stop(three[1])
    control.resume(uid=three[1].uid, now=stage.now)
    assert stage.play(three[1]).status == "COMPLETED"


def test_many_started_at_once_keep_to_the_limit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "max_concurrent_workflows", 2)
    workflows = [stage.start(node("a", "nap", config={"seconds": 1})) for _ in range(5)]
    assert _now(workflows).count("PENDING") == 2


def test_without_a_limit_the_held_ones_are_let_in(three: list[Workflow], stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "max_concurrent_workflows", 0)
    assert admission.admit(now=stage.now) == 2
    assert _now(three) == ["PENDING"] * 3
    assert admission.admit(now=stage.now) == 0
