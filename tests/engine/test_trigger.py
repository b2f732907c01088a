"""A workflow that was submitted waits to be triggered; one that has ended is triggered again as a new one (CONTRACT.md section 6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.oracle import judge
from tests.engine.stage import Stage, node, statuses, step
from workflows_app.engine import admission, control, endings
from workflows_app.engine.errors import NotAllowed, WorkflowNotFound
from workflows_app.engine.trigger import trigger
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow


def submitted(stage: Stage, **order: Any) -> Workflow:
    say = node("say", config={"value": "{{ input.who }}"})
    return stage.start(say, node("after", "echo", "say"), awaits_trigger=True, **order)


def test_a_submitted_workflow_is_pending_and_nothing_of_it_runs(stage: Stage) -> None:
    workflow = submitted(stage)
    stage.drain()
    workflow.refresh_from_db()
    assert workflow.status == Status.PENDING and workflow.started_at is None
    assert set(statuses(workflow).values()) == {"WAITING_FOR_DEPENDENCY"}


def test_a_trigger_starts_it_with_its_parameters(stage: Stage) -> None:
    workflow = submitted(stage)
    again = trigger(uid=workflow.uid, params={"who": "Ada"}, now=stage.now)
    assert again.uid == workflow.uid and not again.awaits_trigger
    workflow = stage.play(workflow)
    assert workflow.status == Status.COMPLETED and workflow.params == {"who": "Ada"}
    assert step(workflow, "say").output == "Ada"
    judge(workflow)


def test_without_parameters_it_keeps_those_of_its_submission(stage: Stage) -> None:
    workflow = submitted(stage, params={"who": "Bob"})
    trigger(uid=workflow.uid, now=stage.now)
    assert step(stage.play(workflow), "say").output == "Bob"


def test_one_that_runs_cannot_be_triggered(stage: Stage) -> None:
    workflow = submitted(stage)
    trigger(uid=workflow.uid, params={"who": 1}, now=stage.now)
    with pytest.raises(NotAllowed, match="is PENDING already"):
        trigger(uid=workflow.uid, params={"who": 2}, now=stage.now)
    assert step(stage.play(workflow), "say").output == 1


def test_one_that_has_ended_starts_a_new_one_of_the_same_definition(stage: Stage) -> None:
    workflow = submitted(stage)
    trigger(uid=workflow.uid, params={"who": "Ada"}, now=stage.now)
    stage.play(workflow)
    second = trigger(uid=workflow.uid, params={"who": "Bob"}, now=stage.now)
    assert second.uid != workflow.uid and second.definition == workflow.definition and second.parent == workflow
    assert step(stage.play(second), "say").output == "Bob"
    assert step(workflow, "say").output == "Ada", "the first one has changed"


def test_a_submitted_one_may_be_stopped_and_triggered_as_a_new_one(stage: Stage) -> None:
    workflow = submitted(stage)
    assert stage.stop(workflow).status == Status.STOPPED
    assert trigger(uid=workflow.uid, params={"who": 1}, now=stage.now).uid != workflow.uid


def test_submitted_ones_take_no_place_and_triggered_ones_wait_for_one(stage: Stage, settings: Any) -> None:
    """MAX_CONCURRENT_WORKFLOWS."""
    settings.ENV = settings.ENV.model_copy(update={"max_concurrent_workflows": 1})
    workflow = submitted(stage)
    running = stage.start(node("nap", "delay", config={"seconds": 60}))
    assert running.status == Status.PENDING, "the submitted one took the place"
    assert trigger(uid=workflow.uid, params={"who": 1}, now=stage.now).status == Status.WAITING_FOR_DEPENDENCY
    assert admission.admit(now=stage.now) == 0
    stage.play(running)
    assert stage.play(workflow).status == Status.COMPLETED


def test_a_submitted_one_is_pending_also_when_no_place_is_free(stage: Stage, settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_concurrent_workflows": 1})
    running = stage.start(node("nap", "delay", config={"seconds": 60}))
    assert submitted(stage).status == Status.PENDING
    stage.play(running)


def test_one_that_was_stopped_before_its_trigger_may_be_resumed(stage: Stage) -> None:
    workflow = submitted(stage, params={"who": "Ada"})
    stage.stop(workflow)
    control.resume(uid=workflow.uid, now=stage.now)
    workflow = stage.play(workflow)
    assert workflow.status == Status.COMPLETED and not workflow.awaits_trigger


def test_sweeps_leave_a_submitted_one_alone(stage: Stage) -> None:
    workflow = submitted(stage)
    admission.admit(now=stage.now)
    endings.sweep(now=stage.now)
    workflow.refresh_from_db()
    assert workflow.awaits_trigger and set(statuses(workflow).values()) == {"WAITING_FOR_DEPENDENCY"}


def test_a_rerun_of_a_triggered_one_runs_at_once(stage: Stage) -> None:
    workflow = submitted(stage)
    trigger(uid=workflow.uid, params={"who": "Ada"}, now=stage.now)
    stage.play(workflow)
    assert stage.play(control.rerun(uid=workflow.uid, now=stage.now)).status == Status.COMPLETED


def test_an_unknown_one_is_not_found(stage: Stage) -> None:
    with pytest.raises(WorkflowNotFound):
        trigger(uid="nothing", now=stage.now)
