"""Executions under /api/graph: those of every door (CONTRACT.md section 5)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.calls import call, fields, get, post
from tests.api.test_graph import EVENTS, EXECUTIONS, GRAPHS, a_graph
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage
from tests.factories import a_workflow
from workflows_app.models import Workflow


def test_an_execution_shows_its_payload_and_its_steps(stage: Stage) -> None:
    """CONTRACT.md section 5: `GET /api/graph/executions/{id}`, `…/steps`."""
    nodes = [{"id": "a", "type": "start"}, {"id": "b", "type": "transform", "data": {"value": "{{ payload.n }}"}}]
    slug = a_graph(trigger=True, nodes=nodes, edges=[{"source": "a", "target": "b"}])
    uid = post(EVENTS, {"n": 7}).json()["executions"][0]["id"]
    stage.play(Workflow.objects.get(uid=uid))
    shown = get(f"{EXECUTIONS}/{uid}").json()
    assert (shown["id"], shown["workflow_id"], shown["workflow_name"], shown["payload"]) == (uid, slug, "Tiny", {"n": 7})
    assert (shown["status"], shown["progress"], shown["error"]) == ("COMPLETED", 100, None)
    assert shown["created_at"] <= shown["started_at"] <= shown["ended_at"]
    steps = get(f"{EXECUTIONS}/{uid}/steps").json()
    assert [(s["id"], s["node_id"], s["type"], s["status"], s["attempts"], s["skipped"]) for s in steps] == [
        ("a", "a", "start", "COMPLETED", 1, False), ("b", "b", "transform", "COMPLETED", 1, False),
    ]  # fmt: skip
    assert steps[1]["result"] == 7 and steps[1]["logs"]


@pytest.mark.django_db
def test_executions_are_listed_by_workflow_and_status_in_pages() -> None:
    first, second = a_graph(trigger=True, name="First"), a_graph(trigger={"var": "both"}, name="Second")
    for _ in range(3):
        post(EVENTS, {})
    post(EVENTS, {"both": 1})
    a_workflow()
    assert len(get(EXECUTIONS).json()) == 6
    assert {row["workflow_id"] for row in get(f"{EXECUTIONS}?workflow_id={first}").json()} == {first}
    assert len(get(f"{EXECUTIONS}?workflow_id={second}&status=PENDING").json()) == 1
    assert get(f"{EXECUTIONS}?status=FAILED").json() == get(f"{EXECUTIONS}?workflow_id=nope").json() == []
    seen, path = [], f"{EXECUTIONS}?workflow_id={first}&limit=3"
    while path:
        response = get(path)
        seen += [row["id"] for row in response.json()]
        link = re.match(r"<http://testserver(.*)>; rel=\"next\"", response.get("Link", ""))
        path = link[1] if link else ""
    assert len(seen) == len(set(seen)) == 4


@pytest.mark.django_db
def test_the_lists_cost_the_same_number_of_queries_whatever_their_length(django_assert_num_queries: Any) -> None:
    for number in range(8):
        a_graph(name=f"g{number}", trigger=True)
    post(EVENTS, {})
    with django_assert_num_queries(2):
        assert len(get(EXECUTIONS).json()) == 8
    with django_assert_num_queries(1):
        assert len(get(GRAPHS).json()) == 8


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "named"), [("status=DONE", "query.status.0"), ("limit=0", "query.limit"), ("cursor=x", "query.cursor")])
def test_a_wrong_query_names_its_field(query: str, named: str) -> None:
    assert fields(get(f"{EXECUTIONS}?{query}")) == {named}


@pytest.mark.django_db
@pytest.mark.parametrize("uid", ["7", "%00", "00000000-0000-0000-0000-000000000007"])
def test_an_unknown_execution_is_not_found(uid: str) -> None:
    assert get(f"{EXECUTIONS}/{uid}").status_code == get(f"{EXECUTIONS}/{uid}/steps").status_code == 404


@pytest.mark.django_db
def test_executions_outlive_their_graph() -> None:
    slug = a_graph(trigger=True)
    uid = post(EVENTS, {}).json()["executions"][0]["id"]
    call("DELETE", f"{GRAPHS}/{slug}")
    assert get(f"{EXECUTIONS}/{uid}").json()["workflow_id"] == slug
