"""What the document promises is what is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.api.calls import get, post
from tests.api.templates_for_tests import SOURCE, a_published
from tests.factories import a_log_line, a_template, a_worker, a_workflow, an_attempt
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.operations import HealthOut, QueueOut, StatsOut, WorkerOut
from workflows_app.api.schemas.templates import TemplateDetailOut, TemplateOut, ValidationOut, VersionOut
from workflows_app.api.schemas.workflows import LogLinesOut, StepDetailOut, WorkflowOut
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
    return {
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
        assert adapter.dump_python(adapter.validate_python(sent, strict=True), by_alias=True) == sent, path


def test_a_check_and_a_refusal_have_the_shape_of_the_document() -> None:
    TypeAdapter(ValidationOut).validate_python(post("/api/templates/x/validate", {"source": "name: x"}).json())
    refused = [post("/api/workflows", {"definition": "x"}), post("/api/workflows", {})]
    for response in [*refused, get("/api/workflows/1"), get("/api/workflows?limit=x")]:
        TypeAdapter(Refusal).validate_python(response.json())


def test_the_document_names_every_operation_of_the_contract_and_speaks_camel_case() -> None:
    document = get("/api/openapi.json").json()
    assert {(method, path.removeprefix("/api")) for path, methods in document["paths"].items() for method in methods} == {
        ("get", "/health"), ("get", "/queue"), ("get", "/workers"), ("get", "/stats"),
        ("get", "/workflows"), ("post", "/workflows"), ("post", "/workflows/from-template"),
        ("get", "/workflows/{workflow_id}"), ("delete", "/workflows/{workflow_id}"),
        ("post", "/workflows/{workflow_id}/stop"), ("post", "/workflows/{workflow_id}/resume"),
        ("post", "/workflows/{workflow_id}/retry"), ("post", "/workflows/{workflow_id}/rerun"),
        ("get", "/workflows/{workflow_id}/steps/{step_id}"), ("get", "/workflows/{workflow_id}/steps/{step_id}/logs"),
        ("get", "/templates"), ("post", "/templates"), ("get", "/templates/{slug}"), ("put", "/templates/{slug}"),
        ("delete", "/templates/{slug}"), ("get", "/templates/{slug}/versions"), ("post", "/templates/{slug}/validate"),
    }  # fmt: skip
    text = json.dumps(document["components"])
    assert "startTime" in text and "start_time" not in text


def test_the_document_has_no_reference_that_leads_nowhere() -> None:
    document = get("/api/openapi.json").json()
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
