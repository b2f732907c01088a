"""Answers: a step that waits for somebody holds no worker, takes one answer, and none after its time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.at_once import at_once
from tests.engine.oracle import judge
from tests.engine.rival import claim_as, registered
from tests.engine.stage import Stage, node, outcomes, step
from tests.factories import a_definition, a_template
from workflows_app import actions
from workflows_app.dialects import DIALECTS
from workflows_app.dialects.params_schema import in_order
from workflows_app.engine import control
from workflows_app.engine.answers import answer
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.recovery import take_back
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Subscription, Workflow

YES = {"approved": True, "by": "ada", "at": "2026-11-21T12:00:00+00:00", "data": {"note": "fine"}, "reason": ""}


def ask(id: str = "ask", **config: Any) -> Node:
    own = {key: config.pop(key) for key in list(config) if key in {"timeout_seconds", "needs"}}
    return node(id, "approval", config={"message": "May we?", **config}, **own)


def give(stage: Stage, workflow: Workflow, said: Any = YES, *, kind: str = "approval", id: str = "ask", attempt: int = 1) -> bool:
    return answer(step_id=step(workflow, id).pk, attempt=attempt, kind=kind, answer=said, now=stage.now)


def asked(stage: Stage, *nodes: Node) -> Workflow:
    workflow = stage.start(*nodes)
    stage.drain()
    return workflow


def test_the_answer_becomes_the_output(stage: Stage) -> None:
    workflow = asked(stage, ask(), node("after", "echo", "ask", config={"value": "{{ ask.output.by }}"}, references=("ask",)))
    assert give(stage, workflow)
    workflow = stage.play(workflow)
    assert workflow.status == Status.COMPLETED
    assert step(workflow, "ask").output == YES and step(workflow, "after").output == "ada"
    assert outcomes(workflow, "ask") == ["completed"], "waiting is one attempt"
    judge(workflow)


def test_a_waiting_step_holds_no_worker_and_no_lease_and_says_what_it_waits_for(stage: Stage) -> None:
    waiting = step(asked(stage, ask(approvers=["finance"], timeout=60)), "ask")
    assert (waiting.status, waiting.worker_id, waiting.lease_expires_at) == (Status.WAITING_FOR_DEPENDENCY, "", None)
    assert waiting.waits_for == Step.APPROVAL and waiting.metadata["approval"]["approvers"] == ["finance"]
    assert waiting.metadata["expiresAt"] == waiting.available_at.isoformat()


def test_only_the_first_answer_is_taken(stage: Stage) -> None:
    workflow = asked(stage, ask())
    assert give(stage, workflow)
    assert not give(stage, workflow, {**YES, "by": "bob"})
    assert step(stage.play(workflow), "ask").output["by"] == "ada"
    assert not give(stage, workflow)


@pytest.mark.parametrize("round", range(3))
def test_of_many_at_once_one_is_taken(stage: Stage, round: int) -> None:
    workflow = asked(stage, ask())
    taken = at_once(lambda number: give(stage, workflow, {**YES, "by": f"user{number}"}), 6)
    assert sorted(map(str, taken)) == ["False"] * 5 + ["True"]
    stage.play(workflow)
    assert step(workflow, "ask").output["by"] == f"user{taken.index(True)}"


@pytest.mark.parametrize(("kind", "attempt"), [("event", 1), ("workflow", 1), ("approval", 2)])
def test_an_answer_of_another_kind_or_to_another_attempt_is_refused(stage: Stage, kind: str, attempt: int) -> None:
    workflow = asked(stage, ask())
    assert not give(stage, workflow, kind=kind, attempt=attempt)
    assert step(workflow, "ask").waits_for == Step.APPROVAL


def test_after_its_time_the_step_ends_without_an_answer_and_takes_none(stage: Stage) -> None:
    workflow = stage.play(asked(stage, ask(timeout=60)))
    assert workflow.status == Status.FAILED and "Nobody decided within" in step(workflow, "ask").error
    assert not give(stage, workflow)


def test_the_expiry_may_count_as_an_approval(stage: Stage) -> None:
    workflow = stage.run(ask(timeout_seconds=5, on_expiry="approve"))
    assert step(workflow, "ask").output["approved"] is True and step(workflow, "ask").output["expired"] is True


def test_an_answer_just_before_the_time_beats_it(stage: Stage) -> None:
    workflow = asked(stage, ask(timeout=60))
    give(stage, workflow)
    stage.to_next_timer()
    assert stage.play(workflow).status == Status.COMPLETED


def test_an_answer_outlives_the_worker_that_took_it_up(stage: Stage) -> None:
    workflow = asked(stage, replace(ask(), retry=RetryPolicy(retries=2)))
    give(stage, workflow)
    registered("d" * 32, now=stage.now)
    assert [claimed.answer for claimed in claim_as("d" * 32, now=stage.now)] == [YES]
    assert take_back(now=stage.now) == 1
    workflow = stage.play(workflow)
    assert step(workflow, "ask").output == YES and outcomes(workflow, "ask") == ["crashed", "completed"]


def test_a_stopped_step_takes_no_answer_and_a_resumed_one_asks_again(stage: Stage) -> None:
    workflow = asked(stage, ask())
    stage.stop(workflow)
    assert not give(stage, workflow)
    control.resume(uid=workflow.uid, now=stage.now)
    stage.drain()
    assert not give(stage, workflow), "an answer to the attempt before"
    assert give(stage, workflow, attempt=2)
    assert stage.play(workflow).status == Status.COMPLETED


def test_an_answer_raises_seq_so_that_pages_see_it(stage: Stage) -> None:
    workflow = asked(stage, ask())
    workflow.refresh_from_db()
    seq = workflow.seq
    give(stage, workflow)
    workflow.refresh_from_db()
    assert workflow.seq > seq


def test_a_step_that_is_gone_takes_no_answer(stage: Stage) -> None:
    assert not answer(step_id=10**9, attempt=1, kind="approval", answer={}, now=stage.now)


def test_each_element_of_a_map_may_ask(stage: Stage) -> None:
    do = Node("each", "approval", config={"message": "{{ item }}?"})
    workflow = asked(stage, node("each", "map", config={"items": ["a", "b"], "collect": "by"}, body=do))
    assert [step(workflow, f"each[{i}]").metadata["approval"]["message"] for i in range(2)] == ["a?", "b?"]
    for index in range(2):
        assert give(stage, workflow, {**YES, "by": f"user{index}"}, id=f"each[{index}]")
    assert step(stage.play(workflow), "each").output["results"] == ["user0", "user1"]


def test_a_step_that_waits_for_an_event_leaves_one_subscription(stage: Stage) -> None:
    config = {"source": "shop", "match": {"==": [{"var": "kind"}, "paid"]}, "correlate": {"path": "order.id", "value": "{{ params.id }}"}}
    workflow = stage.start(node("hear", "wait_for_event", config=config), params={"id": 7})
    stage.drain()
    waiting, kept = step(workflow, "hear"), Subscription.objects.get()
    assert (kept.step, kept.attempt, kept.source, kept.path) == (waiting, 1, "shop", "order.id")
    assert kept.condition == config["match"] and kept.since == waiting.claimed_at
    assert give(stage, workflow, {"id": "e", "source": "shop", "receivedAt": "", "payload": {"order": {"id": 7}}}, kind="event", id="hear")
    assert step(stage.play(workflow), "hear").output["payload"] == {"order": {"id": 7}}


def test_events_since_the_workflow_began_may_count(stage: Stage) -> None:
    workflow = stage.start(node("first"), node("hear", "wait_for_event", "first", config={"since": "workflow"}))
    stage.drain()
    workflow.refresh_from_db()
    assert Subscription.objects.get().since == workflow.created_at


def test_the_fields_of_a_form_keep_their_order(stage: Stage) -> None:
    form = {"properties": {"when": {"type": "string"}, "amount": {"type": "number"}, "by": {"type": "string"}}}
    source = {"name": "x", "steps": [{"id": "ask", "action": "approval", "with": {"message": "May we?", "form": form}}]}
    workflow = asked(stage, *DIALECTS["template"](source, actions=actions.shapes()).definition.nodes)
    assert in_order(step(workflow, "ask").metadata["approval"]["form"]) == ["when", "amount", "by"]


def approved(stage: Stage, *nodes: Node, **params: Any) -> Workflow:
    """It has ended; everything that asked was approved."""
    workflow = stage.start(*nodes, params=params)
    for _ in range(5):
        stage.drain()
        for waiting in Step.objects.filter(waits_for=Step.APPROVAL):
            assert answer(step_id=waiting.pk, attempt=waiting.attempt, kind="approval", answer=YES, now=stage.now)
    return stage.play(workflow)


PAY = node("pay", "echo", "ask", config={"value": "{{ params.amount }}"})
EACH = Node("ask", "map", config={"items": [1, 2]}, body=ask(""))


@pytest.mark.parametrize("how", ["step", "element", "sub_workflow", "further up"])
def test_what_was_approved_for_some_params_is_not_done_with_others(stage: Stage, how: str) -> None:
    """Approve 10, retry the payment with 1,000,000: everybody who may operate could pay anything."""
    a_template("asks", definition=a_definition(ask("deep")), params_schema={"type": "object"})
    calls = Node("ask", "sub_workflow", config={"template": "asks"})
    first = {"element": EACH, "sub_workflow": calls}.get(how, ask())
    pay = replace(PAY, needs=("between",)) if how == "further up" else PAY
    workflow = approved(stage, first, *([node("between", "echo", "ask")] if how == "further up" else []), pay, amount=10)
    assert step(workflow, "pay").output == 10
    with pytest.raises(NotAllowed, match="was approved for the params of then"):
        control.retry(uid=workflow.uid, now=stage.now, from_step="pay", params={"amount": 1_000_000})
    workflow.refresh_from_db()
    assert workflow.params == {"amount": 10} and workflow.status == Status.COMPLETED


def test_a_retry_from_above_the_approval_asks_again(stage: Stage) -> None:
    workflow = approved(stage, node("first"), replace(ask(), needs=("first",)), PAY, amount=10)
    control.retry(uid=workflow.uid, now=stage.now, from_step="first", params={"amount": 99})
    stage.drain()
    assert step(workflow, "ask").waits_for == Step.APPROVAL and step(workflow, "pay").status == Status.WAITING_FOR_DEPENDENCY


def test_an_approval_does_not_hinder_a_retry_with_the_same_params_or_beside_it(stage: Stage) -> None:
    workflow = approved(stage, ask(), PAY, node("beside"), amount=10)
    for where, params in (("pay", {"amount": 10}), ("beside", {"amount": 11})):
        control.retry(uid=workflow.uid, now=stage.now, from_step=where, params=params)
        assert stage.play(workflow).status == Status.COMPLETED
    assert step(workflow, "pay").output == 10
