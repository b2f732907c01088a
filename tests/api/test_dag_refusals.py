"""What is wrong with a DAG is said when it is submitted (CONTRACT.md section 6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calls import detail, fields, post
from tests.api.test_dags import dag, one
from workflows_app.graph.definition import MAX_NODES
from workflows_app.models import Definition, Workflow


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field", "node_id", "said"),
    [
        (dag(one("a", "input", "c"), one("b", "input", "a"), one("c", "input", "b")), "dependencies", "a", " -> b -> "),
        (dag(one("a", "inptu")), "handler", "a", "'inptu'"),
        (dag({"handler": "input"}), "id", None, "is missing"),
        (dag(one("a", "input"), one("a", "input")), "id", "a", "'a' is taken"),
        (dag(one("a", "input", "b")), "0", "a", "'b', which does not exist"),
        (dag(one("a", "output", value="{{ b.output }}")), "value", "a", "'b'"),
        (dag(one("a", "input"), one("b", "output", value="{{ a.output }}")), "value", "b", "add 'a' to its dependencies"),
        (dag(), "nodes", None, "at least one"),
        (dag(*(one(f"n{i}", "input") for i in range(MAX_NODES + 1))), "nodes", None, "10,000"),
    ],
    ids=["cycle", "handler", "no id", "same id", "dependency", "reference", "not upstream", "empty", "too many"],
)  # fmt: skip
def test_what_is_wrong_is_refused_at_submission_naming_node_and_field(
    settings: Any, body: Any, field: str, node_id: str | None, said: str
) -> None:
    """CONTRACT.md section 6: 422, each message naming the node: a cycle (shown as a path), an unknown handler, a missing or
    duplicate id, a dependency or a template reference that does not exist or is not upstream, an empty graph, over the size limits."""
    response = post("/v1/workflow", body)
    assert response.status_code == 422
    found = next(found for found in detail(response) if said in found["msg"])
    assert str(found["loc"][-1]) == field and found["loc"][:2] == ["body", "dag"]
    assert found["node"] == node_id
    assert not Workflow.objects.exists() and not Definition.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"body.name", "body.dag"}),
        ([], {"body"}),
        ({"name": "x", "dag": []}, {"body.dag"}),
        ({"name": "x", "dag": {"nodes": {}}}, {"body.dag.nodes"}),
        ({"name": "x", "dag": {"nodes": [None]}}, {"body.dag.nodes.0"}),
        ({"name": "x", "dag": {"nodes": [{"id": 7, "handler": [], "dependencies": "a", "config": 1}]}},
         {"body.dag.nodes.0.id", "body.dag.nodes.0.handler", "body.dag.nodes.0.dependencies", "body.dag.nodes.0.config"}),
        ({"name": 7, "dag": {"nodes": [{"id": "a", "handler": "input"}]}}, {"body.name"}),
    ],
)  # fmt: skip
def test_wrong_types_are_refused_by_field(body: Any, named: set[str]) -> None:
    assert fields(post("/v1/workflow", body)) == named
