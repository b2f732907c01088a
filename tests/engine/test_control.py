"""Stop, resume, retry, rerun and delete, also in the middle of things."""

from __future__ import annotations

import uuid

import pytest

from tests.engine import oracle, tasks
from tests.engine.stage import Stage, log_of, node, outcomes, statuses, step
from workflows_app.engine import control
from workflows_app.engine.errors import NotAllowed, StepNotFound, WorkflowNotFound
from workflows_app.models import Attempt, LogLine, Step, Workflow


def stop_it(stage: Stage, workflow: Workflow, *, once: str = "") -> None:
    """A task named `stop` stops the workflow, as an operator would in the middle; first it waits for step `once` to have begun."""

    def behaviour(params: object, context: object) -> str:
        assert not once or tasks.entered[once].wait(10)
        stage.stop(workflow)
        return "stopped it"

    tasks.behaviours["stop"] = behaviour


def test_stop_cancels_what_runs_and_nothing_starts_afterwards(stage: Stage) -> None:
    workflow = stage.start(node("long", "gated"), node("stopper", "behave", config={"as": "stop"}), node("after", "echo", "long"))
    stop_it(stage, workflow, once="long")
    stage.drain()
    workflow.refresh_from_db()
    assert (workflow.status, workflow.active_steps) == ("STOPPED", 0) and workflow.ended_at
    assert set(statuses(workflow).values()) == {"STOPPED"}
    assert sorted(tasks.calls) == ["long", "stopper"]
    assert outcomes(workflow, "long") == outcomes(workflow, "stopper") == ["stopped"]
    assert step(workflow, "after").metadata == {"skipped": False, "reason": "the workflow was stopped"}
    assert "Stopped by an operator" in log_of(workflow, "long")


def test_a_result_that_comes_after_the_stop_is_refused_and_logged(stage: Stage) -> None:
    workflow = stage.start(node("stopper", "behave", config={"as": "stop"}), node("after", "echo", "stopper"))
    stop_it(stage, workflow)
    stage.drain()
    assert step(workflow, "stopper").status == "STOPPED" and step(workflow, "stopper").output is None
    assert "late result of attempt 1 (completed) was refused" in log_of(workflow, "stopper")
    assert tasks.calls == ["stopper"]
    oracle.judge(workflow)


def test_a_thread_is_told_that_its_workflow_was_stopped(stage: Stage) -> None:
    seen: list[bool] = []

    def until_told(params: object, context: object) -> None:
        stage.stop(workflow)
        while not context.cancelled:  # type: ignore[attr-defined]
            pass
        seen.append(True)

    tasks.behaviours["until_told"] = until_told
    workflow = stage.start(node("a", "behave", config={"as": "until_told"}))
    stage.drain()
    assert seen == [True]


def test_stop_and_delete_while_a_step_runs_leave_a_worker_that_works(stage: Stage) -> None:
    """The late result and its log lines belong to rows that no longer exist."""

    def remove(params: object, context: object) -> str:
        context.log("about to go")  # type: ignore[attr-defined]
        stage.stop(workflow)
        control.delete(uid=workflow.uid)
        return "gone"

    tasks.behaviours["remove"] = remove
    workflow, other = stage.start(node("a", "behave", config={"as": "remove"})), stage.start(node("b", "echo_thread"))
    stage.drain()
    other.refresh_from_db()
    assert other.status == "COMPLETED" and not Workflow.objects.filter(pk=workflow.pk).exists()


def test_a_waiting_step_that_is_stopped_keeps_its_attempt_in_the_history(stage: Stage) -> None:
    workflow = stage.start(node("a", "delay", config={"seconds": 60}))
    stage.drain()
    stage.stop(workflow)
    assert outcomes(workflow, "a") == ["stopped"]
    oracle.judge(workflow)
    control.resume(uid=workflow.uid, now=stage.now)
    stage.play(workflow)
    assert outcomes(workflow, "a") == ["stopped", "completed"]
    oracle.judge(workflow)


