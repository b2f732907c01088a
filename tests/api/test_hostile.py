"""Whatever is sent, the answer is never a 5xx, always JSON, and soon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.calls import call, get, post
from tests.api.templates_for_tests import SOURCE, a_published
from tests.api.test_access import FILL, IDS, OPERATIONS
from tests.api.test_dags import dag, one
from tests.api.test_graph import LEAD, hot_lead
from tests.api.test_tasks import SAMPLE
from workflows_app.api import api, v1
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db
ODD = [
    "\0", "a\0b", "' OR 1=1 --", '"><script>alert(1)</script>', "{{ 7*7 }}", "{% debug %}", "../../etc/passwd", "%", "_", "*", "😀" * 50,
    "\u202e", "x" * 9_000, "-1", "1e999", "null", "true", "[]", "{}", "\r\nSet-Cookie: x=1", "ﷺ", "İ", "\x7f", "${jndi:ldap://x}", "\\",
]  # fmt: skip
BODIES = [
    "[" * 20_000, '{"a":' * 20_000, "9" * 100_000, '"' + "x" * 900_000 + '"', r'"\ud800"', "NaN", "1e400", b"\xff\xfe", b"\x00",
    "{}" * 2, '{"definition": {"steps": {}}}', '{"definition": []}', '{"definition": {"steps": [null]}}', '{"source": {"steps": [[]]}}',
    '{"slug": {}, "source": 7}', '{"params": {"__proto__": {}}}', '{"fromStep": "\\u202e"}', '{"definition": "a: &a [*a]"}',
    json.dumps({"definition": {"steps": [{"id": "a", "action": "transform", "with": {"value": "{{ 'x'*50000000 }}"}}]}}),
    json.dumps({"definition": {"steps": [{"id": "a", "action": "input", "needs": ["a"] * 2000}]}}),
    json.dumps({"definition": {"name": "x", "params": {"type": "object", "properties": {"a": {"pattern": "(a+)+$"}}}, "steps": []}}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _rows() -> None:
    a_published("one")
    a_published()


def check(response: Any) -> None:
    assert response.status_code < 500, (response.status_code, response.content[:300])
    assert response.status_code == 204 or response["Content-Type"].startswith("application/json")
    if response.status_code >= 400:
        assert response.json()["detail"]


@pytest.mark.parametrize("text", ODD)
def test_odd_text_in_paths_and_queries(text: str) -> None:
    odd = quote(text, safe="")
    for path in (f"workflows/{odd}", f"workflows/{odd}/steps/{odd}", f"templates/{odd}", f"templates/{odd}/versions", odd):
        for method in ("GET", "PUT", "DELETE", "POST"):
            check(call(method, f"/api/{path}", {"source": text.replace("\0", "")}))
    for name in ("status", "template", "tag", "q", "parentId", "createdAfter", "createdBefore", "limit", "cursor", odd):
        check(get(f"/api/workflows?{name}={odd}"))
    check(post(f"/api/workflows/from-template?template_id={odd}&params={odd}"))
    check(post(f"/api/workflows/from-template?template_id=one&params={quote(json.dumps({'day': text}), safe='')}"))
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("body", BODIES, ids=[str(number) for number in range(len(BODIES))])
def test_odd_bodies_are_answered(body: Any) -> None:
    for method, path in OPERATIONS:
        if method in {"POST", "PUT"}:
            check(call(method, path, body))


POLICIES = {
    "timeout": 3, "retries": 1, "retry": {"on": ["5xx"]}, "priority": "high", "run_if": True, "concurrency": {"key": "k", "limit": 1},
}  # fmt: skip
MAP = {"id": "m", "type": "map", "data": {"items": "{{ payload.l }}", "limit": 2, "do": {"action": "input", "with": {}}}}
DAG = dag(
    one("a", "input"),
    {**one("b", "call_external_service", "a", url="http://x/{{ a.output }}", headers={"x": "y"}), **POLICIES},
    one("c", "llm_service", "b", prompt="{{ b.output.response }}", temperature=0.5),
    one("d", "approval", "c", message="m", form={"properties": {}}),
)


def good_bodies() -> dict[tuple[str, str], Any]:
    """One good body for each door that takes a definition, with every kind of key in it."""
    graph = hot_lead()
    with_map = {**graph, "nodes": [*graph["nodes"], MAP], "edges": [*graph["edges"], {"source": "start", "target": "m"}]}
    return {
        ("POST", "/api/workflow"): SAMPLE,
        ("POST", "/api/graph/workflows"): with_map,
        ("POST", "/v1/workflow"): DAG,
        ("POST", "/api/graph/events"): LEAD,
        ("POST", "/api/events"): LEAD,
        ("POST", "/api/templates/import"): {"source": SOURCE, "slug": "x", "dialect": "template"},
        ("POST", "/api/workflows"): {"name": "x", "dialect": "graph", "definition": graph, "params": {"l": [1]}},
    }


WRONG = [None, True, 7, -1, 1e300, "", "x", "{{", "{{ payload.x }}", [], [[]], {}, {"": ""}, {"var": "x"}, [None], "a" * 300]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a body, and to the body itself."""
    yield at
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*at, key))


