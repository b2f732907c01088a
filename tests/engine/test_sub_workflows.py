"""Sub-workflows: linked both ways, failure and stop pass through, the depth is limited (CONTRACT.md section 7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from tests.engine import tasks
from tests.engine.oracle import judge
from tests.engine.stage import NEVER, Stage, log_of, node, outcomes, statuses, step
from tests.factories import a_definition, a_template
from workflows_app.engine import control, endings, recovery, sub_workflows
from workflows_app.engine.errors import NotAllowed
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Event, Step, Workflow

OPEN = {"type": "object"}


def child_template(*nodes: Node, slug: str = "child", schema: dict[str, Any] | None = None) -> None:
    a_template(slug, definition=a_definition(*nodes), params_schema=OPEN if schema is None else schema)


def calling(slug: str = "child", id: str = "call", **changes: Any) -> Node:
    config = {"template": slug, **{key: changes.pop(key) for key in ("params", "version") if key in changes}}
    return Node(id, "sub_workflow", config=config, **{"retry": NEVER, **changes})


def child_of(workflow: Workflow) -> Workflow:
    return Workflow.objects.get(parent=workflow)


def test_the_step_waits_for_the_template_and_hands_on_its_output(stage: Stage) -> None:
    child_template(node("add", config={"value": "{{ params.a }}"}))
    workflow = stage.run(calling(params={"a": "{{ params.n }}"}), node("after", "echo", "call"), params={"n": 5})
    child = child_of(workflow)
    assert workflow.status == child.status == Status.COMPLETED
    assert step(workflow, "call").output == {"workflowId": str(child.uid), "status": "COMPLETED", "output": 5}
    judge(workflow)
    judge(child)


def test_parent_and_child_are_linked_both_ways(stage: Stage) -> None:
    child_template(node("long", "delay", config={"seconds": 60}))
    workflow = stage.start(calling())
    stage.drain()
    child, waiting = child_of(workflow), step(workflow, "call")
    assert child.parent_step == waiting and child.depth == 1
    assert waiting.metadata["workflowId"] == str(child.uid) and waiting.waits_for == Step.WORKFLOW
    assert (waiting.status, waiting.worker_id, waiting.lease_expires_at) == (Status.WAITING_FOR_DEPENDENCY, "", None), "it holds a worker"


def test_an_output_of_several_steps_that_is_too_large_together_fails_the_step_and_is_never_read(stage: Stage) -> None:
    half = "x" * (settings.ENV.max_output_bytes * 2 // 3)
    tasks.behaviours["half"] = lambda params, context: half
    child_template(node("a", "behave", config={"as": "half"}), node("b", "behave", config={"as": "half"}))
    workflow = stage.run(calling())
    assert child_of(workflow).status == "COMPLETED" and workflow.status == "FAILED"
    assert "1,333,336 bytes of output; at most 1,000,000 are handed on (MAX_OUTPUT_BYTES)" in step(workflow, "call").error
    judge(workflow)


def test_the_output_of_several_last_steps_comes_by_id(stage: Stage) -> None:
    child_template(node("a"), node("b"), node("c", "flaky", config={"how": "fail"}, on_failure="continue"))
    workflow = stage.run(calling())
    assert step(workflow, "call").output["output"] == {"a": "a", "b": "b"}


def test_a_failure_passes_through_with_its_reason(stage: Stage) -> None:
    child_template(node("bad", "flaky", config={"how": "fail"}))
    workflow = stage.run(calling(), node("after", "echo", "call"))
    assert workflow.status == Status.FAILED and statuses(workflow)["after"] == "STOPPED"
    error = step(workflow, "call").error
    assert "ended as FAILED" in error and "bad: for good" in error and str(child_of(workflow).uid) in error


def test_a_failure_is_not_tried_again_by_the_step(stage: Stage) -> None:
    """The steps of the child had their own tries."""
    child_template(node("bad", "flaky", config={"how": "fail"}))
    workflow = stage.run(Node("call", "sub_workflow", config={"template": "child"}))
    assert outcomes(workflow, "call") == ["failed"] and Workflow.objects.count() == 2


def test_stopping_the_parent_stops_the_child_and_the_childs_child(stage: Stage) -> None:
    child_template(calling("grandchild"))
    child_template(node("long", "delay", config={"seconds": 600}), slug="grandchild")
    workflow = stage.start(calling())
    stage.drain()
    assert Workflow.objects.active().count() == 3
    stage.stop(workflow)
    assert set(Workflow.objects.values_list("status", flat=True)) == {Status.STOPPED}


def test_a_child_without_a_parent_that_waits_says_what_to_do_instead(stage: Stage) -> None:
    child_template(node("long", "delay", config={"seconds": 600}))
    workflow = stage.start(calling())
    stage.drain()
    child = child_of(workflow)
    stage.stop(workflow)
    with pytest.raises(NotAllowed, match=r"does not wait for it any more: resume that one instead$"):
        control.resume(uid=child.uid, now=stage.now)
    with pytest.raises(NotAllowed, match=r"nothing to retry in a STOPPED workflow; resume it instead$"):
        control.retry(uid=workflow.uid, now=stage.now)
    control.resume(uid=workflow.uid, now=stage.now)
    with pytest.raises(NotAllowed, match=r"does not wait for it any more: rerun this one instead$"):
        control.resume(uid=child.uid, now=stage.now)


def test_a_stopped_child_fails_the_step_that_waits_for_it(stage: Stage) -> None:
    child_template(node("long", "delay", config={"seconds": 600}))
    workflow = stage.start(calling())
    stage.drain()
    stage.stop(child_of(workflow))
    workflow = stage.play(workflow)
    assert workflow.status == Status.FAILED and "ended as STOPPED" in step(workflow, "call").error


def test_a_step_that_times_out_stops_the_child(stage: Stage) -> None:
    child_template(node("long", "delay", config={"seconds": 600}))
    workflow = stage.play(stage.start(calling(timeout_seconds=30)))
    assert workflow.status == Status.FAILED and "did not end within 30 s" in step(workflow, "call").error
    endings.sweep(now=stage.now)
    assert child_of(workflow).status == Status.STOPPED


def test_a_template_that_calls_itself_is_cut_at_the_depth_limit(stage: Stage) -> None:
    child_template(calling("child"))
    workflow = stage.run(calling())
    assert Workflow.objects.count() == 1 + sub_workflows.MAX_DEPTH
    assert workflow.status == Status.FAILED
    deepest = Workflow.objects.get(depth=sub_workflows.MAX_DEPTH)
    assert "nest 10 deep at most" in step(deepest, "call").error


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slug": "chidl"}, "There is no template 'chidl'; did you mean 'child'?"),
        ({"version": 7}, "has no version 7"),
        ({"params": {"a": "x"}}, "does not take these params: a:"),
        ({"params": {"b": 1}}, "b: there is no such parameter"),
    ],
    ids=["unknown", "version", "type", "name"],
)
def test_what_cannot_be_started_fails_the_step_and_starts_nothing(stage: Stage, changes: dict[str, Any], said: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
    child_template(node("x"), schema=schema)
    workflow = stage.run(calling(**{"slug": "child", **changes}))
    assert workflow.status == Status.FAILED and said in step(workflow, "call").error
    assert said in log_of(workflow, "call") and Workflow.objects.count() == 1


def test_defaults_of_the_template_are_filled_in(stage: Stage) -> None:
    child_template(node("x", config={"value": "{{ params.a }}"}), schema={"type": "object", "properties": {"a": {"default": 9}}})
    assert step(stage.run(calling()), "call").output["output"] == 9


def test_a_retry_of_the_step_starts_another_child_and_the_old_one_cannot_answer_for_it(stage: Stage) -> None:
    child_template(node("long", "delay", config={"seconds": 60}))
    workflow = stage.start(calling())
    stage.drain()
    old = child_of(workflow)
    stage.stop(workflow)
    control.resume(uid=workflow.uid, now=stage.now)
    stage.drain()
    Workflow.objects.filter(pk=old.pk).update(status=Status.STOPPED)
    sub_workflows.tell_parents([old.pk], now=stage.now)
    assert step(workflow, "call").waits_for == Step.WORKFLOW, "a child of an earlier attempt ended the wait"
    workflow = stage.play(workflow)
    assert workflow.status == Status.COMPLETED and Workflow.objects.filter(parent=workflow).count() == 2


def test_an_end_that_a_crash_kept_from_being_told_is_told_by_the_sweep(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    child_template(node("x"))
    with monkeypatch.context() as crash:
        crash.setattr(endings.sub_workflows, "tell_parents", lambda ids, now: None)
        workflow = stage.start(calling())
        stage.drain()
        stage.drain()
    assert child_of(workflow).status == Status.COMPLETED and step(workflow, "call").waits_for == Step.WORKFLOW
    recovery.Reaper(on_frozen=lambda: None).tick(now=stage.now, monotonic=1.0)
    assert stage.play(workflow).status == Status.COMPLETED


def test_an_event_that_nobody_delivered_is_delivered_by_the_reaper(stage: Stage) -> None:
    workflow = stage.start(node("hear", "wait_for_event"))
    stage.drain()
    received = stage.now + timedelta(seconds=1)
    Event.objects.create(payload={"n": 1}, received_at=received, is_delivered=False)
    recovery.Reaper(on_frozen=lambda: None).tick(now=received + timedelta(seconds=5), monotonic=1.0)
    assert stage.play(workflow).status == Status.COMPLETED and step(workflow, "hear").output["payload"] == {"n": 1}


def test_a_part_of_a_workflow_needs_no_place_of_its_own(stage: Stage, settings: Any) -> None:
    """MAX_CONCURRENT_WORKFLOWS counts whole workflows: a parent must never wait for the place that it holds itself."""
    settings.ENV = settings.ENV.model_copy(update={"max_concurrent_workflows": 1})
    child_template(node("x"))
    workflow = stage.start(calling())
    stage.drain()
    assert stage.play(workflow).status == Status.COMPLETED


def test_a_child_is_deleted_apart_from_its_parent(stage: Stage) -> None:
    child_template(node("x"))
    workflow = stage.run(calling())
    child = child_of(workflow)
    control.delete(uid=workflow.uid)
    child.refresh_from_db()
    assert (child.parent, child.parent_step) == (None, None)


def test_each_element_of_a_map_may_be_a_sub_workflow(stage: Stage) -> None:
    child_template(node("x", config={"value": "{{ params.n }}"}))
    do = calling(id="each", params={"n": "{{ item }}"})
    workflow = stage.run(Node("each", "map", config={"items": [1, 2, 3], "limit": 2, "collect": "output"}, body=do, retry=NEVER))
    assert step(workflow, "each").output["results"] == [1, 2, 3]
    assert Workflow.objects.filter(parent=workflow).count() == 3


def test_a_child_inherits_the_chain_of_events(stage: Stage) -> None:
    child_template(node("x"))
    workflow = stage.run(calling(), chain_depth=4)
    assert child_of(workflow).chain_depth == 4


def test_sweeping_an_idle_system_changes_nothing(stage: Stage) -> None:
    child_template(node("x"))
    workflow = stage.run(calling())
    endings.sweep(now=stage.now + timedelta(seconds=60))
    seq = workflow.seq
    workflow.refresh_from_db()
    assert workflow.seq == seq


def test_a_workflow_starts_no_more_sub_workflows_than_the_limit_however_they_nest(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A map of sub-workflows of a template that maps over itself would grow by its width at each of ten depths."""
    monkeypatch.setattr(sub_workflows, "MAX_PARTS", 30)
    over = {"items": [1, 2, 3], "failures": "tolerate"}
    child_template(Node("each", "map", config=over, body=calling(id="each"), retry=NEVER))
    workflow = stage.run(calling())
    assert 30 <= Workflow.objects.filter(root=workflow).count() < 60, "as many as were asked for in one commit may be over"
    assert not Workflow.objects.active().exists()
    errors = Step.objects.filter(status=Status.FAILED, action="sub_workflow").values_list("error", flat=True)
    assert any("may start 30 sub-workflows in all" in error for error in errors)


def test_every_part_knows_its_root(stage: Stage) -> None:
    child_template(calling("grandchild"))
    child_template(node("x"), slug="grandchild")
    workflow = stage.run(calling())
    assert workflow.root is None
    assert set(Workflow.objects.exclude(pk=workflow.pk).values_list("root", flat=True)) == {workflow.pk}


def test_of_very_many_parts_a_stop_stops_some_at_once_and_the_reaper_the_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "PARTS_AT_ONCE", 2)
    child_template(node("long", "delay", config={"seconds": 600}))
    workflow = stage.start(Node("each", "map", config={"items": [1, 2, 3, 4, 5]}, body=calling(id="each"), retry=NEVER))
    stage.drain()
    assert Workflow.objects.active().count() == 6
    stage.stop(workflow)
    assert Workflow.objects.active().count() == 3
    for left in (1, 0):
        endings.sweep(now=stage.now)
        assert Workflow.objects.active().count() == left
