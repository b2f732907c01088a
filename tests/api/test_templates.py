"""Templates over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calls import call, detail, fields, get, post
from tests.api.templates_for_tests import SOURCE, a_published
from workflows_app.models import Template, TemplateVersion

pytestmark = pytest.mark.django_db
AS_JSON = {"name": "As JSON", "steps": [{"id": "a", "action": "input"}]}
BROKEN = SOURCE.replace("needs: [fetch]", "needs: [fetsch]")


def test_the_list_shows_what_can_be_started() -> None:
    a_published("one")
    a_published("two")
    Template.objects.filter(slug="two").update(deleted_at="2026-11-21T12:00:00Z")
    (shown,) = get("/api/templates").json()
    assert (shown["id"], shown["name"], shown["version"], shown["tags"]) == ("one", "Data processing", 1, ["etl"])
    assert "size" in shown["paramsSchema"]["properties"]


def test_the_list_costs_the_same_number_of_queries_whatever_its_length(django_assert_num_queries: Any) -> None:
    get("/api/templates")
    for slug in "abcdef":
        a_published(slug)
    with django_assert_num_queries(1):
        assert len(get("/api/templates").json()) == 6


def test_one_template_shows_its_source_and_its_steps() -> None:
    a_published("one")
    shown = get("/api/templates/one").json()
    assert shown["source"] == SOURCE
    assert [(step["id"], step["dependencies"]) for step in shown["steps"]] == [("fetch", []), ("shape", ["fetch"])]


@pytest.mark.parametrize("source", [SOURCE, AS_JSON])
def test_a_template_may_be_text_or_an_object(source: Any) -> None:
    response = post("/api/templates", {"slug": "new", "source": source, "note": "first"})
    assert response.status_code == 201
    assert (response.json()["id"], response.json()["version"]) == ("new", 1)
    assert TemplateVersion.objects.get().created_by.get_username() == "local"


def test_a_slug_that_is_taken_is_a_conflict() -> None:
    a_published("one")
    response = post("/api/templates", {"slug": "one", "source": SOURCE})
    assert response.status_code == 409
    assert "'one'" in detail(response)
    assert TemplateVersion.objects.count() == 1


@pytest.mark.parametrize("slug", ["", "a b", "../x", "ä", "-x", "x" * 101, "a/b", "a\n"])
def test_a_slug_that_an_address_cannot_hold_is_refused(slug: str) -> None:
    assert fields(post("/api/templates", {"slug": slug, "source": SOURCE})) == {"body.slug"}


def test_putting_makes_a_new_version_and_keeps_the_old_one() -> None:
    a_published("one")
    response = call("PUT", "/api/templates/one", {"source": SOURCE.replace("Data processing", "Renamed"), "note": "why"})
    assert (response.status_code, response.json()["version"], response.json()["name"]) == (200, 2, "Renamed")
    versions = get("/api/templates/one/versions").json()
    assert [(v["version"], v["note"], v["createdBy"]) for v in versions] == [(2, "why", "local"), (1, "", None)]
    assert versions[1]["source"] == SOURCE


def test_an_author_who_saw_an_older_version_is_told() -> None:
    a_published("one")
    call("PUT", "/api/templates/one", {"source": SOURCE, "expectVersion": 1})
    response = call("PUT", "/api/templates/one", {"source": SOURCE, "expectVersion": 1})
    assert response.status_code == 409
    assert "version 2" in detail(response)


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/versions")])
@pytest.mark.parametrize("slug", ["nope", "a%00b", "%2e%2e", "x" * 3000])
def test_an_unknown_template_is_not_found(method: str, rest: str, slug: str) -> None:
    response = call(method, f"/api/templates/{slug}{rest}", {"source": SOURCE} if method == "PUT" else "")
    assert response.status_code == 404
    assert detail(response).startswith("Template '")


def test_a_bad_definition_is_refused_with_its_line_and_nothing_is_published() -> None:
    a_published("one")
    for response in (
        post("/api/templates", {"slug": "new", "source": BROKEN}),
        call("PUT", "/api/templates/one", {"source": BROKEN}),
    ):
        assert response.status_code == 422
        (found,) = detail(response)
        assert (found["line"], found["node"]) == (11, "shape")
        assert "'fetsch'" in found["msg"] and "fetch" in found["msg"]
    assert TemplateVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"body.slug", "body.source"}),
        ({"slug": "x", "source": SOURCE, "sauce": 1}, {"body.sauce"}),
        ({"slug": "x", "source": SOURCE, "dialect": "klingon"}, {"body.dialect"}),
        ({"slug": "x", "source": SOURCE, "note": "x" * 501}, {"body.note"}),
    ],
)
def test_a_body_of_the_wrong_shape_names_each_field(body: Any, named: set[str]) -> None:
    assert fields(post("/api/templates", body)) == named


def test_a_draft_is_checked_without_publishing_it() -> None:
    assert post("/api/templates/new/validate", {"source": SOURCE}).json() == {"valid": True, "problems": []}
    checked = post("/api/templates/new/validate", {"source": BROKEN})
    assert checked.status_code == 200
    assert checked.json()["valid"] is False
    assert checked.json()["problems"][0]["line"] == 11
    assert not Template.objects.exists()


@pytest.mark.parametrize("source", ["", "::", "\t- x", "[1, 2]", "a: &a [*a]", "!!python/object:os.system {}", "name: x", "x" * 900_000])
def test_no_text_crashes_the_check(source: str) -> None:
    response = post("/api/templates/new/validate", {"source": source})
    assert response.status_code == 200
    assert response.json()["problems"]


def test_a_deleted_template_is_gone_and_may_come_back() -> None:
    a_published("one")
    assert call("DELETE", "/api/templates/one").status_code == 204
    assert get("/api/templates/one").status_code == 404
    assert post("/api/workflows/from-template?template_id=one").status_code == 404
    assert post("/api/templates", {"slug": "one", "source": SOURCE}).status_code == 201


def test_workflows_outlive_their_template() -> None:
    a_published("one")
    uid = post("/api/workflows/from-template?template_id=one").json()["id"]
    call("DELETE", "/api/templates/one")
    assert get(f"/api/workflows/{uid}").json()["templateId"] == "one"


def test_what_is_wrong_with_a_source_is_said_where_the_source_stands() -> None:
    a_published("etl")
    broken = {"source": "name: x\nsteps:\n  - {id: a, action: teleport}\n"}
    for response in (post("/api/templates", {"slug": "new", **broken}), call("PUT", "/api/templates/etl", broken)):
        assert response.status_code == 422
        assert detail(response)[0]["loc"] == ["body", "source", "steps", 0, "action"]
