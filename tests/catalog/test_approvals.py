"""Approvals: who may decide, with which data, and that one decision wins."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.engine.at_once import at_once
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage, node, statuses, step
from tests.factories import a_user
from workflows_app.catalog import approvals
from workflows_app.catalog.approvals import NotAnApprover, decide, waiting_count, waiting_for
from workflows_app.dialects.params import InvalidParams
from workflows_app.engine.errors import NotAllowed, StepNotFound, WorkflowNotFound
from workflows_app.models import Workflow

FORM = {"properties": {"amount": {"type": "integer"}, "note": {"type": "string", "default": "-"}}, "required": ["amount"]}


def asking(stage: Stage, **config: Any) -> Workflow:
    """A workflow whose step `ask` waits for an approval, and `after` for it."""
    workflow = stage.start(node("ask", "approval", config={"message": "Pay?", **config}), node("after", "echo", "ask"))
    stage.drain()
    return workflow


def say(stage: Stage, workflow: Workflow, by: User, *, approved: bool = True, **changes: Any) -> None:
    decide(**{"uid": workflow.uid, "step_id": "ask", "approved": approved, "data": {}, "by": by, "now": stage.now, **changes})


def in_group(name: str) -> User:
    user = a_user()
    user.groups.add(Group.objects.get_or_create(name=name)[0])
    return user


def test_an_approval_lets_the_workflow_go_on_and_records_who_decided_when(stage: Stage) -> None:
    workflow, ana = asking(stage, form=FORM), a_user("ana")
    at = stage.now
    say(stage, workflow, ana, data={"amount": 3}, now=at)
    stage.play(workflow)
    assert step(workflow, "ask").output == {
        "approved": True, "by": "ana", "at": at.isoformat(), "data": {"amount": 3, "note": "-"}, "reason": "",
    }  # fmt: skip
    assert statuses(workflow) == {"ask": "COMPLETED", "after": "COMPLETED"}


def test_a_rejection_fails_the_step_and_says_why(stage: Stage) -> None:
    workflow = asking(stage)
    say(stage, workflow, a_user("ana"), approved=False, reason="too much")
    stage.play(workflow)
    assert statuses(workflow) == {"ask": "FAILED", "after": "STOPPED"}
    assert step(workflow, "ask").error == "Rejected by ana: too much"


def test_a_rejection_may_be_an_output(stage: Stage) -> None:
    workflow = asking(stage, on_reject="continue")
    say(stage, workflow, a_user("ana"), approved=False)
    stage.play(workflow)
    assert statuses(workflow)["after"] == "COMPLETED"
    assert step(workflow, "ask").output["approved"] is False


@pytest.mark.parametrize(("data", "named"), [({}, {"amount"}), ({"amount": "x", "other": 1}, {"amount", "other"})])
def test_data_that_does_not_fit_the_form_is_refused_by_field_and_the_step_waits_on(stage: Stage, data: Any, named: set[str]) -> None:
    workflow, ana = asking(stage, form=FORM), a_user("ana")
    with pytest.raises(InvalidParams) as caught:
        say(stage, workflow, ana, data=data)
    assert set(caught.value.errors) == named
    assert waiting_for(ana) == [step(workflow, "ask")]


def test_of_a_rejection_nothing_is_required_but_what_is_there_must_fit(stage: Stage) -> None:
    workflow, ana = asking(stage, form=FORM), a_user("ana")
    with pytest.raises(InvalidParams):
        say(stage, workflow, ana, approved=False, data={"amount": "x"})
    say(stage, workflow, ana, approved=False)


def test_without_a_form_there_is_nothing_to_fill_in(stage: Stage) -> None:
    workflow = asking(stage)
    with pytest.raises(InvalidParams):
        say(stage, workflow, a_user(), data={"amount": 3})


def test_a_form_may_have_a_reason_of_its_own(stage: Stage) -> None:
    workflow = asking(stage, on_reject="continue", form={"properties": {"reason": {"type": "string"}}})
    say(stage, workflow, a_user("ana"), approved=False, reason="too much")
    stage.play(workflow)
    assert step(workflow, "ask").output["data"] == {"reason": "too much"}


def test_only_the_named_users_and_groups_decide_and_superusers_may(stage: Stage) -> None:
    ana, finance, other = a_user("ana"), in_group("finance"), in_group("sales")
    for by in (ana, finance, a_user(is_superuser=True)):
        say(stage, asking(stage, approvers=["ana", "finance"]), by)
    workflow = asking(stage, approvers=["ana", "finance"])
    with pytest.raises(NotAnApprover, match=f"Step 'ask' is decided by ana or finance; you are {other.username}"):
        say(stage, workflow, other)
    assert statuses(workflow)["ask"] == "WAITING_FOR_DEPENDENCY"


def test_each_sees_what_they_may_decide_the_longest_waiting_first(stage: Stage) -> None:
    for_ana, for_all = asking(stage, approvers=["ana"]), asking(stage)
    assert [found.workflow for found in waiting_for(a_user("ana"))] == [for_ana, for_all]
    assert [found.workflow for found in waiting_for(a_user("bo"))] == [for_all]
    assert [found.workflow for found in waiting_for(a_user(is_superuser=True))] == [for_ana, for_all]
    assert [waiting_count(user) for user in User.objects.order_by("id")] == [2, 1, 2]


def test_the_list_costs_the_same_however_many_wait(stage: Stage, django_assert_num_queries: Any) -> None:
    ana = in_group("finance")
    for number in range(5):
        asking(stage, approvers=["finance" if number % 2 else "sales"])
    with django_assert_num_queries(2):
        assert len(waiting_for(ana)) == 2


def test_the_list_ends_somewhere(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approvals, "MAX_WAITING_SHOWN", 2)
    for _ in range(3):
        asking(stage)
    assert len(waiting_for(a_user())) == 2


def test_to_count_what_waits_takes_two_queries_however_many_there_are(stage: Stage) -> None:
    ana = in_group("finance")
    for approvers in (["finance"], ["finance", "bo"], ["bo"], [ana.username]):
        asking(stage, approvers=approvers)
    with CaptureQueriesContext(connection) as captured:
        assert waiting_count(ana) == 3
    assert len(captured) == 2


def test_who_comes_after_all_is_done_hears_who_decided(stage: Stage) -> None:
    workflow = asking(stage)
    say(stage, workflow, a_user("ana"))
    stage.drain()
    with pytest.raises(NotAllowed, match="Step 'ask' is COMPLETED: it was decided already, by ana"):
        say(stage, workflow, a_user("bo"))


def test_who_comes_after_the_time_hears_that_nobody_decided(stage: Stage) -> None:
    workflow = stage.play(asking(stage, timeout=60, on_expiry="approve"))
    with pytest.raises(NotAllowed, match="Step 'ask' is COMPLETED: nobody decided it in time"):
        say(stage, workflow, a_user("bo"))


def test_what_is_decided_stopped_or_no_approval_cannot_be_decided(stage: Stage) -> None:
    ana, workflow, stopped = a_user("ana"), asking(stage), asking(stage)
    stage.stop(stopped)
    say(stage, workflow, ana)
    with pytest.raises(NotAllowed, match="decided already, by ana"):
        say(stage, workflow, a_user("bo"))
    with pytest.raises(NotAllowed, match="Step 'ask' is STOPPED: it does not wait for an approval"):
        say(stage, stopped, ana)
    with pytest.raises(NotAllowed, match="Step 'after' is WAITING_FOR_DEPENDENCY"):
        say(stage, workflow, ana, step_id="after")
    assert waiting_for(ana) == []


def test_after_it_expired_nobody_decides(stage: Stage) -> None:
    workflow, ana = asking(stage, timeout=60, on_expiry="approve"), a_user("ana")
    stage.play(workflow)
    assert step(workflow, "ask").output["expired"] is True
    with pytest.raises(NotAllowed, match="Step 'ask' is COMPLETED"):
        say(stage, workflow, ana)


def test_what_is_not_there_is_not_found(stage: Stage) -> None:
    workflow = asking(stage)
    with pytest.raises(StepNotFound):
        say(stage, workflow, a_user(), step_id="aks")
    with pytest.raises(WorkflowNotFound):
        say(stage, workflow, a_user(), uid="7")


def test_of_decisions_at_the_same_moment_exactly_one_wins(stage: Stage) -> None:
    people = [a_user(f"p{number}") for number in range(4)]
    for _ in range(5):
        workflow = asking(stage)
        found = at_once(lambda n, w=workflow: say(stage, w, people[n], approved=n % 2 == 0), 4)
        assert sum(result is None for result in found) == 1
        assert sum(isinstance(result, NotAllowed) for result in found) == 3
        winner = people[found.index(None)].username
        stage.play(workflow)
        row = step(workflow, "ask")
        assert (row.output or {"by": row.error.split()[-1]})["by"] == winner
