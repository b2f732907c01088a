"""The pages on schedules: the list, a new one, one of them with its form, and what its buttons do."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.dashboard.conftest import HX, text_of
from tests.dashboard.rows import EVIL
from tests.factories import NOW, a_template, a_workflow
from workflows_app.dashboard.live import IDLE_MILLISECONDS, LIST_MILLISECONDS
from workflows_app.graph.statuses import Status
from workflows_app.models import Schedule, Template, Workflow

SCHEMA = {
    "properties": {"day": {"type": "string"}, "size": {"type": "integer", "maximum": 10}},
    "required": ["day"],
    "additionalProperties": False,
}
FORM = {
    "template": "etl", "name": "Nightly", "cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin", "overlap": "skip", "catch_up": "none",
    "p.day": "today", "p.size": "7",
}  # fmt: skip


@pytest.fixture
def etl(db: None) -> Template:
    return a_template("etl", name="ETL", params_schema=SCHEMA)


def a_schedule(name: str = "Nightly", *, template: Template, **changes: Any) -> Schedule:
    values = {
        "cron": "0 * * * *",
        "next_at": timezone.now() + timedelta(hours=3),
        "created_at": NOW,
        "updated_at": NOW,
        "params": {"day": "x"},
    }
    return Schedule.objects.create(name=name, template=template, **{**values, **changes})


def test_the_list_says_when_in_words_when_next_and_how_the_last_went(reader, etl):
    row = a_schedule(template=etl, cron="*/15 * * * *", timezone="Asia/Tokyo", overlap="skip")
    row.last_workflow, row.last_at = a_workflow(statuses=dict.fromkeys(("fetch", "shape"), Status.COMPLETED)), NOW
    row.save()
    response = reader.get("/schedules")
    text = text_of(response)
    assert "Nightly starts etl · never two at once" in text
    assert "Every 15 minutes */15 * * * * Asia/Tokyo in 2 hr" in text
    assert "✓ Completed" in text
    assert (
        f'href="/schedules/{row.uid}"' in response.content.decode()
        and f'href="/workflows/{row.last_workflow.uid}"' in response.content.decode()
    )


def test_the_list_shows_what_is_paused_and_what_started_nothing_and_filters_by_the_url(reader, etl):
    a_schedule("on", template=etl)
    a_schedule("off", template=etl, next_at=None)
    a_schedule("bad", template=a_template("other"), last_error="Its parameters do not fit")

    def names(query: str) -> set[str]:
        html = reader.get(f"/schedules{query}").content.decode()
        return set(re.findall(r'class="row-link" href="/schedules/[^"]+">([^<]+)<', html))

    assert names("") == names("?show=nonsense") == {"on", "off", "bad"}
    assert (names("?show=paused"), names("?show=active"), names("?show=faulty")) == ({"off"}, {"on", "bad"}, {"bad"})
    assert (names("?template=other"), names("?template=other&show=paused")) == ({"bad"}, set())
    assert "Its parameters do not fit" in text_of(reader.get("/schedules"))
    assert "No such schedule" in text_of(reader.get("/schedules?template=missing"))


def test_without_schedules_the_list_says_what_they_do(reader, db):
    text = text_of(reader.get("/schedules"))
    assert "No schedules yet" in text and "New schedule" in text


def test_the_list_asks_as_much_for_many_as_for_few(reader, etl):
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert reader.get("/schedules").status_code == 200
        return len(found)

    a_schedule("first", template=etl, last_workflow=a_workflow())
    asked()
    few = asked()
    for number in range(30):
        a_schedule(f"s{number}", template=a_template(), last_workflow=a_workflow())
    assert asked() == few


def test_a_poll_is_answered_in_full_when_something_fired_and_else_not(reader, etl):
    row = a_schedule(template=etl)
    for address in ("/schedules", f"/schedules/{row.uid}"):
        first = reader.get(address, headers=HX)
        again = reader.get(address, headers={**HX, "HX-PTag": first.headers["HX-PTag"]})
        assert (first.status_code, again.status_code) == (200, 304)
        Schedule.objects.update(last_at=timezone.now())
        assert reader.get(address, headers={**HX, "HX-PTag": first.headers["HX-PTag"]}).status_code == 200


def test_the_page_asks_when_the_next_one_is_due_and_often_until_an_overdue_one_has_fired(reader, etl):
    row = a_schedule(template=etl)
    a_schedule("off", template=etl, next_at=None)

    def asks(next_at: datetime | None) -> set[tuple[str, ...]]:
        Schedule.objects.filter(pk=row.pk).update(next_at=next_at)
        pages = (reader.get(address).content.decode() for address in ("/schedules", f"/schedules/{row.uid}"))
        return {re.search(r'data-poll="(\d+)" data-now="[^"]+" data-due="([^"]*)"', html).groups() for html in pages}

    later, before = timezone.now() + timedelta(hours=1), timezone.now() - timedelta(seconds=1)
    assert asks(later) == {(str(IDLE_MILLISECONDS), later.isoformat())}
    assert asks(before) == {(str(LIST_MILLISECONDS), before.isoformat())}
    assert asks(None) == {(str(IDLE_MILLISECONDS), "")}


def test_a_new_one_asks_first_for_its_template(reader, etl):
    a_template("gone", deleted_at=NOW)
    html = reader.get("/schedules/new").content.decode()
    assert '<option value="etl">ETL – etl</option>' in html and "gone" not in html
    assert "No templates yet" not in html
    Template.objects.update(deleted_at=NOW)
    assert "No templates yet" in text_of(reader.get("/schedules/new"))


def test_the_form_shows_the_next_times_before_anything_is_sent(reader, etl):
    text = text_of(reader.get("/schedules/new?template=etl"))
    assert "At 09:00, Monday through Friday UTC" in text
    assert len(re.findall(r"\w{3} \d\d \w{3} \d{4}, 09:00", text)) == 5


def test_the_preview_follows_what_is_typed_and_tells_what_is_wrong(reader, db):
    text = text_of(reader.get("/schedules/preview", {"cron": "0 0 1 * *", "timezone": "Asia/Tokyo"}))
    assert "At 00:00, on day 1 of the month Asia/Tokyo" in text
    text = text_of(reader.get("/schedules/preview", {"cron": "0 25 * * *", "timezone": "Mars"}))
    assert "timezone: there is no time zone 'Mars'" in text and "cron: the hour '25' is not understood" in text
    assert "five are needed" in text_of(reader.get("/schedules/preview"))


def test_parameters_can_come_from_an_earlier_workflow(reader, etl):
    earlier = a_workflow(template=etl, params={"day": "monday", "size": 3})
    assert b'name="p.day" value="monday"' in reader.get(f"/schedules/new?template=etl&from={earlier.uid}").content


@pytest.mark.django_db(transaction=True)
def test_made_it_is_as_it_was_typed_and_its_page_is_shown(transactional_db):
    a_template("etl", params_schema=SCHEMA)
    response = Client(headers={"host": "localhost"}).post("/schedules/new", FORM)
    row = Schedule.objects.get()
    assert response.headers["Location"] == f"/schedules/{row.uid}"
    assert (row.name, row.cron, row.timezone, row.overlap, row.catch_up) == ("Nightly", "0 9 * * MON-FRI", "Europe/Berlin", "skip", "none")
    assert (row.params, row.created_by.username) == ({"day": "today", "size": 7}, "local")
    assert row.next_at is not None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cron": "0 25 * * *"}, "the hour '25' is not understood; allowed: * or 0–23"),
        ({"timezone": "Europe/Berlim"}, "did you mean 'Europe/Berlin'?"),
        ({"name": ""}, "must be 1 to 100 visible characters"),
        ({"name": "taken"}, "There is another schedule named 'taken'"),
        ({"p.size": "99"}, "99 is greater than the maximum of 10"),
        ({"p.day": ""}, "is missing"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_that_was_typed_is_lost(reader, etl, changes, said):
    a_schedule("taken", template=etl)
    row = a_schedule("there", template=etl)
    for address in ("/schedules/new", f"/schedules/{row.uid}"):
        response = reader.post(address, {**FORM, **changes})
        html = response.content.decode()
        assert response.status_code == 422
        assert said in text_of(response)
        assert 'aria-invalid="true"' in html
        kept = {**FORM, **changes}
        assert all(f'value="{kept[name]}"' in html for name in ("name", "cron", "timezone", "p.size"))
        assert re.search(r'name="overlap" value="skip" checked', html)
    assert Schedule.objects.count() == 2


def test_parameters_that_are_no_json_make_no_schedule_without_them(reader):
    row = a_schedule(template=a_template("free"), params={"day": "today"})
    sent = {**FORM, "template": "free", "name": "Another", "view": "json", "json": "{"}
    for address in ("/schedules/new?template=free", f"/schedules/{row.uid}"):
        assert reader.post(address, sent).status_code == 422
    assert [(found.name, found.params) for found in Schedule.objects.all()] == [(row.name, {"day": "today"})]


def test_without_a_script_the_next_times_are_shown_on_request(reader, etl):
    response = reader.post("/schedules/new", {**FORM, "cron": "5 4 * * *", "fill": "preview"})
    assert response.status_code == 200 and "At 04:05 Europe/Berlin" in text_of(response)
    assert b'name="p.size" value="7"' in response.content
    assert Schedule.objects.count() == 0


def test_its_page_tells_how_it_is_when_it_comes_and_what_it_started(reader, etl):
    row = a_schedule(template=etl, cron="30 4 * * *", last_error="Nobody was there")
    for number in range(22):
        a_workflow(schedule=row, name=f"run {number}", metadata={"scheduledFor": NOW.isoformat()})
    by_hand = a_workflow(schedule=row, name="by hand")
    text = text_of(reader.get(f"/schedules/{row.uid}"))
    assert "At 04:30, UTC. Next in 2 hr" in text and "Nobody was there" in text
    assert len(re.findall(r"\w{3} \d\d \w{3} \d{4}, 04:30", text)) == 10  # in the region, and in the form's own preview
    assert "What it started 20" in text
    assert f"by hand {str(by_hand.uid)[:8]} run now" in text
    assert "run 21" in text and "run 3 " in text and "run 2 " not in text
    assert "2026-11-21 12:00:00 UTC" in text


def test_its_page_asks_as_much_for_many_workflows_as_for_few(reader, etl):
    row = a_schedule(template=etl)

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert reader.get(f"/schedules/{row.uid}").status_code == 200
        return len(found)

    a_workflow(schedule=row)
    asked()
    few = asked()
    for _ in range(25):
        a_workflow(schedule=row)
    assert asked() == few


@pytest.mark.django_db(transaction=True)
def test_changed_paused_resumed_started_and_deleted_by_its_buttons(transactional_db):
    row = a_schedule(template=a_template("etl", params_schema=SCHEMA))
    reader, address = Client(headers={"host": "localhost"}), f"/schedules/{row.uid}"
    assert reader.post(address, {**FORM, "name": "Other"}).headers["Location"] == address
    assert reader.post(f"{address}/pause").headers["Location"] == address
    text = text_of(reader.get(address))
    assert "Other" in text and "Paused: it starts nothing until it is resumed." in text and "Resume" in text
    assert reader.post(f"{address}/resume", {"back": "list"}).headers["Location"] == "/schedules"
    assert Schedule.objects.get().next_at is not None
    started = reader.post(f"{address}/run").headers["Location"]
    assert started == f"/workflows/{Workflow.objects.get().uid}" and Workflow.objects.get().started_by.username == "local"
    assert reader.post(f"{address}/delete").headers["Location"] == "/schedules"
    assert "“Other” is deleted; its workflows stay." in text_of(reader.get("/schedules"))
    assert (Schedule.objects.count(), Workflow.objects.count()) == (0, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["pause", "resume", "run", "delete"])
def test_what_somebody_else_deleted_at_the_same_moment_is_not_there(transactional_db, monkeypatch, verb):
    row = a_schedule(template=a_template("etl", params_schema=SCHEMA))
    Schedule.objects.all().delete()
    monkeypatch.setattr("workflows_app.dashboard.schedules._find", lambda uid: row)
    assert Client(headers={"host": "localhost"}).post(f"/schedules/{row.uid}/{verb}").status_code == 404


def test_what_cannot_be_done_is_said_on_its_page(transactional_db):
    row = a_schedule(template=a_template("etl", params_schema=SCHEMA), params={}, next_at=None)
    reader, address = Client(headers={"host": "localhost"}), f"/schedules/{row.uid}"
    assert "day: is missing" in text_of(reader.post(f"{address}/run", follow=True))
    Template.objects.update(deleted_at=NOW)
    assert "was withdrawn: publish it again" in text_of(reader.post(f"{address}/resume", follow=True))
    html = reader.get(address).content.decode()
    assert f"{address}/run" not in html and f"{address}/resume" not in html


def test_only_posts_change_something_and_what_is_not_there_is_not_found(reader, etl):
    row = a_schedule(template=etl)
    assert reader.get(f"/schedules/{row.uid}/delete").status_code == 405
    assert reader.post(f"/schedules/{row.uid}/explode").status_code == 404
    missing = "00000000-0000-4000-8000-000000000000"
    assert {reader.get(f"/schedules/{missing}").status_code, reader.post(f"/schedules/{missing}/run").status_code} == {404}
    assert reader.get("/schedules/new?template=missing").status_code == 404


def test_stored_text_is_text_on_these_pages(reader):
    template = a_template("evil", name=EVIL, params_schema={"additionalProperties": True})
    row = a_schedule(EVIL, template=template, last_error=EVIL, cron=EVIL[:99], timezone=EVIL[:50], params={EVIL: EVIL})
    row.last_workflow = a_workflow(name=EVIL, schedule=row, error=EVIL, metadata={"scheduledFor": EVIL})
    row.save()
    for address in ("/schedules", f"/schedules?template={EVIL}", f"/schedules/{row.uid}", "/schedules/new", "/schedules/new?template=evil"):
        html = reader.get(address).content.decode()
        assert "<script>alert" not in html and "<img src=x" not in html, address
    refused = reader.post("/schedules/new", {**FORM, "template": "evil", "name": EVIL, "cron": EVIL, "timezone": EVIL}).content.decode()
    assert "<script>alert" not in refused and "&lt;script&gt;" in refused
