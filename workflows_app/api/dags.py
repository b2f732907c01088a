"""DAGs under /v1: submit, trigger, look at states and results (CONTRACT.md section 6)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from workflows_app.api.answers import answer
from workflows_app.api.auth import caller
from workflows_app.api.bodies import body_of, object_of, takes, takes_schema
from workflows_app.api.errors import definition_at, params_at
from workflows_app.api.headers import idempotency_key
from workflows_app.api.operations import get_health
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.dags import DAG_IN, DagResultsOut, DagStateOut, SubmittedOut, TriggeredOut, TriggerIn
from workflows_app.api.schemas.operations import HealthOut
from workflows_app.catalog import again
from workflows_app.catalog.submit import definition_id, submit
from workflows_app.engine.clock import database_now
from workflows_app.engine.report import nodes

router = Router(tags=["dags"], by_alias=True)
SUBMITTED = "The workflow was checked and kept; trigger its execution to start it"
STARTED = "The workflow was started"
STARTED_AGAIN = "The workflow was started again, as a new execution"
router.get("/health", auth=None, response={(200, 503): HealthOut}, summary="Whether it works, part by part")(get_health)


@router.post(
    "/workflow",
    response={200: SubmittedOut, (400, 401, 409, 413, 422): Refusal},
    summary="Submit a DAG",
    openapi_extra=takes_schema(DAG_IN, required=True),
)
def submit_dag(request: HttpRequest) -> HttpResponse:
    """Checked and kept, not started. An `Idempotency-Key` makes a repeated call harmless."""
    dag, key = object_of(request), idempotency_key(request)
    with definition_at("body"):
        workflow = submit(name="", definition=dag, idempotency_key=key, now=database_now(), by=caller(request))
    ids = {"workflow_definition_id": str(definition_id(workflow)), "execution_id": str(workflow.uid)}
    return answer({**ids, "message": SUBMITTED})


@router.post(
    "/workflow/trigger/{execution_id}",
    response={200: TriggeredOut, (400, 401, 404, 409, 413, 422): Refusal},
    summary="Start an execution",
    openapi_extra=takes(TriggerIn),
)
def trigger_execution(request: HttpRequest, execution_id: str) -> HttpResponse:
    """One that has ended is started again as a new execution, whose id is in the answer. 409 while it runs."""
    body = body_of(request, TriggerIn)
    with params_at("body", "input_params"):
        workflow = again.trigger(uid=execution_id, params=body.input_params, now=database_now(), by=caller(request))
    message = STARTED_AGAIN if workflow.parent_id else STARTED
    return answer({"execution_id": str(workflow.uid), "message": message})


@router.get("/workflows/{execution_id}", response={200: DagStateOut, (401, 404): Refusal}, summary="State of an execution and its nodes")
def get_states(request: HttpRequest, execution_id: str) -> HttpResponse:
    """A node that never began is PENDING here."""
    return answer(nodes.states(execution_id))


@router.get("/workflows/{execution_id}/results", response={200: DagResultsOut, (401, 404): Refusal}, summary="Outputs of an execution")
def get_results(request: HttpRequest, execution_id: str) -> HttpResponse:
    """Also while it runs: what has completed so far."""
    return answer(nodes.results(execution_id))
