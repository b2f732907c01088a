"""Schedules through the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.api.calls import call, detail, fields, get, post
from tests.factories import NOW, a_template, a_workflow
from workflows_app.api.schemas.schedules import PreviewOut, ScheduleDetailOut, ScheduleOut
from workflows_app.models import Schedule, Template, Workflow

SCHEMA = {"properties": {"day": {"type": "string"}}, "required": ["day"], "additionalProperties": False}
BODY = {"name": "Nightly", "template": "etl", "cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin", "params": {"day": "today"}}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def etl(transactional_db: None) -> Template:
    return a_template("etl", params_schema=SCHEMA)


def made(**changes: Any) -> dict[str, Any]:
    response = post("/api/schedules", {**BODY, **changes})
    assert response.status_code == 201, response.content
    answer: dict[str, Any] = response.json()
    return answer


def shaped(shape: Any, sent: Any) -> bool:
    adapter = TypeAdapter(shape)
    return bool(adapter.dump_python(adapter.validate_python(sent, strict=True), by_alias=True) == sent)


def test_a_new_one_answers_with_words_and_its_next_times(etl):
    sent = made()
    assert shaped(ScheduleDetailOut, sent)
    assert (sent["words"], sent["overlap"], sent["catchUp"], sent["isPaused"]) == (
        "At 09:00, Monday through Friday",
        "allow",
        "latest",
        False,
    )
    assert sent["nextAt"] == sent["upcoming"][0] and len(sent["upcoming"]) == 5
    assert datetime.fromisoformat(sent["nextAt"]) > datetime.now(UTC)


def test_the_list_shows_all_of_them_or_those_of_a_template_in_as_many_queries(etl, django_assert_num_queries):
    a_template("other")
    made(name="b")
    Schedule.objects.update(last_workflow=a_workflow(), last_error="why")
    made(name="a", template="other", params={}, isPaused=True)
    with django_assert_num_queries(1):
        sent = get("/api/schedules").json()
    assert [row["name"] for row in sent] == ["a", "b"]
    assert shaped(list[ScheduleOut], sent)
    assert sent[1]["lastWorkflow"]["status"] == "PENDING" and sent[1]["lastError"] == "why"
    assert [row["name"] for row in get("/api/schedules?template=etl").json()] == ["b"]


def test_a_change_leaves_what_it_does_not_name(etl):
    uid = made()["id"]
    changed = call("PUT", f"/api/schedules/{uid}", {"cron": "*/5 * * * *", "catchUp": "none"}).json()
    assert (changed["name"], changed["words"], changed["catchUp"], changed["params"]) == (
        "Nightly",
        "Every 5 minutes",
        "none",
        {"day": "today"},
    )
    assert call("PUT", f"/api/schedules/{uid}").json()["cron"] == "*/5 * * * *"


def test_paused_resumed_started_and_deleted(etl):
    uid = made()["id"]
    assert post(f"/api/schedules/{uid}/pause").json()["nextAt"] is None
    assert post(f"/api/schedules/{uid}/resume").json()["isPaused"] is False
    started = post(f"/api/schedules/{uid}/run").json()
    assert Workflow.objects.get().schedule.uid.hex == uid.replace("-", "")
    assert get(f"/api/schedules/{uid}").json()["lastWorkflow"]["id"] == started["id"]
    assert call("DELETE", f"/api/schedules/{uid}").status_code == 204
    assert get(f"/api/schedules/{uid}").status_code == 404
    assert get(f"/api/workflows/{started['id']}").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cron": "61 * * * *"}, "body.cron"),
        ({"cron": 5}, "body.cron"),
        ({"timezone": "Mars/Base"}, "body.timezone"),
        ({"name": ""}, "body.name"),
        ({"overlap": "queue"}, "body.overlap"),
        ({"params": {"dya": 1, "day": "x"}}, "body.params.dya"),
        ({"params": []}, "body.params"),
        ({"unknown": 1}, "body.unknown"),
    ],
)
def test_a_refusal_names_the_field(etl, changes, field):
    uid = made(name="there")["id"]
    assert fields(post("/api/schedules", {**BODY, **changes})) == {field}
    assert fields(call("PUT", f"/api/schedules/{uid}", changes)) == {field}


def test_what_is_missing_taken_unknown_or_withdrawn_is_refused(etl):
    assert fields(post("/api/schedules", {})) == {"body.name", "body.template", "body.cron"}
    uid = made()["id"]
    taken = post("/api/schedules", BODY)
    assert (taken.status_code, detail(taken)) == (409, "There is another schedule named 'Nightly': choose another name")
    assert post("/api/schedules", {**BODY, "template": "missing"}).status_code == 404
    Template.objects.update(deleted_at=NOW)
    for verb in ("run", "resume"):
        refused = post(f"/api/schedules/{uid}/{verb}")
        assert (refused.status_code, "was withdrawn" in detail(refused)) == (409, True)


@pytest.mark.parametrize("uid", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_one_is_a_404_everywhere(db, uid):
    calls = [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/run")]
    assert {call(method, f"/api/schedules/{uid}{verb}").status_code for method, verb in calls} == {404}


def test_a_preview_needs_no_schedule(db):
    sent = get("/api/schedules/preview?cron=*/15 * * * *&timezone=Asia/Tokyo").json()
    assert shaped(PreviewOut, sent)
    assert (sent["words"], len(sent["upcoming"])) == ("Every 15 minutes", 5)
    assert fields(get("/api/schedules/preview?cron=1&timezone=x")) == {"query.cron", "query.timezone"}
    assert fields(get("/api/schedules/preview")) == {"query.cron"}


def test_strangers_are_refused(server_mode, db):
    assert {call(method, path).status_code for method, path in (("GET", "/api/schedules"), ("POST", "/api/schedules"))} == {401}


def test_hostile_parameters_come_back_as_they_were(transactional_db):
    a_template("open", params_schema={"additionalProperties": True})
    evil = {"<script>": "</script>", "𝄞": [None, 1e300, {"a": "\\"}]}
    sent = made(template="open", params=evil)
    assert json.loads(json.dumps(sent["params"])) == evil
