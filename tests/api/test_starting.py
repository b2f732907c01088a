"""Starting workflows over the API."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.calls import call, detail, fields, post
from tests.api.templates_for_tests import SOURCE, a_published
from workflows_app.models import Template, Workflow

pytestmark = pytest.mark.django_db
FROM = "/api/workflows/from-template"
NAMED = f"{FROM}?template_id=data_processing"
INLINE: dict[str, Any] = {"steps": [{"id": "a", "action": "input"}, {"id": "b", "action": "output", "needs": ["a"]}]}


@pytest.fixture(autouse=True)
def _template() -> None:
    a_published()


def test_a_json_content_type_without_a_body_starts_the_template() -> None:
    response = post(f"{NAMED}&params={{}}")
    assert response.status_code == 200
    started = response.json()
    assert (started["name"], started["status"], started["templateId"]) == ("Data processing", "PENDING", "data_processing")
    assert started["params"] == {"size": 3}
    assert [step["id"] for step in started["steps"]] == ["fetch", "shape"]


@pytest.mark.parametrize("body", ["", "  ", "{}", "null"])
def test_an_empty_body_means_no_parameters(body: str) -> None:
    assert post(NAMED, body).json()["params"] == {"size": 3}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (NAMED, {"size": 7}),
        (NAMED, {"params": {"size": 7}}),
        (FROM, {"template_id": "data_processing", "params": {"size": 7}}),
        (NAMED, {"template_id": "data_processing", "params": {"size": 7}}),
        (f"{NAMED}&params={quote(json.dumps({'size': 7}))}", {}),
        (f"{NAMED}&params={quote(json.dumps({'size': 7}))}", {"size": 7}),
        (f"{FROM}?params={quote(json.dumps({'size': 7}))}", {"template_id": "data_processing"}),
        (f"{NAMED}&anything=else&_=1", {"size": 7}),
    ],
)
def test_parameters_may_come_in_every_way_of_the_contract(path: str, body: Any) -> None:
    response = post(path, body)
    assert response.status_code == 200, response.content
    assert response.json()["params"] == {"size": 7}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain"])
def test_the_content_type_that_curl_sends_by_default_does_not_matter(client: Any, content_type: str) -> None:
    assert client.generic("POST", NAMED, '{"size": 7}', content_type=content_type).json()["params"] == {"size": 7}


@pytest.mark.parametrize("slug", ["nope", "data-processing", "../etc", "", "x" * 5_000, "é"])
def test_an_unknown_template_is_not_found_and_named(slug: str) -> None:
    response = post(FROM, {"template_id": slug or "?"})
    assert response.status_code == 404
    assert f"Template '{(slug or '?')[:100]}" in detail(response)
    assert not Workflow.objects.exists()


def test_a_misspelt_template_gets_a_hint() -> None:
    assert "did you mean" in detail(post(f"{FROM}?template_id=data_procesing"))


def test_without_a_template_the_field_is_named() -> None:
    assert fields(post(FROM, {"size": 7})) == {"query.template_id"}


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"size": "many"}, {"params.size"}),
        ({"size": 0, "day": "yesterday"}, {"params.size", "params.day"}),
        ({"sise": 3}, {"params.sise"}),
        ({"size": None}, {"params.size"}),
        ({"size": 1.5}, {"params.size"}),
        ({"size": True}, {"params.size"}),
    ],
)
def test_bad_parameters_are_each_named_and_nothing_is_started(params: Any, named: set[str]) -> None:
    assert fields(post(NAMED, params)) == named
    assert not Workflow.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (NAMED, [], "body"),
        (NAMED, '"text"', "body"),
        (NAMED, {"template_id": "data_processing", "params": []}, "body.params"),
        (NAMED, {"template_id": "data_processing", "param": {}}, "body.param"),
        (NAMED, {"template_id": 7}, "body.template_id"),
        (NAMED, {"template_id": "other"}, "body.template_id"),
        (f"{NAMED}&params=[1]", {}, "query.params"),
        (f"{NAMED}&params={{", {}, "query.params"),
        (f"{NAMED}&params=NaN", {}, "query.params"),
        (f"{NAMED}&params={quote(json.dumps({'size': 7}))}", {"size": 8}, "query.params"),
        (f"{NAMED}%00", {}, "query.template_id"),
        (NAMED, r'{"day": "\u0000"}', "body"),
        (NAMED, '{"size": NaN}', "body"),
        (NAMED, '{"size": 1e999}', "body"),
        (NAMED, '{"a":' * 80 + "1" + "}" * 80, "body"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(path: str, body: Any, named: str) -> None:
    assert fields(post(path, body)) == {named}
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("body", ["{", "{'size': 3}", b"\xff\xff", "[" * 30, "size=3"])
def test_malformed_json_says_where(body: Any) -> None:
    response = post(NAMED, body)
    assert response.status_code == 400
    assert detail(response).startswith("This is not JSON")


def test_a_body_over_the_limit_is_too_large() -> None:
    response = post(NAMED, {"day": "x" * 2_000_001})
    assert response.status_code == 413
    assert "MAX_BODY_BYTES" in detail(response)


def test_a_chunked_body_is_not_silently_taken_for_none(client: Any) -> None:
    response = client.post(NAMED, content_type="application/json", headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH="")
    assert response.status_code == 411
    assert "Content-Length" in detail(response)


def test_a_body_that_was_cut_off_starts_nothing(client: Any) -> None:
    broken_off = {"wsgi.input": BytesIO(b"{}"), "CONTENT_LENGTH": "100"}
    response = client.post(NAMED, content_type="application/json", **broken_off)
    assert response.status_code == 400
    assert "cut off" in detail(response)
    assert not Workflow.objects.exists()


def test_the_same_key_and_payload_answer_with_the_same_workflow() -> None:
    first, again = (post(NAMED, {"size": 7}, Idempotency_Key="k-1").json() for _ in range(2))
    assert first["id"] == again["id"]
    assert Workflow.objects.count() == 1


def test_the_same_key_with_another_payload_is_a_conflict() -> None:
    post(NAMED, {"size": 7}, Idempotency_Key="k-1")
    response = post(NAMED, {"size": 8}, Idempotency_Key="k-1")
    assert response.status_code == 409
    assert "k-1" in detail(response)
    assert Workflow.objects.count() == 1


def test_without_a_key_each_call_starts_one() -> None:
    assert post(NAMED).json()["id"] != post(NAMED).json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(key: str) -> None:
    assert fields(post(NAMED, Idempotency_Key=key)) == {"header.Idempotency-Key"}


def test_an_inline_definition_starts_without_a_template() -> None:
    started = post("/api/workflows", {"name": "Once", "definition": INLINE}).json()
    assert (started["name"], started["templateId"], len(started["steps"])) == ("Once", None, 2)


def test_an_inline_definition_may_be_yaml_with_parameters() -> None:
    started = post("/api/workflows", {"dialect": "template", "definition": SOURCE, "params": {"size": 9}}).json()
    assert (started["name"], started["params"]) == ("Data processing", {"size": 9})


def test_inline_starts_are_idempotent_too() -> None:
    bodies = [{"name": "Once", "definition": INLINE}, {"name": "Twice", "definition": INLINE}]
    first, again, other = (post("/api/workflows", body, Idempotency_Key="k") for body in (bodies[0], bodies[0], bodies[1]))
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 409


def test_an_unknown_dialect_lists_the_known_ones() -> None:
    response = post("/api/workflows", {"dialect": "klingon", "definition": INLINE})
    assert fields(response) == {"body.dialect"}
    assert "template" in detail(response)[0]["msg"]


def test_a_bad_definition_names_the_node_and_what_is_wrong_with_it() -> None:
    steps = [{"id": "a", "action": "input", "needs": ["b"]}, {"id": "b", "action": "nope", "needs": ["a"]}]
    response = post("/api/workflows", {"name": "Bad", "definition": {"steps": steps}})
    assert response.status_code == 422
    told = json.dumps(detail(response))
    assert "a -> b -> a" in told and "'nope'" in told
    assert {found["node"] for found in detail(response)} >= {"b"}
    assert not Workflow.objects.exists()


def test_a_bad_definition_in_text_names_its_line() -> None:
    source = SOURCE.replace("action: transform", "action: transfrom")
    found = detail(post("/api/workflows", {"definition": source}))[0]
    assert (found["line"], found["node"], found["type"]) == (11, "shape", "definition")
    assert found["loc"] == ["body", "definition", "steps", 1, "action"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"body.definition"}),
        ({"definition": INLINE, "prams": {}}, {"body.prams"}),
        ({"definition": INLINE, "name": 7}, {"body.name"}),
        ({"definition": INLINE, "name": "x" * 201}, {"body.name"}),
        ({"definition": INLINE, "params": []}, {"body.params"}),
        ({"definition": 5}, {"body.definition"}),
        ({"definition": INLINE}, {"body.name"}),
        ([], {"body"}),
    ],
)
def test_a_body_of_the_wrong_shape_names_each_field(body: Any, named: set[str]) -> None:
    assert fields(post("/api/workflows", body)) == named


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"definition": 5}, "must be text or a JSON object"),
        ({"name": "x"}, "is missing"),
        ({"definition": INLINE}, "is missing: name the workflow, here or in the definition"),
        ({"definition": INLINE, "name": 7}, "must be text"),
        ({"definition": INLINE, "name": "x" * 201}, "must have at most 200 characters"),
        ({"definition": INLINE, "name": " "}, "a name needs a character that can be seen"),
        ({"definition": INLINE, "name": "x", "params": []}, "must be a JSON object"),
        ({"definition": INLINE, "name": "x", "prams": {}}, "unknown key; did you mean 'params'?"),
        ([], "must be a JSON object"),
    ],
)
def test_a_body_of_the_wrong_shape_is_told_in_a_plain_sentence(body: Any, said: str) -> None:
    assert [found["msg"] for found in detail(post("/api/workflows", body))] == [said]
    assert not Workflow.objects.exists()


def test_an_inline_definition_may_bring_its_own_name() -> None:
    assert post("/api/workflows", {"definition": {"name": "Own", **INLINE}}).json()["name"] == "Own"


def test_an_inline_workflow_runs_again_only_with_parameters_that_fit() -> None:
    uid = post("/api/workflows", {"definition": SOURCE, "params": {"size": 9}}).json()["id"]
    assert fields(post(f"/api/workflows/{uid}/rerun", {"params": {"size": "x", "other": 1}})) == {"params.size", "params.other"}
    assert post(f"/api/workflows/{uid}/rerun", {"params": {"size": 3}}).json()["metadata"] == {}
    assert Workflow.objects.count() == 2


def test_a_pattern_that_backtracks_elsewhere_is_decided() -> None:
    params = {"properties": {"word": {"type": "string", "pattern": "^(a+)+$"}}}
    body = {"name": "x", "definition": {"params": params, **INLINE}, "params": {"word": "a" * 60 + "!"}}
    assert fields(post("/api/workflows", body)) == {"params.word"}


def test_a_pattern_that_cannot_be_used_names_its_field() -> None:
    params = {"properties": {"word": {"type": "string", "pattern": "(?=a)"}}}
    response = post("/api/workflows", {"name": "x", "definition": {"params": params, **INLINE}})
    assert fields(response) == {"body.definition.params.properties.word.pattern"}
    assert "look-around" in detail(response)[0]["msg"]


def test_state_never_changes_by_get() -> None:
    assert call("GET", NAMED).status_code == 405
    assert not Workflow.objects.exists()


def test_a_deleted_template_cannot_be_started() -> None:
    Template.objects.update(deleted_at="2026-11-21T12:00:00Z")
    assert post(NAMED).status_code == 404


def test_who_started_a_workflow_is_kept_whichever_way_it_was() -> None:
    tasks = {"name": "T", "steps": [{"execution_type": "sequential", "tasks": [{"name": "task_a", "params": {}}]}]}
    started = post(NAMED, "{}").json()["id"]
    ids = [started, post("/api/workflows", {"name": "inline", "definition": INLINE}).json()["id"]]
    ids.append(post(f"/api/workflows/{started}/rerun", {}).json()["id"])
    ids.append(post("/api/workflow", tasks).json()["workflow_id"])
    names = Workflow.objects.filter(uid__in=ids).values_list("started_by__username", flat=True)
    assert list(names) == ["local"] * len(ids)
