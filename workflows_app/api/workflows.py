"""Workflows: list, look at, start, and control."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from workflows_app.api import from_template
from workflows_app.api.answers import answer, nothing
from workflows_app.api.auth import caller
from workflows_app.api.bodies import body_of, takes, takes_schema
from workflows_app.api.errors import refusal
from workflows_app.api.headers import idempotency_key, next_link
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.bodies import InlineIn, RerunIn, RetryIn
from workflows_app.api.schemas.queries import ElementQuery, LogQuery, WorkflowQuery
from workflows_app.api.schemas.workflows import LogLinesOut, StepDetailOut, StepOut, WorkflowOut
from workflows_app.catalog import again
from workflows_app.catalog.start import start_inline, start_template
from workflows_app.engine import control, report
from workflows_app.engine.clock import database_now

router = Router(tags=["workflows"], by_alias=True)
STARTED = {200: WorkflowOut, (400, 401, 404, 409, 413, 422): Refusal}
CHANGED = {200: WorkflowOut, (400, 401, 404, 409, 422): Refusal}


@router.get("", response={200: list[WorkflowOut], (401, 422): Refusal}, summary="Workflows, newest change first")
def list_workflows(request: HttpRequest, query: Query[WorkflowQuery]) -> HttpResponse:
    """The next page is in the header `Link: <…>; rel="next"`; without one, this page is the last."""
    page = report.search(filters=query.filters(), limit=query.limit, cursor=query.cursor)
    response = answer(page.workflows)
    if page.cursor:
        response["Link"] = next_link(request, page.cursor)
    return response


@router.post("/from-template", response=STARTED, summary="Start a template", openapi_extra=takes_schema(from_template.SCHEMA))
def start_from_template(request: HttpRequest, template_id: str | None = None, params: str | None = None) -> HttpResponse:
    """Parameters as the bare body, as `params` in the body, or as `params` in the query holding JSON. Header
    `Idempotency-Key`: the same key and payload answers with the same workflow, another payload is a 409."""
    asked = from_template.asked(request, template_id=template_id, params=params)
    key = idempotency_key(request)
    workflow = start_template(slug=asked.template, params=asked.params, idempotency_key=key, now=database_now(), by=caller(request))
    return answer(report.workflow(workflow.uid))


@router.post("", response=STARTED, summary="Start an inline definition", openapi_extra=takes(InlineIn, required=True))
def start_inline_definition(request: HttpRequest) -> HttpResponse:
    body, key = body_of(request, InlineIn), idempotency_key(request)
    if body.dialect == "template" and not body.name and isinstance(body.definition, dict) and "name" not in body.definition:
        raise refusal(["body", "name"], "is missing: name the workflow, here or in the definition", "missing")
    workflow = start_inline(
        name=body.name,
        dialect=body.dialect,
        definition=body.definition,
        params=body.params,
        idempotency_key=key,
        now=database_now(),
        by=caller(request),
    )
    return answer(report.workflow(workflow.uid))


@router.get("/{workflow_id}", response={200: WorkflowOut, (401, 404): Refusal}, summary="One workflow")
def get_workflow(request: HttpRequest, workflow_id: str) -> HttpResponse:
    return answer(report.workflow(workflow_id))


@router.delete("/{workflow_id}", response={204: None, (401, 404, 409): Refusal}, summary="Delete an ended workflow")
def delete_workflow(request: HttpRequest, workflow_id: str) -> HttpResponse:
    control.delete(uid=workflow_id)
    return nothing()


@router.post("/{workflow_id}/stop", response=CHANGED, summary="Stop it now")
def stop_workflow(request: HttpRequest, workflow_id: str) -> HttpResponse:
    control.stop(uid=workflow_id, now=database_now())
    return answer(report.workflow(workflow_id))


@router.post("/{workflow_id}/resume", response=CHANGED, summary="Resume a stopped one")
def resume_workflow(request: HttpRequest, workflow_id: str) -> HttpResponse:
    control.resume(uid=workflow_id, now=database_now())
    return answer(report.workflow(workflow_id))


@router.post("/{workflow_id}/retry", response=CHANGED, summary="Retry failed steps", openapi_extra=takes(RetryIn))
def retry_workflow(request: HttpRequest, workflow_id: str) -> HttpResponse:
    """Every failed step, or with `fromStep` that step and all below it, optionally with other parameters."""
    body = body_of(request, RetryIn)
    again.retry(uid=workflow_id, now=database_now(), from_step=body.from_step, params=body.params)
    return answer(report.workflow(workflow_id))


@router.post("/{workflow_id}/rerun", response=CHANGED, summary="Start it again as a new workflow", openapi_extra=takes(RerunIn))
def rerun_workflow(request: HttpRequest, workflow_id: str) -> HttpResponse:
    """The new workflow's `parentId` is this one."""
    body = body_of(request, RerunIn)
    workflow = again.rerun(uid=workflow_id, now=database_now(), params=body.params, by=caller(request))
    return answer(report.workflow(workflow.uid))


@router.get("/{workflow_id}/steps/{step_id}", response={200: StepDetailOut, (401, 404): Refusal}, summary="One step with its attempts")
def get_step(request: HttpRequest, workflow_id: str, step_id: str) -> HttpResponse:
    return answer(report.step(workflow_id, step_id))


@router.get(
    "/{workflow_id}/steps/{step_id}/elements", response={200: list[StepOut], (401, 404, 422): Refusal}, summary="The elements of a map"
)
def list_elements(request: HttpRequest, workflow_id: str, step_id: str, query: Query[ElementQuery]) -> HttpResponse:
    """Each is a step of its own, in the order of the list. The next page is in the header `Link`."""
    page = report.elements(workflow_id, step_id, statuses=query.status, limit=query.limit, cursor=query.cursor)
    response = answer(page.steps)
    if page.cursor:
        response["Link"] = next_link(request, page.cursor)
    return response


@router.get("/{workflow_id}/steps/{step_id}/logs", response={200: LogLinesOut, (401, 404, 422): Refusal}, summary="What a step said")
def get_log_lines(request: HttpRequest, workflow_id: str, step_id: str, query: Query[LogQuery]) -> HttpResponse:
    return answer(report.log_lines(workflow_id, step_id, after=query.after, level=query.level, limit=query.limit))