def changed(value: Any, at: tuple[Any, ...], to: Any) -> Any:
    """A copy with another value there."""
    if not at:
        return to
    copy = value.copy()
    copy[at[0]] = changed(value[at[0]], at[1:], to)
    return copy


@pytest.mark.parametrize("door", [path for _, path in good_bodies()])
def test_the_wrong_type_anywhere_in_a_good_body_is_answered(door: str) -> None:
    """Every value of every door's body is replaced by one of every kind."""
    body = good_bodies()["POST", door]
    for number, at in enumerate(places(body)):
        for wrong in WRONG[number % 2 :: 2]:
            check(post(door, changed(body, at, wrong)))


def test_the_bodies_that_are_spoilt_are_good_ones() -> None:
    for (method, path), body in good_bodies().items():
        assert call(method, path, body).status_code in {200, 201}, path


@pytest.mark.parametrize("text", ODD)
def test_odd_text_in_the_paths_of_every_door(text: str) -> None:
    odd = quote(text, safe="")
    ids = {**FILL, **dict.fromkeys(IDS, odd), "graph_id": odd, "slug": odd, "source": odd, "step_id": odd}
    for document in (api, v1):
        for path, methods in document.get_openapi_schema()["paths"].items():
            for method in methods:
                check(call(method.upper(), path.format(**ids), {}))
    for name in ("workflow_id", "status", "limit", "cursor"):
        check(get(f"/api/graph/executions?{name}={odd}"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=10), children, max_size=4),
    max_leaves=15,
)
KEYS = [
    "template_id", "params", "name", "dialect", "definition", "steps", "id", "action", "needs", "with", "slug", "source", "fromStep",
    "dag", "nodes", "edges", "trigger", "tasks", "execution_type", "input_params", "reason", "handler", "type", "data", "cases", "next",
    "dependencies", "config",
]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), json_values, max_size=6) | json_values)
def test_any_json_body_is_answered(body: Any) -> None:
    for method, path in OPERATIONS:
        if method in {"POST", "PUT"}:
            check(call(method, path, body))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
def test_any_text_is_answered_in_every_filter(text: str) -> None:
    odd = quote(text.encode("utf-8", "surrogatepass"), safe="")
    for name in ("status", "template", "tag", "q", "parentId", "createdAfter", "limit", "cursor"):
        check(get(f"/api/workflows?{name}={odd}"))


def test_a_thousand_and_one_query_parameters_are_refused() -> None:
    check(get("/api/workflows?" + "&".join(f"a{number}=1" for number in range(1_001))))


def test_a_header_cannot_be_injected_into_the_link() -> None:
    for _ in range(2):
        post("/api/workflows/from-template?template_id=one")
    link = get("/api/workflows?limit=1&q=&x=%0d%0aSet-Cookie:%20a=b%3e;%20rel=%22prev")["Link"]
    assert "\r" not in link and link.count("<") == link.count(">") == 1
    assert Workflow.objects.filter(status=Status.PENDING).count() == 2
