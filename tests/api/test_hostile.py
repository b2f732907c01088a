"""Whatever is sent, the answer is never a 5xx, always JSON, and soon."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.calls import call, get, post
from tests.api.templates_for_tests import a_published
from tests.api.test_access import OPERATIONS
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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=10), children, max_size=4),
    max_leaves=15,
)
KEYS = [
    "template_id", "params", "name", "dialect", "definition", "steps", "id", "action", "needs", "with", "slug", "source", "fromStep",
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
