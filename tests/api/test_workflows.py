"""Looking at workflows and controlling them over the API."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest

from tests.api.calls import call, detail, fields, get, post
from tests.api.templates_for_tests import a_published
from tests.factories import a_log_line, a_template, a_workflow, an_attempt, later
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}
UNKNOWN = str(UUID(int=7))


def names(query: str = "") -> list[str]:
    response = get(f"/api/workflows{query}")
    assert response.status_code == 200, response.content
    return [workflow["name"] for workflow in response.json()]


def test_the_list_is_an_array_with_the_newest_change_first() -> None:
    a_workflow(name="old", updated_at=later(-5))
    a_workflow(name="new", statuses=DONE, updated_at=later(5))
    assert names() == ["new", "old"]
    first = get("/api/workflows").json()[0]
    assert (first["progress"], first["steps"][0]["duration"], first["duration"]) == (100, "2 sec", "10 sec")


def test_the_list_is_empty_before_anything_ran() -> None:
    assert names() == []


def test_filters_of_the_contract_narrow_the_list() -> None:
    parent = a_workflow(name="done", statuses=DONE, tags=["etl"], created_at=later(0))
    a_workflow(name="failed", statuses=FAILED, template=a_template("etl"), parent=parent, created_at=later(10))
    a_workflow(name="new", created_at=later(20))
    assert sorted(names("?status=COMPLETED&status=FAILED")) == ["done", "failed"]
    assert names("?template=etl") == ["failed"]
    assert names("?tag=etl") == ["done"]
    assert names("?q=NE") == ["new", "done"]
    assert names(f"?parentId={parent.uid}") == ["failed"]
    assert names("?createdAfter=2026-11-21T12:00:05Z&createdBefore=2026-11-21T12:00:15%2B00:00") == ["failed"]
    assert names("?createdAfter=2026-11-21T12:00:15") == ["new"]


def test_a_plus_that_was_not_escaped_is_understood() -> None:
    a_workflow(name="one", created_at=later(10))
    assert names("?createdAfter=2026-11-21T12:00:05+00:00") == ["one"]


def test_empty_and_unknown_filters_filter_nothing() -> None:
    a_workflow(name="one")
    assert names("?status=&template=&tag=&q=&colour=red&page=2") == ["one"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=DONE", "query.status.0"),
        ("limit=0", "query.limit"),
        ("limit=201", "query.limit"),
        ("limit=many", "query.limit"),
        ("limit=99999999999999999999999", "query.limit"),
        ("cursor=nonsense", "query.cursor"),
        ("cursor=%00", "query.cursor"),
        ("parentId=7", "query.parentId"),
        ("createdAfter=yesterday", "query.createdAfter"),
        ("createdBefore=0001-01-01T00:00:00%2B14:00", "query.createdBefore"),
        ("createdBefore=9999-12-31T23:59:59-14:00", "query.createdBefore"),
        ("q=a%00b", "query.q"),
        ("x%00=1", "query.x"),
        (f"q={'x' * 201}", "query.q"),
    ],
)
def test_a_bad_filter_is_refused_by_name(query: str, named: str) -> None:
    assert fields(get(f"/api/workflows?{query}")) == {named}


def test_pages_follow_the_link_header_and_keep_the_filters() -> None:
    for number in range(5):
        a_workflow(name=str(number), updated_at=later(number), tags=["a&b"])
    a_workflow(name="other", updated_at=later(9))
    seen, url = [], "/api/workflows?tag=a%26b&limit=2"
    while url:
        response = get(url)
        seen += [workflow["name"] for workflow in response.json()]
        found = re.fullmatch(r'<http://testserver(/api/workflows\?.*)>; rel="next"', response.headers.get("Link", ""))
        url = found[1] if found else ""
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(("method", "rest"), [
    ("GET", ""), ("DELETE", ""), ("POST", "/stop"), ("POST", "/resume"), ("POST", "/retry"), ("POST", "/rerun"), ("GET", "/steps/a"),
    ("GET", "/steps/a/logs"),
])  # fmt: skip
@pytest.mark.parametrize("uid", [UNKNOWN, "1", "nonsense", "a%00b", "..%2f", "%F0%9F%98%80", "x" * 3000])
def test_an_unknown_or_malformed_id_is_not_found_in_the_words_of_the_contract(method: str, rest: str, uid: str) -> None:
    response = call(method, f"/api/workflows/{uid}{rest}")
    assert response.status_code == 404
    if "%" not in uid:
        assert detail(response) == f"Workflow with ID {uid} not found"


def test_one_workflow_is_the_same_as_in_the_list() -> None:
    uid = a_workflow(statuses=DONE).uid
    assert get(f"/api/workflows/{uid}").json() == get("/api/workflows").json()[0]


def test_an_ended_workflow_can_be_deleted_once() -> None:
    uid = a_workflow(statuses=DONE).uid
    response = call("DELETE", f"/api/workflows/{uid}")
    assert (response.status_code, response.content) == (204, b"")
    assert call("DELETE", f"/api/workflows/{uid}").status_code == 404


def test_an_active_workflow_is_not_deleted_and_says_what_to_do() -> None:
    uid = a_workflow().uid
    response = call("DELETE", f"/api/workflows/{uid}")
    assert response.status_code == 409
    assert "stop it" in detail(response)
    assert Workflow.objects.exists()


def test_stop_resume_and_stop_again() -> None:
    uid = a_workflow(statuses={"fetch": Status.RUNNING}).uid
    assert post(f"/api/workflows/{uid}/stop").json()["status"] == "STOPPED"
    assert post(f"/api/workflows/{uid}/stop").status_code == 409
    assert post(f"/api/workflows/{uid}/resume").json()["status"] in {"PENDING", "RUNNING"}
    assert post(f"/api/workflows/{uid}/resume").status_code == 409


def test_failed_steps_are_tried_again() -> None:
    uid = a_workflow(statuses=FAILED).uid
    retried = post(f"/api/workflows/{uid}/retry").json()
    assert [step["status"] for step in retried["steps"]] == ["PENDING", "WAITING_FOR_DEPENDENCY"]


def test_a_retry_may_begin_at_a_step_with_other_parameters() -> None:
    uid = post("/api/workflows/from-template?template_id=" + a_published().template.slug).json()["id"]
    post(f"/api/workflows/{uid}/stop")
    retried = post(f"/api/workflows/{uid}/retry", {"fromStep": "fetch", "params": {"size": 8}})
    assert retried.status_code == 200, retried.content
    assert retried.json()["params"] == {"size": 8}


def test_a_retry_from_a_step_that_is_not_there_is_not_found() -> None:
    uid = a_workflow(statuses=FAILED).uid
    response = post(f"/api/workflows/{uid}/retry", {"fromStep": "nope"})
    assert response.status_code == 404
    assert "'nope'" in detail(response)


def test_a_completed_workflow_has_nothing_to_retry() -> None:
    response = post(f"/api/workflows/{a_workflow(statuses=DONE).uid}/retry")
    assert response.status_code == 409
    assert "rerun" in detail(response)


def test_a_rerun_is_a_new_workflow_whose_parent_is_the_old_one() -> None:
    slug = a_published().template.slug
    old = post(f"/api/workflows/from-template?template_id={slug}", {"size": 4}).json()
    new = post(f"/api/workflows/{old['id']}/rerun").json()
    assert (new["parentId"], new["params"], new["templateId"]) == (old["id"], {"size": 4}, slug)
    assert new["id"] != old["id"]
    assert post(f"/api/workflows/{old['id']}/rerun", {"params": {"size": 5}}).json()["params"] == {"size": 5}


def test_a_rerun_checks_parameters_against_the_version_it_is_pinned_to() -> None:
    uid = post(f"/api/workflows/from-template?template_id={a_published().template.slug}").json()["id"]
    assert fields(post(f"/api/workflows/{uid}/rerun", {"params": {"size": "x", "other": 1}})) == {"params.size", "params.other"}
    assert fields(post(f"/api/workflows/{uid}/retry", {"fromStep": "fetch", "params": {"size": 0}})) == {"params.size"}
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize(
    ("verb", "body", "named"),
    [
        ("retry", {"from_step": "a"}, "body.from_step"),
        ("retry", {"fromStep": 7}, "body.fromStep"),
        ("retry", [], "body"),
        ("rerun", {"size": 7}, "body.size"),
        ("rerun", {"params": 7}, "body.params"),
    ],
)
def test_a_control_with_a_body_of_the_wrong_shape_is_refused_by_name(verb: str, body: Any, named: str) -> None:
    assert fields(post(f"/api/workflows/{a_workflow(statuses=FAILED).uid}/{verb}", body)) == {named}


def test_a_step_shows_its_attempts() -> None:
    workflow = a_workflow(statuses=DONE)
    an_attempt(workflow.steps.get(node_id="fetch"))
    step = get(f"/api/workflows/{workflow.uid}/steps/fetch").json()
    assert (step["id"], step["attempts"], step["attemptHistory"][0]["outcome"]) == ("fetch", 1, "completed")


@pytest.mark.parametrize("step_id", ["nope", "a%00b", "%2e%2e", "x" * 3000])
def test_an_unknown_step_is_not_found(step_id: str) -> None:
    uid = a_workflow().uid
    for path in (f"/api/workflows/{uid}/steps/{step_id}", f"/api/workflows/{uid}/steps/{step_id}/logs"):
        response = get(path)
        assert response.status_code == 404
        assert "not found" in detail(response)


def test_logs_come_by_cursor_and_level() -> None:
    workflow = a_workflow()
    for level in ("INFO", "ERROR", "INFO"):
        a_log_line(workflow.steps.get(node_id="fetch"), level.title(), level=level)
    path = f"/api/workflows/{workflow.uid}/steps/fetch/logs"
    first = get(f"{path}?limit=2").json()
    assert [line["message"] for line in first["lines"]] == ["Info", "Error"]
    assert [line["number"] for line in get(f"{path}?after={first['next']}").json()["lines"]] == [3]
    assert [line["number"] for line in get(f"{path}?level=ERROR").json()["lines"]] == [2]


@pytest.mark.parametrize(("query", "named"), [("after=-1", "after"), ("after=x", "after"), ("level=LOUD", "level"), ("limit=0", "limit")])
def test_a_bad_log_query_is_refused_by_name(query: str, named: str) -> None:
    assert fields(get(f"/api/workflows/{a_workflow().uid}/steps/fetch/logs?{query}")) == {f"query.{named}"}


def test_a_page_of_the_list_costs_the_same_number_of_queries_whatever_its_length(django_assert_num_queries: Any) -> None:
    template = a_template()
    for _ in range(20):
        a_log_line(a_workflow(template=template, statuses=DONE).steps.first())
    get("/api/workflows")
    for limit in (1, 20):
        with django_assert_num_queries(5):
            assert len(get(f"/api/workflows?limit={limit}").json()) == limit
