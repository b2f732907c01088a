"""Sequential and parallel tasks (CONTRACT.md section 4)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from workflows_app.api.answers import answer
from workflows_app.api.auth import caller
from workflows_app.api.bodies import object_of, takes_schema
from workflows_app.api.errors import definition_at
from workflows_app.api.headers import idempotency_key
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.tasks import TASKS_IN, TaskWorkflowOut
from workflows_app.catalog.start import start_inline
from workflows_app.engine import report
from workflows_app.engine.clock import database_now

router = Router(tags=["tasks"], by_alias=True)
DIALECT = "tasks"
STARTED = {200: TaskWorkflowOut, (400, 401, 409, 413, 422): Refusal}


@router.post("", response=STARTED, summary="Start tasks in steps", openapi_extra=takes_schema(TASKS_IN, required=True))
def start_tasks(request: HttpRequest) -> HttpResponse:
    """Steps run one after another; a step's tasks in order or at once. An `Idempotency-Key` makes a repeated call harmless."""
    tasks, key = object_of(request), idempotency_key(request)
    with definition_at("body"):
        workflow = start_inline(
            name="", dialect=DIALECT, definition=tasks, params={}, idempotency_key=key, now=database_now(), by=caller(request)
        )
    return answer(_shown(workflow.uid))


@router.get("/{workflow_id}", response={200: TaskWorkflowOut, (401, 404): Refusal}, summary="One workflow, with its id under both names")
def get_tasks(request: HttpRequest, workflow_id: str) -> HttpResponse:
    """Whichever way it was started."""
    return answer(_shown(workflow_id))


def _shown(uid: object) -> dict[str, Any]:
    shown = report.workflow(uid)
    return {**shown, "workflow_id": shown["id"]}
