"""Many stopped at once end as each would that is stopped alone."""

from __future__ import annotations

import pytest

from tests.engine import oracle
from tests.engine.stage import Stage, log_of, node, outcomes, statuses
from tests.engine.test_sub_workflows import calling, child_template
from workflows_app.engine import doorbell, stop_many
from workflows_app.graph.definition import Node
from workflows_app.models import Step, Workflow


def stop_all(stage: Stage, **filters: str | int) -> int:
    return stop_many.stop_many(workflows=Workflow.objects.filter(**filters), now=stage.now)


def test_all_that_match_are_stopped_in_batches_and_the_others_go_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_many, "BATCH", 3)
    wanted = [stage.start(node("a"), node("b", "echo", "a"), name="these") for _ in range(8)]
    other = stage.start(node("a"), name="other")
    assert stop_all(stage, name="these") == 8
    assert stop_all(stage, name="these") == 0
    assert stage.play(other).status == "COMPLETED"
    for workflow in wanted:
        assert statuses(workflow) == {"a": "STOPPED", "b": "STOPPED"}
        oracle.judge(workflow)
        assert (workflow.status, workflow.active_steps, workflow.seq) == ("STOPPED", 0, 2)


def test_what_was_in_the_middle_has_it_in_its_history(stage: Stage) -> None:
    workflow = stage.start(node("wait", "delay", config={"seconds": 60}), node("b", "echo", "wait"))
    stage.drain()
    assert stop_all(stage) == 1
    assert outcomes(workflow, "wait") == ["stopped"] and "Stopped by an operator" in log_of(workflow, "wait")
    assert outcomes(workflow, "b") == [] and log_of(workflow, "b") == ""
    oracle.judge(workflow)


def test_elements_of_a_map_are_stopped_with_it(stage: Stage) -> None:
    each = Node("each", "delay", config={"seconds": 60})
    workflow = stage.start(node("each", "map", config={"items": [1, 2, 3], "limit": 2}, body=each))
    stage.drain()
    assert stop_all(stage) == 1
    assert set(Step.objects.filter(workflow=workflow).values_list("status", flat=True)) == {"STOPPED"}
    assert outcomes(workflow, "each[0]") == ["stopped"] and outcomes(workflow, "each[2]") == []
    oracle.judge(workflow)


def test_places_that_become_free_go_to_those_that_were_not_stopped(stage: Stage, settings, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    settings.ENV = settings.ENV.model_copy(update={"max_concurrent_workflows": 1})
    monkeypatch.setattr(stop_many, "BATCH", 1)
    for name in ("these", "these", "other", "these"):
        stage.start(node("a"), name=name)
    assert stop_all(stage, name="these") == 3
    assert list(Workflow.objects.filter(started_at=None, name="these").values_list("seq", flat=True)) == [2, 2, 2]
    assert Workflow.objects.get(name="other").status == "PENDING"


def test_the_workers_are_told_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    for _ in range(5):
        stage.start(node("a"))
    monkeypatch.setattr(doorbell, "ring", rung.append)
    monkeypatch.setattr(stop_many, "BATCH", 2)
    assert stop_all(stage) == 5
    assert rung == ["stop"]


def test_sub_workflows_are_stopped_with_them_level_by_level(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_many, "BATCH", 2)
    child_template(node("long", "delay", config={"seconds": 60}), slug="inner")
    child_template(calling("inner"), slug="middle")
    outer = [stage.start(calling("middle"), name="outer") for _ in range(3)]
    stage.drain()
    assert Workflow.objects.active().count() == 9
    assert stop_all(stage, name="outer") == 3
    assert not Workflow.objects.active().exists()
    for workflow in [*outer, *Workflow.objects.filter(depth__gt=0)]:
        assert workflow.refresh_from_db() is None and workflow.status == "STOPPED"
        oracle.judge(workflow)


def test_who_waited_for_one_that_was_stopped_goes_on(stage: Stage) -> None:
    child_template(node("long", "delay", config={"seconds": 60}))
    whole = stage.start(calling())
    stage.drain()
    assert stop_all(stage, depth=1) == 1
    assert stage.play(whole).status == "FAILED"
    oracle.judge(whole)
