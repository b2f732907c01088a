"""Executions as the door of graphs shows them: those of every door (CONTRACT.md section 5)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from workflows_app.api.answers import answer
from workflows_app.api.graph_shapes import execution_json, execution_step_json
from workflows_app.api.headers import next_link
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.graph import ExecutionOut, ExecutionQuery, ExecutionStepOut
from workflows_app.engine import report
from workflows_app.engine.report.find import the_workflow
from workflows_app.engine.report.search import Filters

router = Router(tags=["graphs"], by_alias=True)


@router.get("/executions", response={200: list[ExecutionOut], (401, 422): Refusal}, summary="Executions, newest change first")
def list_executions(request: HttpRequest, query: Query[ExecutionQuery]) -> HttpResponse:
    """The next page is in the header `Link: <…>; rel="next"`."""
    filters = Filters(statuses=query.status, template=query.workflow_id)
    rows, cursor = report.search_rows(filters=filters, limit=query.limit, cursor=query.cursor)
    response = answer([execution_json(row) for row in rows.select_related("template_version__template")])
    if cursor:
        response["Link"] = next_link(request, cursor)
    return response


@router.get("/executions/{execution_id}", response={200: ExecutionOut, (401, 404): Refusal}, summary="One execution")
def get_execution(request: HttpRequest, execution_id: str) -> HttpResponse:
    return answer(execution_json(the_workflow(execution_id)))


@router.get("/executions/{execution_id}/steps", response={200: list[ExecutionStepOut], (401, 404): Refusal}, summary="Its steps")
def list_execution_steps(request: HttpRequest, execution_id: str) -> HttpResponse:
    """In the author's order."""
    return answer([execution_step_json(step) for step in report.workflow(execution_id)["steps"]])
