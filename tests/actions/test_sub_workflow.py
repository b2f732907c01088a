"""Tests of `sub_workflow` as an action: what it asks for, and what it makes of the workflow that has ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.contexts import Log, a_context
from workflows_app import actions
from workflows_app.actions.base import Fail, Launch
from workflows_app.actions.sub_workflow import SubWorkflow, SubWorkflowConfig


def run(answer: Any = None, log: Log | None = None, *, resume: Any = None, **config: Any) -> Any:
    context = a_context(answer=answer, resume={} if answer else resume, own_timeout_seconds=90, sink=Log() if log is None else log)
    return SubWorkflow().run(SubWorkflowConfig.model_validate({"template": "child", **config}), context)


def ended(status: str, **changes: Any) -> dict[str, Any]:
    return {"workflowId": "c1", "status": status, "output": {"n": 1}, "error": "", **changes}


def test_it_asks_for_a_workflow_of_the_template():
    log = Log()
    assert run(params={"n": 1}, version=2, log=log) == Launch(template="child", params={"n": 1}, version=2)
    assert run() == Launch(template="child", params={}, version=None)
    assert "Starting the template 'child', version 2" in log.text


def test_a_completed_child_gives_its_output_and_id():
    """CONTRACT.md section 7: waits for a template's run."""
    log = Log()
    assert run(ended("COMPLETED"), log) == {"workflowId": "c1", "status": "COMPLETED", "output": {"n": 1}}
    assert "Workflow c1 of template 'child' has completed" in log.text


@pytest.mark.parametrize("status", ["FAILED", "STOPPED"])
def test_a_child_that_failed_or_was_stopped_fails_the_step(status):
    with pytest.raises(Fail, match=rf"^Workflow c1 of template 'child' ended as {status}: step a broke$"):
        run(ended(status, error="step a broke"))
    with pytest.raises(Fail, match=rf"ended as {status}$"):
        run(ended(status))


def test_a_failure_from_far_below_is_told_once_and_not_once_per_level():
    told = "bad: for good"
    for level in ("c3", "c2", "c1"):
        with pytest.raises(Fail) as raised:
            run(ended("FAILED", error=told, workflowId=level))
        told = f"call: {raised.value}"
    assert told == "call: Workflow c1 of template 'child' ended as FAILED, as one further below did: bad: for good"


def test_a_child_that_takes_longer_than_the_steps_timeout_fails_the_step():
    with pytest.raises(Fail, match=r"^The template 'child' did not end within 1 min 30 sec"):
        run(resume={})


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({}, "template"),
        ({"template": ""}, "template"),
        ({"template": "a", "version": 0}, "version"),
        ({"template": "a", "params": [1]}, "params"),
    ],
    ids=["missing", "empty", "version", "params"],
)
def test_a_wrong_configuration_is_refused_beforehand(config, path):
    assert [found for found, _ in actions.find("sub_workflow").check(config)] == [path]