def test_resume_goes_on_where_the_stop_was(stage: Stage) -> None:
    workflow = stage.start(node("a"), node("stopper", "behave", "a", config={"as": "stop"}), node("z", "echo", "stopper"))
    stop_it(stage, workflow)
    stage.drain()
    tasks.behaviours["stop"] = lambda params, context: "not this time"
    resumed = control.resume(uid=workflow.uid, now=stage.now)
    assert (resumed.status, resumed.ended_at, resumed.error) == ("RUNNING", None, "")
    stage.play(workflow)
    assert workflow.status == "COMPLETED" and tasks.calls == ["a", "stopper", "stopper", "z"]
    assert outcomes(workflow, "stopper") == ["stopped", "completed"]
    oracle.judge(workflow)


def test_a_workflow_stopped_before_it_began_is_pending_again_after_resume(stage: Stage) -> None:
    workflow = stage.start(node("a"))
    stage.stop(workflow)
    assert control.resume(uid=workflow.uid, now=stage.now).status == "PENDING"
    assert stage.play(workflow).status == "COMPLETED"
    oracle.judge(workflow)


def test_retry_runs_the_failed_step_and_what_it_blocked(stage: Stage) -> None:
    workflow = stage.run(node("a"), node("bad", "flaky", "a", config={"how": "fail", "times": 1}), node("z", "echo", "bad"))
    assert statuses(workflow) == {"a": "COMPLETED", "bad": "FAILED", "z": "STOPPED"}
    again = control.retry(uid=workflow.uid, now=stage.now)
    assert (again.status, again.error, again.failed_steps, again.done_steps) == ("RUNNING", "", 0, 1)
    stage.play(workflow)
    assert workflow.status == "COMPLETED" and tasks.calls == ["a", "bad", "bad", "z"]
    assert outcomes(workflow, "bad") == ["failed", "completed"]
    oracle.judge(workflow)


def test_retry_from_a_step_runs_it_and_all_below_again(stage: Stage) -> None:
    workflow = stage.run(node("a"), node("b", "echo", "a"), node("c", "echo", "b"), node("other", "echo", "a"))
    control.retry(uid=workflow.uid, now=stage.now, from_step="b")
    stage.play(workflow)
    assert workflow.status == "COMPLETED" and sorted(tasks.calls) == ["a", "b", "b", "c", "c", "other"]
    assert outcomes(workflow, "c") == ["completed", "completed"] and step(workflow, "c").attempt == 2


def test_retry_with_other_params_runs_with_those(stage: Stage) -> None:
    """The worker has kept the workflow's facts since its first run."""
    a = node("a", config={"value": "{{ params.day }}"})
    workflow = stage.run(a, params={"day": "monday"})
    for day in ("tuesday", "friday"):
        control.retry(uid=workflow.uid, now=stage.now, from_step="a", params={"day": day})
        stage.play(workflow)
        assert step(workflow, "a").output == day


def test_a_retried_branch_may_take_the_other_way(stage: Stage) -> None:
    cases = [{"condition": {"==": [{"var": "params.way"}, "left"]}, "next": "left"}, {"else": True, "next": "right"}]
    ways = (node("left", "echo", "way"), node("right", "echo", "way"), node("join", "echo", "left", "right", trigger_rule="none_failed"))
    workflow = stage.run(node("way", "branch", config={"cases": cases}), *ways, params={"way": "left"})
    assert statuses(workflow)["right"] == "SKIPPED"
    control.retry(uid=workflow.uid, now=stage.now, from_step="way", params={"way": "right"})
    stage.play(workflow)
    assert statuses(workflow) == {"way": "COMPLETED", "left": "SKIPPED", "right": "COMPLETED", "join": "COMPLETED"}
    assert workflow.status == "COMPLETED"


