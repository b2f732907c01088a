"""Graphs, events and executions under /api/graph (CONTRACT.md section 5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calls import call, detail, fields, get, post
from tests.api.templates_for_tests import a_published
from tests.engine.at_once import at_once
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage, statuses
from tests.factories import a_token
from workflows_app.models import Template, Workflow

GRAPHS, EVENTS, EXECUTIONS = "/api/graph/workflows", "/api/graph/events", "/api/graph/executions"
LEAD = {"lead": {"source": "LinkedIn", "score": 90, "title": "CEO"}}
TRIGGER = {"and": [{"==": [{"var": "lead.source"}, "LinkedIn"]}, {">": [{"var": "lead.score"}, 80]}]}


def hot_lead(url: str = "http://127.0.0.1:9") -> dict[str, Any]:
    """The graph that an earlier client has, with the two steps that its branch leads to."""
    return {
        "name": "Hot lead",
        "trigger": TRIGGER,
        "nodes": [
            {"id": "start", "type": "start", "data": {}},
            {"id": "notify", "type": "send_notification", "data": {"toRole": "AE", "message": "New hot lead {{ payload.lead.title }}"}},
            {"id": "wait", "type": "delay", "data": {"ms": 1000}},
            {"id": "call", "type": "http_call", "data": {
                "method": "POST", "url": f"{url}/demo/echo", "body": {"to": "{{payload.lead.title}}"},
            }},
            {"id": "branch", "type": "branch", "data": {"cases": [
                {"label": "CEO", "condition": {"==": [{"var": "lead.title"}, "CEO"]}, "next": "gift"}, {"else": True, "next": "drip"},
            ]}},
            {"id": "gift", "type": "send_notification", "data": {"toRole": "AE", "message": "Send a gift"}},
            {"id": "drip", "type": "send_notification", "data": {"toRole": "AE", "message": "Start the drip"}},
        ],
        "edges": [
            {"id": "e1", "source": "start", "target": "notify"},
            {"id": "e2", "source": "notify", "target": "wait"},
            {"id": "e3", "source": "wait", "target": "call"},
            {"id": "e4", "source": "call", "target": "branch"},
        ],
    }  # fmt: skip


def tiny(**changes: Any) -> dict[str, Any]:
    return {"name": "Tiny", "nodes": [{"id": "a", "type": "start", "data": {}}], "edges": [], **changes}


def a_graph(**changes: Any) -> str:
    response = post(GRAPHS, tiny(**changes))
    assert response.status_code == 201, response.content
    return response.json()["id"]


@pytest.mark.django_db
def test_a_graph_is_kept_and_answered_exactly_as_it_was_sent() -> None:
    """CONTRACT.md section 5: body of a workflow, and `POST·GET /api/graph/workflows`."""
    sent = {**hot_lead(), "description": "For the sales team"}
    response = post(GRAPHS, sent)
    assert response.status_code == 201
    kept = response.json()
    assert {key: kept[key] for key in sent} == sent
    assert (kept["id"], kept["version"]) == ("hot-lead", 1)
    assert set(kept) - set(sent) == {"id", "version", "created_at", "updated_at"}
    assert get(f"{GRAPHS}/hot-lead").json() == kept and get(GRAPHS).json() == [kept]


@pytest.mark.django_db
def test_what_only_the_editor_needs_is_kept_too() -> None:
    node = {"id": "a", "type": "start", "data": {"label": "Begin"}, "position": {"x": 1, "y": 2.5}, "selected": False}
    assert get(f"{GRAPHS}/{a_graph(nodes=[node])}").json()["nodes"] == [node]


@pytest.mark.django_db
def test_ids_are_made_of_names_and_numbered() -> None:
    assert [a_graph(name="Hot Lead!") for _ in range(3)] == ["hot-lead", "hot-lead-2", "hot-lead-3"]
    call("DELETE", f"{GRAPHS}/hot-lead-2")
    assert a_graph(name="hot lead") == "hot-lead-4"
    assert post(GRAPHS, {"nodes": [{"id": "a", "type": "start"}]}).json()["id"] == "untitled-graph"


@pytest.mark.django_db(transaction=True)
def test_graphs_of_one_name_at_the_same_moment_get_ids_of_their_own() -> None:
    found = at_once(lambda n: post(GRAPHS, tiny()).status_code, 4)
    assert found == [201] * 4
    assert set(Template.objects.values_list("slug", flat=True)) == {"tiny", "tiny-2", "tiny-3", "tiny-4"}


@pytest.mark.django_db
def test_putting_makes_a_new_version_and_what_was_answered_may_be_sent_back() -> None:
    kept = get(f"{GRAPHS}/{a_graph()}").json()
    response = call("PUT", f"{GRAPHS}/tiny", {**kept, "name": "Renamed", "nodes": [*kept["nodes"], {"id": "b", "type": "output"}],
                                              "edges": [{"source": "a", "target": "b"}]})  # fmt: skip
    changed = response.json()
    assert (response.status_code, changed["id"], changed["name"], changed["version"]) == (200, "tiny", "Renamed", 2)
    assert [node["id"] for node in changed["nodes"]] == ["a", "b"]


@pytest.mark.django_db
def test_a_deleted_graph_is_gone_and_no_event_starts_it() -> None:
    slug = a_graph(trigger=True)
    assert call("DELETE", f"{GRAPHS}/{slug}").status_code == 204
    assert get(f"{GRAPHS}/{slug}").status_code == 404 and get(GRAPHS).json() == []
    assert post(EVENTS, LEAD).json()["workflows"] == []


@pytest.mark.django_db
def test_a_graph_that_was_published_as_text_is_a_graph_here_too() -> None:
    source = "name: As text\nnodes:\n  - {id: a, type: start}\n"
    post("/api/templates", {"slug": "as-text", "source": source, "dialect": "graph"})
    shown = get(f"{GRAPHS}/as-text").json()
    assert (shown["name"], shown["nodes"], shown["edges"], shown["trigger"]) == ("As text", [{"id": "a", "type": "start"}], [], None)


@pytest.mark.django_db
def test_templates_of_other_dialects_are_no_graphs() -> None:
    a_published("one")
    assert get(GRAPHS).json() == []
    for method in ("GET", "PUT", "DELETE"):
        response = call(method, f"{GRAPHS}/one", tiny() if method == "PUT" else "")
        assert (response.status_code, detail(response)) == (404, "Workflow 'one' not found")
    assert Template.objects.get().current.number == 1  # type: ignore[union-attr]


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["nope", "a%00b", "%2e%2e", "x" * 3000, "a b"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_graph_is_not_found(method: str, slug: str) -> None:
    response = call(method, f"{GRAPHS}/{slug}", tiny() if method == "PUT" else "")
    assert response.status_code == 404 and detail(response).startswith("Workflow '")


@pytest.mark.parametrize(("title", "taken", "left"), [("CEO", "gift", "drip"), ("Clerk", "drip", "gift")])
def test_an_event_that_matches_starts_the_graph_and_the_branch_takes_its_case(
    stage: Stage, live_server: Any, title: str, taken: str, left: str
) -> None:
    """CONTRACT.md section 5: the event is the payload; a target that only a branch names is still part of the graph."""
    slug = post(GRAPHS, hot_lead(live_server.url)).json()["id"]
    sent = post(EVENTS, {"lead": {**LEAD["lead"], "title": title}}).json()
    assert (sent["matched"], sent["message"]) == (True, "1 workflow started.")
    assert sent["workflows"] == [{"id": slug, "name": "Hot lead", "matched": True, "reason": None}]
    (started,) = sent["executions"]
    assert (started["workflow_id"], started["status"]) == (slug, "PENDING")
    workflow = stage.play(Workflow.objects.get(uid=started["id"]))
    assert statuses(workflow) == {
        **dict.fromkeys(("start", "notify", "wait", "call", "branch", taken), "COMPLETED"), left: "SKIPPED",
    }  # fmt: skip
    steps = {step["id"]: step for step in get(f"{EXECUTIONS}/{started['id']}/steps").json()}
    assert (steps["call"]["result"]["body"]["method"], steps["call"]["result"]["body"]["body"]) == ("POST", {"to": title})
    assert [row["message"] for row in get("/api/notifications").json()][-1] == f"New hot lead {title}"


@pytest.mark.django_db
def test_an_event_that_matches_no_trigger_starts_nothing_and_says_so() -> None:
    """CONTRACT.md section 5."""
    slug = post(GRAPHS, hot_lead()).json()["id"]
    sent = post(EVENTS, {"lead": {"source": "Fair", "score": 90}}).json()
    assert (sent["matched"], sent["executions"]) == (False, [])
    assert "started nothing" in sent["message"]
    assert sent["workflows"] == [{"id": slug, "name": "Hot lead", "matched": False, "reason": "the trigger is not true"}]
    assert not Workflow.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("trigger", [None, {}])
def test_a_graph_without_a_trigger_is_started_by_no_event(trigger: Any) -> None:
    a_graph(trigger=trigger)
    assert post(EVENTS, LEAD).json()["workflows"] == []


@pytest.mark.django_db
def test_the_same_key_sends_an_event_once() -> None:
    a_graph(trigger=True)
    first, again = (post(EVENTS, LEAD, Idempotency_Key="k").json() for _ in range(2))
    assert first == again and Workflow.objects.count() == 1
    assert post(EVENTS, {"other": 1}, Idempotency_Key="k").status_code == 409


@pytest.mark.django_db
@pytest.mark.parametrize("payload", ["[1, 2]", '"text"', "7", "null", "{}", "true"])
def test_any_json_is_an_event(payload: str) -> None:
    a_graph(trigger={"==": [{"var": "a"}, 1]})
    response = post(EVENTS, payload)
    assert response.status_code == 200 and response.json()["executions"] == []


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["", "{", "NaN", r'"\u0000"', "[" * 70 + "]" * 70])
def test_what_is_no_json_is_no_event(body: str) -> None:
    assert post(EVENTS, body).status_code in {400, 422}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"nodes": [{"id": "a", "type": "strat"}]}, "type", "'strat'"),
        ({"nodes": [{"id": "a", "type": "start"}, {"id": "b", "type": "start"}]}, "type", "two start nodes"),
        ({"edges": [{"id": "e", "source": "a", "target": "x"}]}, "target", "'x'"),
        ({"nodes": [{"id": "a", "type": "branch", "data": {"cases": [{"else": True, "next": "x"}]}}]}, "next", "'x'"),
        ({"nodes": [{"id": "a", "type": "delay", "data": {"ms": -1}}]}, "ms", "0"),
        ({"trigger": {"nope": [1]}}, "trigger", "nope"),
        ({"nodes": []}, "nodes", "at least one"),
    ],
    ids=["type", "two starts", "edge", "case", "delay", "trigger", "empty"],
)
def test_what_is_wrong_is_refused_naming_node_and_field_and_nothing_is_kept(changes: Any, field: str, said: str) -> None:
    for response in (post(GRAPHS, tiny(**changes)), call("PUT", f"{GRAPHS}/{a_graph()}", tiny(**changes))):
        assert response.status_code == 422
        found = detail(response)[0]
        assert (found["loc"][0], found["loc"][-1]) == ("body", field) and said in found["msg"]
    assert get(GRAPHS).json()[0]["version"] == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"body.nodes"}),
        ([], {"body"}),
        (tiny(nodes={}), {"body.nodes"}),
        (tiny(nodes=[7], edges="x"), {"body.nodes.0", "body.edges"}),
        (tiny(nodes=[{"id": 7, "type": None, "data": []}]), {"body.nodes.0.id", "body.nodes.0.type", "body.nodes.0.data"}),
        (tiny(edges=[{"source": [], "target": 7}]), {"body.edges.0.source", "body.edges.0.target"}),
        (tiny(name=7, description=[]), {"body.name", "body.description"}),
        (tiny(noods=[]), {"body.noods"}),
    ],
)
def test_wrong_types_are_refused_by_field(body: Any, named: set[str]) -> None:
    assert fields(post(GRAPHS, body)) == named
    assert not Template.objects.exists()


def test_a_client_with_a_token_needs_nothing_else(stage: Stage, server_mode: None) -> None:
    a_token(secret="s")
    options = {"Authorization": "Bearer s"}
    slug = post(GRAPHS, tiny(trigger=True), **options).json()["id"]
    uid = post(EVENTS, LEAD, **options).json()["executions"][0]["id"]
    stage.play(Workflow.objects.get(uid=uid))
    assert get(f"{EXECUTIONS}?workflow_id={slug}", **options).json()[0]["status"] == "COMPLETED"
