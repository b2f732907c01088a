"""The pages on templates: the list and the form that starts a workflow."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import signed_in
from tests.factories import NOW, a_template, a_user, a_workflow
from workflows_app.models import TemplateVersion, Workflow

SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date"},
        "size": {"type": "integer", "maximum": 10, "default": 5},
        "more": {"type": "object", "properties": {"team": {"type": "string"}}},
    },
    "required": ["day"],
}
FORM = {"idempotency_key": "key-1", "p.day": "2026-11-20", "p.size": "7", "p.more": ""}


@pytest.fixture
def nightly(db):
    return a_template("nightly", name="Nightly ETL", params_schema=SCHEMA, description="Loads the day", tags=["etl"])


def start(reader: Client, **changes: str):
    return reader.post("/templates/nightly/start", {**FORM, **changes})


def test_the_list_shows_published_templates_with_start_and_edit(reader, nightly):
    a_template("gone", deleted_at=NOW)
    response = reader.get("/templates")
    text, html = text_of(response), response.content.decode()
    assert "Nightly ETL nightly etl Loads the day 2 v1 " in text
    assert "gone" not in text
    assert 'href="/templates/nightly/start"' in html
    assert f'href="/admin/workflows_app/template/{nightly.pk}/change/"' in html
    assert 'href="/workflows?template=nightly"' in html


def test_who_may_not_edit_is_not_sent_where_that_is_refused(server_mode, nightly):
    html = signed_in().get("/templates").content.decode()
    assert 'href="/templates/nightly/start"' in html
    assert "/admin/" not in html and "New template" not in html


def test_of_the_staff_those_who_may_see_what_they_may_do(server_mode, nightly):
    eve = a_user("eve", is_staff=True)
    eve.user_permissions.add(Permission.objects.get(codename="add_template"))
    html = signed_in(eve).get("/templates").content.decode()
    assert 'href="/admin/"' in html and "New template" in html and "/change/" not in html


def test_without_templates_the_list_says_how_to_get_some(reader):
    assert "No templates yet" in text_of(reader.get("/templates"))


def test_the_form_has_a_field_for_each_parameter_and_its_default(reader, nightly):
    html = reader.get("/templates/nightly/start").content.decode()
    assert re.search(r'<input class="input" id="f-day" type="date" name="p.day" value="" required', html)
    assert re.search(r'<input class="input" id="f-size" type="number" name="p.size" value="5" step="1" max="10"', html)
    assert '<textarea class="textarea mono" id="f-more"' in html


def test_every_form_has_an_idempotency_key_of_its_own(reader, nightly):
    keys = {
        re.search(r'name="idempotency_key" value="([^"]+)"', reader.get("/templates/nightly/start").content.decode())[1] for _ in range(2)
    }
    assert len(keys) == 2
    assert "no-store" in reader.get("/templates/nightly/start").headers["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_a_started_workflow_has_the_typed_parameters_and_is_shown_at_once():
    a_template("nightly", params_schema=SCHEMA)
    response = start(Client(headers={"host": "localhost"}), **{"p.more": '{"team": "data"}'})
    workflow = Workflow.objects.get()
    assert response.headers["Location"] == f"/workflows/{workflow.uid}"
    assert workflow.params == {"day": "2026-11-20", "size": 7, "more": {"team": "data"}}


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_twice_starts_one_workflow():
    a_template("nightly", params_schema=SCHEMA)
    reader = Client(headers={"host": "localhost"})
    assert start(reader).headers["Location"] == start(reader).headers["Location"]
    assert Workflow.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_used_form_with_other_parameters_is_refused_and_gets_a_new_key():
    a_template("nightly", params_schema=SCHEMA)
    reader = Client(headers={"host": "localhost"})
    start(reader)
    response = start(reader, **{"p.size": "8"})
    assert response.status_code == 422
    assert "already started a workflow with other parameters" in text_of(response)
    assert b'value="8"' in response.content
    assert b"key-1" not in response.content
    assert Workflow.objects.count() == 1


def test_errors_stand_at_their_fields_and_what_was_typed_stays(reader, nightly):
    response = start(reader, **{"p.day": "", "p.size": "99", "p.more": '{"team": 1}'})
    assert response.status_code == 422
    html, text = response.content.decode(), text_of(response)
    assert "✕ is missing" in text
    assert re.search(r'value="99"[^>]*aria-invalid="true"', html)
    assert "99 is greater than the maximum of 10" in text
    assert "✕ team: 1 is not of type" in text
    assert Workflow.objects.count() == 0


def test_what_is_not_a_number_is_told_in_the_apis_words(reader, nightly):
    text = text_of(start(reader, **{"p.size": "many"}))
    assert "'many' is not of type 'integer'" in text


def test_the_form_can_be_filled_in_from_an_earlier_workflow(reader, nightly):
    earlier = a_workflow(template=nightly, params={"day": "2026-01-02", "size": 3})
    response = reader.get(f"/templates/nightly/start?from={earlier.uid}")
    assert b'value="2026-01-02"' in response.content
    assert f"Filled in from workflow {str(earlier.uid)[:8]}" in text_of(response)


@pytest.mark.parametrize("source", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_source_fills_in_the_defaults(reader, nightly, source):
    response = reader.get(f"/templates/nightly/start?from={source}")
    assert b'value="5"' in response.content
    assert "Filled in" not in text_of(response)


@pytest.mark.parametrize("slug", ["missing", "gone"])
def test_a_template_that_is_not_published_cannot_be_started(reader, slug):
    a_template("gone", deleted_at=NOW)
    assert reader.get(f"/templates/{slug}/start").status_code == 404
    assert reader.post(f"/templates/{slug}/start", FORM).status_code == 404


def test_stored_text_is_text_on_these_pages_too(reader):
    evil = "<script>alert(1)</script>"
    schema = {"properties": {evil: {"type": "string", "title": evil, "description": evil, "default": evil, "enum": [evil]}}}
    a_template("evil", name=evil, description=evil, tags=[evil], params_schema=schema)
    for address in ("/templates", "/templates/evil/start"):
        html = reader.get(address).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_the_list_names_other_dialects_and_says_what_events_start(reader, nightly):
    a_template("hot")
    TemplateVersion.objects.filter(template__slug="hot").update(dialect="graph", trigger={"==": [1, 1]})
    text = text_of(reader.get("/templates"))
    assert "Hot hot graph dialect started by events" in text
    assert text.count("dialect") == text.count("started by events") == 1
    assert "Events that fit its trigger start it too" in text_of(reader.get("/templates/hot/start"))


@pytest.mark.django_db(transaction=True)
def test_a_template_that_takes_anything_takes_an_object_typed_as_json():
    a_template("hot", params_schema={"properties": {"day": {"type": "string"}}, "additionalProperties": True})
    reader = Client(headers={"host": "localhost"})
    assert "Other values" in text_of(reader.get("/templates/hot/start"))
    form = {"idempotency_key": "k", "p.day": "today"}
    refused = reader.post("/templates/hot/start", {**form, "p.*": '["no object"]'})
    assert refused.status_code == 422
    assert "✕ must be a JSON object" in text_of(refused)
    assert "[&quot;no object&quot;]</textarea>" in refused.content.decode()
    assert reader.post("/templates/hot/start", {**form, "p.*": '{"lead": {"score": 90}}'}).status_code == 302
    assert Workflow.objects.get().params == {"day": "today", "lead": {"score": 90}}
