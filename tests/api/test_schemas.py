"""What the document promises is what is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.access.test_notifications import a_notification
from tests.api.calls import get, post
from tests.api.templates_for_tests import SOURCE, a_published
from tests.factories import NOW, a_log_line, a_step, a_template, a_worker, a_workflow, an_attempt
from workflows_app.api.schemas.approvals import ApprovalOut
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.dags import DagResultsOut, DagStateOut, SubmittedOut, TriggeredOut
from workflows_app.api.schemas.events import EventDetailOut, EventOut
from workflows_app.api.schemas.graph import ExecutionOut, ExecutionStepOut, GraphEventOut, GraphOut
from workflows_app.api.schemas.notifications import MarkedOut, NotificationOut
from workflows_app.api.schemas.operations import HealthOut, QueueOut, StatsOut, WorkerOut
from workflows_app.api.schemas.tasks import TaskWorkflowOut
from workflows_app.api.schemas.templates import TemplateDetailOut, TemplateOut, ValidationOut, VersionOut
from workflows_app.api.schemas.workflows import LogLinesOut, StepDetailOut, StepOut, WorkflowOut
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def paths() -> dict[str, Any]:
    """Every path that is read, over rows of every kind, with its shape."""
    a_published("one")
    a_worker(heartbeat_at=datetime.now(UTC))
    nodes = (Node("a", "branch"), Node("b", "input", needs=("a",)), Node("c", "input", needs=("b",)))
    statuses = {"a": Status.COMPLETED, "b": Status.RUNNING}
    workflow = a_workflow(*nodes, statuses=statuses, parent=a_workflow(template=a_template()))
    first = workflow.steps.get(node_id="a")
    type(first).objects.filter(pk=first.pk).update(metadata={"case": "x", "next": ["b"]}, output={"x": [1]})
    an_attempt(first)
    a_log_line(first)
    uid = workflow.uid
    a_notification(workflow=workflow)
    post("/api/graph/workflows", {"trigger": True, "nodes": [{"id": "a", "type": "start"}]})
    sent = post("/api/graph/events", {}).json()
    ask = Node("ask", "approval"), Node("fetch", "map", body=Node("fetch", "input"))
    waiting = a_workflow(*ask, statuses={"ask": Status.WAITING_FOR_DEPENDENCY, "fetch": Status.COMPLETED})
    waiting.steps.filter(node_id="ask").update(waits_for="approval", claimed_at=NOW, metadata={"approval": {}, "expiresAt": None})
    a_step(waiting, Node("fetch[0]", "input"), parent=waiting.steps.get(node_id="fetch"))
    return {
        "/api/notifications": list[NotificationOut],
        "/api/approvals": list[ApprovalOut],
        f"/api/workflows/{waiting.uid}/steps/fetch/elements": list[StepOut],
        f"/api/workflow/{waiting.uid}": TaskWorkflowOut,
        "/api/events": list[EventOut],
        f"/api/events/{sent['event_id']}": EventDetailOut,
        "/api/graph/workflows": list[GraphOut],
        "/api/graph/workflows/untitled-graph": GraphOut,
        "/api/graph/executions": list[ExecutionOut],
        f"/api/graph/executions/{uid}": ExecutionOut,
        f"/api/graph/executions/{uid}/steps": list[ExecutionStepOut],
        f"/v1/workflows/{uid}": DagStateOut,
        f"/v1/workflows/{uid}/results": DagResultsOut,
        "/v1/health": HealthOut,
        "/api/workflows": list[WorkflowOut],
        f"/api/workflows/{uid}": WorkflowOut,
        f"/api/workflows/{uid}/steps/a": StepDetailOut,
        f"/api/workflows/{uid}/steps/a/logs": LogLinesOut,
        "/api/templates": list[TemplateOut],
        "/api/templates/one": TemplateDetailOut,
        "/api/templates/one/versions": list[VersionOut],
        "/api/queue": QueueOut,
        "/api/workers": list[WorkerOut],
        "/api/stats": StatsOut,
        "/api/health": HealthOut,
    }


def test_every_answer_has_exactly_the_keys_and_types_of_the_document(paths: dict[str, Any]) -> None:
    for path, shape in paths.items():
        adapter = TypeAdapter(shape)
        sent = get(path).json()
        assert sent, path
        assert adapter.dump_python(adapter.validate_python(sent, strict=True), by_alias=True) == sent, path


def test_what_is_answered_to_a_post_has_the_shape_of_the_document_too() -> None:
    post("/api/graph/workflows", {"trigger": True, "nodes": [{"id": "a", "type": "start"}]})
    dag = {"name": "x", "dag": {"nodes": [{"id": "a", "handler": "input"}]}}
    submitted = post("/v1/workflow", dag).json()
    TypeAdapter(SubmittedOut).validate_python(submitted)
    TypeAdapter(TriggeredOut).validate_python(post(f"/v1/workflow/trigger/{submitted['execution_id']}").json())
    TypeAdapter(GraphEventOut).validate_python(post("/api/graph/events", {"a": 1}).json())
    TypeAdapter(EventOut).validate_python(post("/api/events", {"a": 1}).json())
    TypeAdapter(MarkedOut).validate_python(post("/api/notifications/read-all").json())


def test_a_check_and_a_refusal_have_the_shape_of_the_document() -> None:
    TypeAdapter(ValidationOut).validate_python(post("/api/templates/x/validate", {"source": "name: x"}).json())
    refused = [post("/api/workflows", {"definition": "x"}), post("/api/workflows", {})]
    for response in [*refused, get("/api/workflows/1"), get("/api/workflows?limit=x")]:
        TypeAdapter(Refusal).validate_python(response.json())


def test_the_document_names_every_operation_of_the_contract_and_speaks_camel_case() -> None:
    document = get("/api/openapi.json").json()
    assert {(method, path.removeprefix("/api")) for path, methods in document["paths"].items() for method in methods} == {
        ("get", "/health"), ("get", "/queue"), ("post", "/queue/pause"), ("post", "/queue/resume"), ("get", "/workers"), ("get", "/stats"),
        ("get", "/workflows"), ("post", "/workflows"), ("post", "/workflows/from-template"),
        ("get", "/workflows/{workflow_id}"), ("delete", "/workflows/{workflow_id}"),
        ("post", "/workflows/{workflow_id}/stop"), ("post", "/workflows/{workflow_id}/resume"),
        ("post", "/workflows/{workflow_id}/retry"), ("post", "/workflows/{workflow_id}/rerun"),
        ("get", "/workflows/{workflow_id}/steps/{step_id}"), ("get", "/workflows/{workflow_id}/steps/{step_id}/logs"),
        ("get", "/templates"), ("post", "/templates"), ("get", "/templates/{slug}"), ("put", "/templates/{slug}"),
        ("delete", "/templates/{slug}"), ("get", "/templates/{slug}/versions"), ("post", "/templates/{slug}/validate"),
        ("get", "/templates/{slug}/export"), ("post", "/templates/import"),
        ("post", "/workflows/{workflow_id}/steps/{step_id}/approve"), ("post", "/workflows/{workflow_id}/steps/{step_id}/reject"),
        ("get", "/approvals"), ("get", "/workflows/{workflow_id}/steps/{step_id}/elements"),
        ("get", "/notifications"), ("post", "/notifications/{notification_id}/read"), ("post", "/notifications/read-all"),
        ("get", "/events"), ("post", "/events"), ("get", "/events/{event_id}"), ("post", "/events/webhooks/{source}"),
        ("get", "/schedules"), ("post", "/schedules"), ("get", "/schedules/preview"), ("get", "/schedules/{schedule_id}"),
        ("put", "/schedules/{schedule_id}"), ("delete", "/schedules/{schedule_id}"), ("post", "/schedules/{schedule_id}/pause"),
        ("post", "/schedules/{schedule_id}/resume"), ("post", "/schedules/{schedule_id}/run"),
        ("post", "/workflow"), ("get", "/workflow/{workflow_id}"),
        ("get", "/graph/workflows"), ("post", "/graph/workflows"), ("get", "/graph/workflows/{graph_id}"),
        ("put", "/graph/workflows/{graph_id}"), ("delete", "/graph/workflows/{graph_id}"), ("post", "/graph/events"),
        ("get", "/graph/executions"), ("get", "/graph/executions/{execution_id}"), ("get", "/graph/executions/{execution_id}/steps"),
    }  # fmt: skip
    text = json.dumps(document["components"]["schemas"]["StepOut"])
    assert "startTime" in text and "start_time" not in text


def test_the_dags_have_a_document_of_their_own() -> None:
    """CONTRACT.md section 6."""
    document = get("/v1/openapi.json").json()
    assert {(method, path) for path, methods in document["paths"].items() for method in methods} == {
        ("post", "/v1/workflow"), ("post", "/v1/workflow/trigger/{execution_id}"), ("get", "/v1/workflows/{execution_id}"),
        ("get", "/v1/workflows/{execution_id}/results"), ("get", "/v1/health"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["api", "v1"])
def test_the_document_has_no_reference_that_leads_nowhere(name: str) -> None:
    document = get(f"/{name}/openapi.json").json()
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "#/')[1:]}:
        found: Any = document
        for key in reference.split("/"):
            found = found[key]


def test_bodies_are_in_the_document() -> None:
    paths = get("/api/openapi.json").json()["paths"]
    schema = paths["/api/workflows/{workflow_id}/retry"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"fromStep", "params"}
    assert schema["additionalProperties"] is False


def test_no_row_number_leaves() -> None:
    started = post("/api/workflows", {"definition": SOURCE}).json()
    assert not any(isinstance(value, int) for key, value in started.items() if "id" in key.lower())
    assert {step["id"] for step in started["steps"]} == {"fetch", "shape"}