def test_what_a_branch_ruled_out_stays_so_when_something_else_is_retried(stage: Stage) -> None:
    cases = [{"condition": True, "next": "left"}, {"else": True, "next": "right"}]
    workflow = stage.run(
        node("way", "branch", config={"cases": cases}),
        node("left", "flaky", "way", config={"how": "fail", "times": 1}),
        node("right", "echo", "way"),
    )
    control.retry(uid=workflow.uid, now=stage.now)
    stage.play(workflow)
    assert statuses(workflow) == {"way": "COMPLETED", "left": "COMPLETED", "right": "SKIPPED"}
    oracle.judge(workflow)


def test_rerun_is_a_new_workflow_with_the_old_one_as_parent(stage: Stage) -> None:
    workflow = stage.run(node("a", config={"value": "{{ params.x }}"}), params={"x": 1}, name="Daily", tags=["etl"])
    again = control.rerun(uid=workflow.uid, now=stage.now)
    changed = control.rerun(uid=workflow.uid, now=stage.now, params={"x": 2})
    stage.play(changed)
    assert {again.parent_id, changed.parent_id} == {workflow.pk} and (changed.name, changed.tags) == ("Daily", ["etl"])
    assert [step(each, "a").output for each in (workflow, again, changed)] == [1, 1, 2]


def test_a_workflow_whose_action_is_gone_can_be_rerun_and_says_so(stage: Stage) -> None:
    workflow = stage.run(node("a", "no_such_task"), node("neighbour"))
    assert statuses(workflow) == {"a": "FAILED", "neighbour": "COMPLETED"}
    assert "there is no action 'no_such_task'" in step(workflow, "a").error
    assert outcomes(workflow, "a") == ["released"] * 9 + ["failed"], "a worker of another release might have known it"
    oracle.judge(workflow)


def test_delete_removes_a_final_workflow_with_all_it_recorded(stage: Stage) -> None:
    workflow = stage.run(node("a"), node("b", "output", "a", config={"value": 1}))
    control.delete(uid=workflow.uid)
    assert not any(model.objects.exists() for model in (Workflow, Step, Attempt, LogLine))


def test_a_verb_says_why_the_state_does_not_allow_it(stage: Stage) -> None:
    workflow = stage.start(node("a"))
    for refused, verb in (
        ("Only a stopped workflow", lambda: control.resume(uid=workflow.uid, now=stage.now)),
        ("stop it or let it end", lambda: control.retry(uid=workflow.uid, now=stage.now)),
        ("stop it before deleting", lambda: control.delete(uid=workflow.uid)),
    ):
        with pytest.raises(NotAllowed, match=refused):
            verb()
    stage.play(workflow)
    for refused, verb in (
        ("COMPLETED already", lambda: stage.stop(workflow)),
        ("No step failed", lambda: control.retry(uid=workflow.uid, now=stage.now)),
        ("Only a stopped workflow", lambda: control.resume(uid=workflow.uid, now=stage.now)),
        ("need a step to retry from", lambda: control.retry(uid=workflow.uid, now=stage.now, params={})),
    ):
        with pytest.raises(NotAllowed, match=refused):
            verb()
    with pytest.raises(StepNotFound):
        control.retry(uid=workflow.uid, now=stage.now, from_step="nowhere")


@pytest.mark.parametrize("uid", [uuid.UUID(int=7), "not-a-uuid", "", 7, None])
def test_an_unknown_workflow_is_not_found(stage: Stage, uid: object) -> None:
    for verb in (control.stop, control.resume, control.retry, control.rerun):
        with pytest.raises(WorkflowNotFound):
            verb(uid=uid, now=stage.now)
    with pytest.raises(WorkflowNotFound):
        control.delete(uid=uid)


def test_a_verb_that_is_refused_changes_nothing(stage: Stage) -> None:
    """Everything below the ruled-out step is decided: reopening it would leave a workflow that can never end."""
    workflow = stage.run(node("a", "flaky", config={"how": "fail"}), node("b", "echo", "a"))
    before = list(workflow.steps.order_by("id").values())
    with pytest.raises(NotAllowed, match="Nothing can run again"):
        control.retry(uid=workflow.uid, now=stage.now, from_step="b")
    assert list(workflow.steps.order_by("id").values()) == before
