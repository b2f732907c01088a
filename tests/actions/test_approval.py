"""Tests of `approval` as an action: the question, each answer, and what an expiry counts as."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.contexts import Log, a_context
from workflows_app import actions
from workflows_app.actions.approval import Approval, ApprovalConfig
from workflows_app.actions.base import Fail, Wait

FORM = {"properties": {"amount": {"type": "integer"}}, "required": ["amount"]}
YES = {"approved": True, "by": "ann", "at": "2026-01-01T00:00:00+00:00", "data": {"amount": 3}, "reason": ""}
NO = {**YES, "approved": False, "data": {}, "reason": "too much"}


def ask(own_timeout_seconds: float | None = None, **config: Any) -> Wait:
    asked = ApprovalConfig.model_validate({"message": "Pay?", **config})
    found = Approval().run(asked, a_context(own_timeout_seconds=own_timeout_seconds))
    assert isinstance(found, Wait)
    return found


def decide(answer: Any, log: Log | None = None, **config: Any) -> Any:
    context = a_context(resume={"seconds": 90}, answer=answer, sink=Log() if log is None else log)
    return Approval().run(ApprovalConfig.model_validate({"message": "Pay?", **config}), context)


def test_it_waits_for_a_person_and_shows_what_is_asked():
    wait = ask(title="Payment", form=FORM, approvers=["ann", "finance"], timeout=60)
    assert (wait.answer, wait.seconds, wait.reason) == ("approval", 60, "approval by ann or finance")
    assert wait.shown == {
        "approval": {
            "title": "Payment",
            "message": "Pay?",
            "form": {"type": "object", "additionalProperties": False, **FORM},
            "approvers": ["ann", "finance"],
            "seconds": 60,
        }
    }


def test_it_expires_after_its_own_timeout_or_the_steps_or_never():
    assert ask(timeout=60, own_timeout_seconds=5).seconds == 60
    assert ask(own_timeout_seconds=5).seconds == 5
    assert (ask().seconds, ask().reason, ask().state) == (None, "approval by anybody", {"seconds": None})


def test_an_approval_is_the_output_with_who_and_when():
    log = Log()
    assert decide(YES, log) == YES
    assert log.text == "Approved by ann"


def test_a_rejection_fails_the_step_unless_it_may_go_on():
    with pytest.raises(Fail, match=r"^Rejected by ann: too much$"):
        decide(NO)
    assert decide(NO, on_reject="continue") == NO


def test_an_expiry_fails_and_says_how_long_it_waited():
    with pytest.raises(Fail, match=r"^Nobody decided within 1 min 30 sec$"):
        decide(None)


def test_an_expiry_can_count_as_approval():
    found = decide(None, on_expiry="approve")
    assert (found["approved"], found["expired"], found["by"], found["data"]) == (True, True, None, {})
    assert found["reason"] == "Nobody decided within 1 min 30 sec"


def test_an_expiry_can_count_as_rejection():
    with pytest.raises(Fail, match=r"^Rejected: Nobody decided within 1 min 30 sec$"):
        decide(None, on_expiry="reject")
    found = decide(None, on_expiry="reject", on_reject="continue")
    assert (found["approved"], found["expired"]) == (False, True)


def test_the_form_is_a_schema_that_is_checked_beforehand_and_never_rendered():
    action = actions.find("approval")
    assert "form" in action.raw and list(action.conditions({"message": "x", "form": FORM})) == []
    assert action.check({"message": "x", "form": {"properties": {"a": {"title": "{{ not a template }}"}}}}) == []
    assert action.check({"message": "x", "form": {"type": "array"}})[0][0] == "form.type"
    assert action.check({"message": "x", "form": {"properties": {"a": {"type": "strin"}}}})[0][0] == "form.properties.a.type"
    assert action.check({"message": "x", "form": {"properties": {"a": {"$ref": "#"}}}})[0][0].startswith("form.properties.a")
    assert action.check({"message": "x", "form": [1]})[0][0] == "form"


@pytest.mark.parametrize(
    ("config", "path"),
    [({}, "message"), ({"message": ""}, "message"), ({"message": "x", "timeout": 0}, "timeout"),
     ({"message": "x", "timeout": 4e7}, "timeout"), ({"message": "x", "on_expiry": "shrug"}, "on_expiry"),
     ({"message": "x", "on_reject": "fial"}, "on_reject"), ({"message": "x", "approvers": "ann"}, "approvers")],
)  # fmt: skip
def test_a_wrong_configuration_is_refused_beforehand(config, path):
    assert [found for found, _ in actions.find("approval").check(config)] == [path]


def test_templated_values_are_taken_on_trust():
    assert (
        actions.find("approval").check({"message": "Pay {{ params.n }}?", "timeout": "{{ params.t }}", "approvers": "{{ params.who }}"})
        == []
    )
