"""What every front door refuses: 422, naming node and field, and nothing is kept (CONTRACT.md sections 3 to 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.api.calls import detail, post
from workflows_app.graph.definition import MAX_NODES
from workflows_app.models import Definition, Template, Workflow

pytestmark = pytest.mark.django_db
BRANCH = {"cases": [{"label": "yes", "condition": True, "next": "b"}, {"else": True, "next": "nowhere"}]}
YEAR_SECONDS = 366 * 24 * 3600


@dataclass
class Part:
    """A node as no door writes it."""

    id: Any
    action: Any = "transform"
    needs: list[str] = field(default_factory=list)
    config: Any = field(default_factory=lambda: {"value": 1})


def as_template(parts: list[Part]) -> dict[str, Any]:
    steps = [{"id": p.id, "action": p.action, "needs": p.needs, "with": p.config} for p in parts]
    return {"name": "x", "definition": {"name": "x", "steps": steps}}


def as_graph(parts: list[Part]) -> dict[str, Any]:
    edges = [{"id": f"{need}-{p.id}", "source": need, "target": p.id} for p in parts for need in p.needs]
    return {"name": "x", "nodes": [{"id": p.id, "type": p.action, "data": p.config} for p in parts], "edges": edges}


def as_dag(parts: list[Part]) -> dict[str, Any]:
    nodes = [{"id": p.id, "handler": p.action, "dependencies": p.needs, "config": p.config} for p in parts]
    return {"name": "x", "dag": {"nodes": nodes}}


def as_tasks(parts: list[Part]) -> dict[str, Any]:
    """Names only: this door has neither ids nor edges."""
    steps = [{"execution_type": "sequential", "tasks": [{"name": p.action, "params": p.config} for p in parts]}] if parts else []
    return {"name": "x", "steps": steps}


DOORS: dict[str, tuple[str, Callable[[list[Part]], dict[str, Any]]]] = {
    "template": ("/api/workflows", as_template),
    "graph": ("/api/graph/workflows", as_graph),
    "dag": ("/v1/workflow", as_dag),
    "tasks": ("/api/workflow", as_tasks),
}
WITH_EDGES = ["template", "graph", "dag"]
ALL = [*WITH_EDGES, "tasks"]
A = Part("a", "start", config={})

DEFECTS: dict[str, tuple[list[str], list[Part], str, str | None]] = {
    "a cycle": (WITH_EDGES, [Part("a", needs=["c"]), Part("b", needs=["a"]), Part("c", needs=["b"])], " -> b -> ", "a"),
    "a duplicate id": (WITH_EDGES, [A, Part("b", needs=["a"]), Part("b", needs=["a"])], "the id 'b' is taken", "b"),
    "an empty id": (WITH_EDGES, [Part("", "start", config={})], "needs an id", ""),
    "an unknown type": (ALL, [Part("a", "teleport", config={})], "'teleport'", "a"),
    "a dangling edge": (WITH_EDGES, [A, Part("b", needs=["a", "ghost"])], "'ghost', which does not exist", None),
    "two start nodes": (["graph"], [A, Part("b", "start", config={})], "two start nodes", "b"),
    "a case to nowhere": (WITH_EDGES, [Part("a", "branch", config=BRANCH), Part("b", needs=["a"])], "'nowhere', which does not exist", "a"),
    "no node": (ALL, [], "at least one", None),
    "too many nodes": (
        ALL,
        [A, *(Part(f"n{n}", "input", ["a"], {}) for n in range(MAX_NODES))],
        "limit is 10,000",
        None,
    ),
    "over 1 MB": (ALL, [Part("a", "transform", config={"value": "x" * 1_000_001})], "larger than 1,000,000 bytes", None),
    "a number for an id": (WITH_EDGES, [Part(7)], "must be a valid string", None),
    "a text for a configuration": (ALL, [Part("a", config="x")], "must be", None),
    "a delay below 0": (ALL, [Part("a", "delay", config={"ms": -1})], "greater than or equal to 0", "a"),
    "a delay above a year": (ALL, [Part("a", "delay", config={"ms": YEAR_SECONDS * 1000 + 1})], "less than or equal to", "a"),
}
CASES = [(door, defect) for defect, (doors, *_) in DEFECTS.items() for door in doors]


@pytest.mark.parametrize(("door", "defect"), CASES, ids=[f"{door}: {defect}" for door, defect in CASES])
def test_every_door_refuses(door: str, defect: str) -> None:
    _, parts, said, node = DEFECTS[defect]
    address, write = DOORS[door]
    before = (Workflow.objects.count(), Definition.objects.count(), Template.objects.count())
    response = post(address, write(parts))
    assert response.status_code == 422, response.content[:500]
    told = [found for found in detail(response) if said in found["msg"]]
    assert told, detail(response)
    if node and door != "tasks":
        assert told[0]["node"] == node
    assert told[0]["loc"][0] == "body"
    assert (Workflow.objects.count(), Definition.objects.count(), Template.objects.count()) == before


@pytest.mark.parametrize("door", ALL)
def test_a_document_that_is_too_deep_is_refused(door: str) -> None:
    value: Any = 1
    for _ in range(70):
        value = [value]
    address, write = DOORS[door]
    response = post(address, write([Part("a", config={"value": value})]))
    assert response.status_code == 422 and "levels" in str(detail(response))


@pytest.mark.parametrize("door", WITH_EDGES)
def test_a_node_without_an_id_is_refused(door: str) -> None:
    address, write = DOORS[door]
    body = write([Part("a")])
    for nodes in (body.get("nodes"), body.get("dag", {}).get("nodes"), body.get("definition", {}).get("steps")):
        for node in nodes or []:
            del node["id"]
    response = post(address, body)
    assert response.status_code == 422 and any(found["loc"][-1] == "id" for found in detail(response))


@pytest.mark.parametrize("door", ALL)
def test_a_body_larger_than_the_limit_is_refused_before_it_is_read(door: str) -> None:
    address, write = DOORS[door]
    assert post(address, write([Part("a", config={"value": "x" * 2_000_001})])).status_code == 413
