"""The start form: where its values come from, what it says before the click, and what becomes of what was typed."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import EVIL, signed_in
from tests.factories import NOW, a_definition, a_template, a_user, a_worker, a_workflow
from workflows_app.engine import pausing
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import Template, TemplateVersion, Workflow

SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "enum": ["EU", "US"], "default": "EU"},
        "size": {"type": "integer", "maximum": 10, "default": 5},
        "host": {"type": "string", "default": "api.bank.eu"},
        "more": {"type": "object", "properties": {"team": {"type": "string"}}},
    },
    "additionalProperties": False,
}
NODES = (
    Node("fetch", "http_call", name="Fetch it", config={"url": "https://{{ params.host }}/v1"}, retry=RetryPolicy(retries=2)),
    Node("archive", "transform", needs=("fetch",), run_if={"!=": [{"var": "params.region"}, "EU"]}),
    Node("big", "transform", needs=("fetch",), run_if={">": [{"var": "fetch.output.rows"}, 9]}),
    Node("tell", "http_call", needs=("archive",), config={"url": "https://user:secret@mail.example:8443/x"}),
    Node("last", "http_call", needs=("big",), config={"url": "{{ fetch.output.next }}"}),
)
FORM = {"idempotency_key": "key-1", "version": "1", "p.region": "EU", "p.size": "7", "p.host": "a.example", "p.more": ""}


@pytest.fixture
def etl(db: None) -> Template:
    return a_template("etl", name="ETL", params_schema=SCHEMA, definition=a_definition(*NODES))


def plan(reader: Client, **changes: str) -> Any:
    response = reader.post("/templates/etl/plan", {**FORM, **changes})
    assert response.status_code == 200
    return response


def errors_of(response: Any) -> dict[str, str]:
    found = re.search(r'<script id="plan-errors" type="application/json">(.*?)</script>', response.content.decode(), re.DOTALL)
    assert found
    told: dict[str, str] = json.loads(found[1])
    return told


def shown(response: Any, key: str) -> str:
    """What stands in a field of the form."""
    found = re.search(rf'name="p\.{key}" value="([^"]*)"', response.content.decode())
    assert found, response.content
    return found[1]


def a_version(template: Template, number: int, **changes: Any) -> TemplateVersion:
    values = {"params_schema": SCHEMA, "source": "", "created_at": NOW, "definition": template.current.definition, **changes}
    return TemplateVersion.objects.create(template=template, number=number, **values)


def test_each_step_is_told_with_its_condition_for_these_parameters(reader, etl):
    text = text_of(reader.get("/templates/etl/start"))
    assert "5 steps · 2 skipped · 2 perhaps" in text
    assert "✓ fetch Runs http_call Fetch it · at once · up to 3 tries" in text
    assert "⤼ archive Skipped transform will be skipped: region is EU · after fetch" in text
    assert "? big Perhaps transform only if fetch.output.rows is above 9 · after fetch" in text
    assert "⤼ tell Skipped http_call will be skipped, as “archive” does not lead here · after archive" in text
    assert "? last Perhaps http_call shows when the steps above have run" in text


def test_what_holds_for_every_step_is_said_once(reader):
    nodes = [Node("a", "input", timeout_seconds=20), Node("b", "input", timeout_seconds=20, on_failure="continue")]
    a_template("etl", definition=a_definition(*nodes))
    text = text_of(reader.get("/templates/etl/start"))
    assert "2 steps · each timeout 20 s ✓" in text and "b Runs input at once · may fail" in text


def test_the_plan_follows_what_is_typed(reader, etl):
    text = text_of(plan(reader, **{"p.region": "US"}))
    assert "✓ archive Runs transform after fetch" in text and "5 steps · 2 perhaps" in text


def test_it_names_the_hosts_that_parameters_tell_and_no_password(reader, etl):
    assert "Calls a.example and hosts that show only while it runs" in text_of(plan(reader))
    text = text_of(plan(reader, **{"p.region": "US", "p.host": "b.example:81"}))
    assert "Calls b.example:81, mail.example:8443 and hosts that show only while it runs" in text
    assert "secret" not in text


def test_bad_values_are_told_in_the_apis_words_and_the_rest_of_the_plan_stands(reader, etl):
    response = plan(reader, **{"p.size": "99", "p.region": "US", "p.more": '{"team": 1}'})
    assert errors_of(response) == {"size": "99 is greater than the maximum of 10", "more.team": "1 is not of type 'string'"}
    assert "✓ archive Runs" in text_of(response)
    assert errors_of(plan(reader)) == {}


def test_it_tells_how_long_the_version_usually_takes(reader, etl):
    assert "Nobody knows yet how long it takes" in text_of(plan(reader))
    for seconds in (10, 10, 10):
        done = dict.fromkeys((node.id for node in NODES), Status.COMPLETED)
        a_workflow(template=etl, statuses=done, started_at=NOW, ended_at=NOW + timedelta(seconds=seconds))
    assert "Usually 10 sec; 19 of 20 take at most 10 sec." in text_of(plan(reader))


def test_it_tells_what_is_ahead_in_the_queue(reader, etl, settings):
    assert "No worker takes steps: it waits until one does" in text_of(plan(reader))
    a_worker(heartbeat_at=datetime.now(UTC))
    assert "Nothing ahead of it, 1 worker: begins at once." in text_of(plan(reader))
    a_workflow()
    assert "1 step ahead of it, 1 worker." in text_of(plan(reader))
    done = {"statuses": {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}}
    for _ in range(15):
        a_workflow(**done, updated_at=datetime.now(UTC), ended_at=datetime.now(UTC))
    assert "1 step ahead of it, 1 worker: begins in about 10 sec." in text_of(plan(reader))
    settings.ENV = settings.ENV.model_copy(update={"max_concurrent_workflows": 1})
    assert "As many workflows run as may at once (1)" in text_of(plan(reader))
    pausing.pause(now=NOW)
    assert "The queue is paused: it begins when that is over." in text_of(plan(reader))


def test_it_says_that_the_same_parameters_ran(reader, etl):
    assert "same parameters" not in text_of(plan(reader))
    other = a_template("other", params_schema=SCHEMA)
    params = {"region": "EU", "size": 7, "host": "a.example"}
    a_workflow(template=other, params=params)
    a_workflow(template=etl, params={**params, "size": 8})
    assert "same parameters" not in text_of(plan(reader))
    ran = a_workflow(template=etl, params=params)
    assert re.search(rf"The same parameters ran .+ as {str(ran.uid)[:8]}", text_of(plan(reader)))
    assert str(ran.uid) in plan(reader).content.decode()


def test_copied_as_curl_and_as_python_it_starts_the_same(reader, etl):
    html = text_of(plan(reader, **{"p.host": 'it\'s "x" $HOME `id`'}))
    line = shlex.split(html[html.index("curl -X POST") : html.index("Copy curl")])
    assert line[:4] == ["curl", "-X", "POST", "http://localhost/api/workflows/from-template?template_id=etl"]
    assert json.loads(line[-1]) == {"region": "EU", "size": 7, "host": 'it\'s "x" $HOME `id`'}
    code = html[html.index("import json import urllib") : html.index("Copy Python")]
    assert "urllib.request.Request" in code and "Authorization" not in code


def test_with_a_login_the_token_stays_a_variable(server_mode, etl):
    text = text_of(signed_in(a_user("ana")).post("/templates/etl/plan", FORM))
    assert 'Authorization: Bearer $TOKEN"' in text and 'os.environ["TOKEN"]' in text


def test_filled_from_the_last_workflow_from_an_id_or_blank(reader, etl):
    first = a_workflow(template=etl, params={"size": 1})
    a_workflow(template=etl, params={"size": 2})
    assert shown(reader.get("/templates/etl/start?from=last"), "size") == "2"
    assert shown(reader.get(f"/templates/etl/start?from={first.uid}"), "size") == "1"
    assert shown(reader.get("/templates/etl/start"), "size") == "5"


def test_the_last_workflow_is_that_of_any_version_and_no_part_of_another(reader, etl):
    newer = a_version(etl, 2)
    a_workflow(template=etl, params={"size": 1})
    a_workflow(template_version=newer, definition=newer.definition, params={"size": 2})
    whole = a_workflow(template=etl, params={"size": 3})
    a_workflow(template=etl, params={"size": 4}, parent_step=whole.steps.first())
    assert shown(reader.get("/templates/etl/start?from=last"), "size") == "3"


def test_from_the_last_workflow_when_there_was_none_it_is_blank(reader, etl):
    response = reader.get("/templates/etl/start?from=last")
    assert shown(response, "size") == "5" and "Filled in" not in text_of(response)


def test_in_the_view_for_json_what_was_typed_into_fields_stands_as_json_and_back(reader, etl):
    response = reader.post("/templates/etl/start", {**FORM, "fill": "json", "p.size": "many"})
    text = re.search(r'name="json"[^>]*>\s*(.*?)</textarea>', response.content.decode(), re.DOTALL)[1].replace("&quot;", '"')
    assert json.loads(text) == {"region": "EU", "size": "many", "host": "a.example"}
    back = reader.post("/templates/etl/start", {"view": "json", "json": text, "fill": "form", "idempotency_key": "key-1"})
    assert shown(back, "size") == "many" and "key-1" in back.content.decode()
    assert Workflow.objects.count() == 0


@pytest.mark.parametrize(("text", "said"), [("{", "JSON"), ("[1]", "must be a JSON object, such as {}"), ('{"a": NaN}', "NaN")])
def test_what_is_no_json_object_stays_as_it_was_typed_and_is_told(reader, etl, text, said):
    for fill in ({"fill": "form"}, {}):
        response = reader.post("/templates/etl/start", {"view": "json", "json": text, **fill})
        assert said in text_of(response)
        assert f"{text.replace(chr(34), '&quot;')}</textarea>" in response.content.decode()
    assert Workflow.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_started_from_json_it_has_those_parameters_and_who_started_it(transactional_db):
    a_template("etl", params_schema=SCHEMA)
    reader = Client(headers={"host": "localhost"})
    response = reader.post("/templates/etl/start", {"view": "json", "json": '{"size": 3}', "idempotency_key": "k"})
    workflow = Workflow.objects.get()
    assert response.headers["Location"] == f"/workflows/{workflow.uid}"
    assert workflow.params["size"] == 3 and workflow.started_by.username == "local"


def test_in_the_view_for_json_errors_are_told_above_it(reader, etl):
    response = reader.post("/templates/etl/start", {"view": "json", "json": '{"size": 99}'})
    assert response.status_code == 422
    assert "size: 99 is greater than the maximum of 10" in text_of(response)


def test_another_version_shows_its_own_fields_and_keeps_what_was_typed(reader, etl):
    schema = {**SCHEMA, "properties": {"size": {"type": "integer"}, "new": {"type": "string"}}}
    Template.objects.filter(pk=etl.pk).update(current=a_version(etl, 2, params_schema=schema, note="adds new"))
    html = reader.get("/templates/etl/start").content.decode()
    assert 'name="p.new"' in html and "v2 (published) – adds new" in html
    older = reader.post("/templates/etl/start", {**FORM, "fill": "version", "version": "1"})
    assert shown(older, "size") == "7" and shown(older, "host") == "a.example"
    assert "This is not the published version" in text_of(older)
    assert "Programs start the published version" in text_of(older)


@pytest.mark.django_db(transaction=True)
def test_the_chosen_version_is_started(transactional_db):
    template = a_template("etl", params_schema=SCHEMA)
    Template.objects.filter(pk=template.pk).update(current=a_version(template, 2))
    reader = Client(headers={"host": "localhost"})
    for version, key in (("1", "a"), ("2", "b"), ("", "c")):
        reader.post("/templates/etl/start", {**FORM, "version": version, "idempotency_key": key})
    assert list(Workflow.objects.order_by("id").values_list("template_version__number", flat=True)) == [1, 2, 2]


@pytest.mark.parametrize("version", ["9", "99999999"])
def test_a_version_that_is_not_there_is_not_found(reader, etl, version):
    assert reader.get(f"/templates/etl/start?version={version}").status_code == 404
    assert reader.post("/templates/etl/plan", {**FORM, "version": version}).status_code == 404


def test_an_old_schedule_button_sends_the_form_to_a_new_schedule(reader, etl):
    html = reader.get("/templates/etl/start").content.decode()
    assert re.search(r'name="fill" value="schedule" formaction="/schedules/new"', html)
    response = reader.post("/schedules/new", {**FORM, "template": "etl", "fill": "schedule", "view": "form"})
    assert shown(response, "size") == "7"
    typed = reader.post("/schedules/new", {"template": "etl", "fill": "schedule", "view": "json", "json": '{"size": 4}'})
    assert shown(typed, "size") == "4"


def test_stored_text_is_text_in_form_plan_and_code(reader):
    rule = {"==": [{"var": f"params.{EVIL}"}, EVIL]}
    nodes = (Node("a", EVIL[:50], name=EVIL, run_if=rule, config={"url": f"https://{EVIL}/"}),)
    schema = {"properties": {EVIL: {"type": "string", "default": EVIL}}, "additionalProperties": {"type": "integer"}}
    template = a_template("etl", name=EVIL, params_schema=schema, definition=a_definition(*nodes))
    a_version(template, 2, note=EVIL)
    for response in (
        reader.get("/templates/etl/start"),
        reader.get("/templates/etl/start?view=json"),
        reader.post("/templates/etl/plan", {f"p.{EVIL}": EVIL, "p.*": json.dumps({EVIL: EVIL})}),
    ):
        html = response.content.decode()
        assert response.status_code == 200 and "<script>alert" not in html and "<img src=x" not in html


def test_the_page_asks_as_much_of_a_large_template_with_a_long_past_as_of_a_small_one(reader, etl):
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert reader.get("/templates/etl/start").status_code == 200
        return len(found)

    asked()
    few = asked()
    nodes = [Node(f"n{number}", "http_call", config={"url": "https://{{ params.host }}/"}) for number in range(300)]
    Template.objects.filter(pk=etl.pk).update(current=a_version(etl, 2, definition=a_definition(*nodes)))
    for number in range(30):
        a_workflow(template=etl, params={"size": number})
        a_version(etl, 10 + number)
    assert asked() <= few + 2
