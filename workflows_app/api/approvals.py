"""Approvals: which ones wait for the caller, and their decision."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from workflows_app.api.answers import answer
from workflows_app.api.auth import caller
from workflows_app.api.bodies import object_of, takes_schema
from workflows_app.api.errors import params_at, refusal
from workflows_app.api.schemas.approvals import ApprovalOut
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.workflows import WorkflowOut
from workflows_app.catalog.approvals import REASON, decide, waiting_for
from workflows_app.engine import report
from workflows_app.engine.clock import database_now
from workflows_app.engine.report.approvals import approvals

router = Router(tags=["approvals"], by_alias=True)
DECIDED = {200: WorkflowOut, (400, 401, 403, 404, 409, 413, 422): Refusal}
FORM = {"type": "object", "description": "the fields of the step's form"}
FORM_AND_REASON = {"type": "object", "properties": {REASON: {"type": "string"}}, "description": "fields of the form, none required"}
MAX_REASON = 2_000


@router.get("/approvals", response={200: list[ApprovalOut], 401: Refusal}, summary="Approvals that you may give")
def list_approvals(request: HttpRequest) -> HttpResponse:
    return answer(approvals(waiting_for(caller(request))))


@router.post(
    "/workflows/{workflow_id}/steps/{step_id}/approve", response=DECIDED, summary="Approve a step", openapi_extra=takes_schema(FORM)
)
def approve_step(request: HttpRequest, workflow_id: str, step_id: str) -> HttpResponse:
    """Answers with the workflow. 409 when the step waits for no approval, or somebody was quicker."""
    with params_at("body"):
        decide(uid=workflow_id, step_id=step_id, approved=True, data=object_of(request), by=caller(request), now=database_now())
    return answer(report.workflow(workflow_id))


@router.post(
    "/workflows/{workflow_id}/steps/{step_id}/reject",
    response=DECIDED,
    summary="Reject a step",
    openapi_extra=takes_schema(FORM_AND_REASON),
)
def reject_step(request: HttpRequest, workflow_id: str, step_id: str) -> HttpResponse:
    """The step fails, unless its author wrote `on_reject: continue`."""
    body = object_of(request)
    reason = _reason(body.pop(REASON, ""))
    with params_at("body"):
        decide(uid=workflow_id, step_id=step_id, approved=False, data=body, reason=reason, by=caller(request), now=database_now())
    return answer(report.workflow(workflow_id))


def _reason(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_REASON:
        raise refusal(["body", REASON], f"must be text of at most {MAX_REASON:,} characters", "string_type")
    return value
