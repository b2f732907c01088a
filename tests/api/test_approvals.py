"""Approvals over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calls import detail, fields, get, post
from tests.catalog.test_approvals import FORM, asking
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage
from tests.factories import a_token, a_user
from workflows_app.models import Workflow

ZERO = "00000000-0000-0000-0000-000000000000"


def path(workflow: Any, verb: str, step: str = "ask") -> str:
    return f"/api/workflows/{workflow.uid}/steps/{step}/{verb}"


def test_approving_answers_with_the_workflow_which_goes_on(stage: Stage) -> None:
    """CONTRACT.md section 3: human approval, with a body checked against the step's form schema."""
    workflow = asking(stage, form=FORM)
    response = post(path(workflow, "approve"), {"amount": 3})
    assert (response.status_code, response.json()["id"]) == (200, str(workflow.uid))
    stage.play(workflow)
    shown = get(f"/api/workflows/{workflow.uid}").json()
    assert (shown["status"], shown["steps"][0]["outputs"]["data"]) == ("COMPLETED", {"amount": 3, "note": "-"})
    assert shown["steps"][0]["outputs"]["by"] == "local"


def test_rejecting_takes_a_reason(stage: Stage) -> None:
    workflow = asking(stage, form=FORM)
    assert post(path(workflow, "reject"), {"reason": "too much"}).status_code == 200
    stage.play(workflow)
    shown = get(f"/api/workflows/{workflow.uid}").json()
    assert (shown["status"], shown["steps"][0]["error"]) == ("FAILED", "Rejected by local: too much")


def test_a_body_that_does_not_fit_names_its_fields(stage: Stage) -> None:
    workflow = asking(stage, form=FORM)
    assert fields(post(path(workflow, "approve"))) == {"body.amount"}
    assert fields(post(path(workflow, "approve"), {"amount": "x", "b": 1})) == {"body.amount", "body.b"}
    assert fields(post(path(workflow, "approve"), [])) == {"body"}
    assert fields(post(path(workflow, "reject"), {"reason": 7})) == {"body.reason"}
    assert fields(post(path(workflow, "reject"), {"reason": "x" * 2_001})) == {"body.reason"}


def test_a_second_decision_is_a_conflict(stage: Stage) -> None:
    workflow = asking(stage)
    post(path(workflow, "approve"))
    response = post(path(workflow, "reject"))
    assert response.status_code == 409 and "decided already, by local" in detail(response)


def test_who_is_no_approver_is_forbidden(stage: Stage, server_mode: None) -> None:
    a_token(secret="s", user=a_user("bo"))
    workflow = asking(stage, approvers=["ana"])
    response = post(path(workflow, "approve"), Authorization="Bearer s")
    assert response.status_code == 403
    assert detail(response) == "Step 'ask' is decided by ana; you are bo"
    assert get("/api/approvals", Authorization="Bearer s").json() == []


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_what_is_not_there_is_not_found(stage: Stage, verb: str) -> None:
    workflow = asking(stage)
    assert post(path(workflow, verb, "aks")).status_code == 404
    assert post(f"/api/workflows/{ZERO}/steps/ask/{verb}").status_code == 404


def test_the_list_shows_what_is_asked_of_whom_and_until_when(stage: Stage) -> None:
    workflow = asking(stage, title="Payment", form=FORM, approvers=["ana"], timeout=60)
    (shown,) = get("/api/approvals").json()
    assert (shown["workflowId"], shown["workflowName"], shown["stepId"]) == (str(workflow.uid), "A workflow", "ask")
    assert (shown["title"], shown["message"], shown["approvers"]) == ("Payment", "Pay?", ["ana"])
    assert shown["form"] == {"type": "object", **FORM, "additionalProperties": False}
    assert shown["expiresAt"] > shown["since"]
    assert get(f"/api/workflows/{workflow.uid}").json()["steps"][0]["waitingFor"][0]["kind"] == "approval"


def test_each_element_of_a_map_may_ask_for_an_approval_of_its_own(stage: Stage) -> None:
    body = {"action": "approval", "with": {"message": "Pay {{ item }}?"}}
    steps = [{"id": "each", "action": "map", "with": {"items": [10, 20], "do": body}}]
    uid = post("/api/workflows", {"name": "x", "definition": {"steps": steps}}).json()["id"]
    stage.drain()
    assert [(row["stepId"], row["message"]) for row in get("/api/approvals").json()] == [("each[0]", "Pay 10?"), ("each[1]", "Pay 20?")]
    for step in ("each[0]", "each[1]"):
        assert post(f"/api/workflows/{uid}/steps/{step}/approve").status_code == 200
    workflow = stage.play(Workflow.objects.get(uid=uid))
    assert workflow.status == "COMPLETED"
    assert get(f"/api/workflows/{uid}").json()["steps"][0]["metadata"]["elements"]["completed"] == 2
