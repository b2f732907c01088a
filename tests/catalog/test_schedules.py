"""The verbs on schedules."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOW, a_template, a_user, a_workflow, later
from workflows_app.catalog import schedules
from workflows_app.catalog.templates import UnknownTemplate
from workflows_app.dialects.params import InvalidParams
from workflows_app.engine.errors import NotAllowed
from workflows_app.models import Schedule, Template, Workflow

SCHEMA = {"properties": {"day": {"type": "string"}, "size": {"type": "integer", "default": 5}}, "required": ["day"]}
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def etl(transactional_db: None) -> Template:
    return a_template("etl", params_schema=SCHEMA)


def made(**changes: Any) -> Schedule:
    values = {"name": "Nightly", "template": "etl", "cron": "0 9 * * *", "params": {"day": "today"}, "by": None, "now": NOW, **changes}
    return schedules.create(**values)


def test_a_new_one_is_due_at_its_next_time_and_keeps_the_parameters_as_they_were_given(etl):
    ana = a_user("ana")
    row = made(timezone="Europe/Berlin", cron=" 0  9 * * * ", name=" Nightly ", by=ana)
    assert (row.name, row.cron, row.params) == ("Nightly", "0 9 * * *", {"day": "today"})
    assert (row.next_at, row.created_by, row.template) == (NOW + 20 * HOUR, ana, etl)
    assert made(name="paused", is_paused=True).next_at is None


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"cron": "0 25 * * *"}, "cron", "the hour '25' is not understood; allowed: * or 0–23"),
        ({"timezone": "Europe/Berlim"}, "timezone", "did you mean 'Europe/Berlin'?"),
        ({"name": "  "}, "name", "must be 1 to 100 visible characters"),
        ({"name": "x" * 101}, "name", "must be 1 to 100 visible characters"),
        ({"name": "a\nb"}, "name", "must be 1 to 100 visible characters"),
        ({"overlap": "queue"}, "overlap", "must be allow or skip"),
        ({"catch_up": "all"}, "catch_up", "must be latest or none"),
    ],
)
def test_what_is_wrong_is_told_by_field_in_new_ones_and_in_changes(etl, changes, field, said):
    row = made(name="there")
    for refused in (lambda: made(**changes), lambda: schedules.update(uid=row.uid, now=NOW, **changes)):
        with pytest.raises(schedules.InvalidSchedule) as caught:
            refused()
        assert list(caught.value.errors) == [field]
        assert said in caught.value.errors[field]
    assert Schedule.objects.count() == 1


def test_everything_that_is_wrong_is_told_at_once(etl):
    with pytest.raises(schedules.InvalidSchedule) as caught:
        made(name="", cron="x", timezone="y")
    assert set(caught.value.errors) == {"name", "cron", "timezone"}


def test_parameters_must_fit_the_template_when_it_is_made_and_when_they_change(etl):
    with pytest.raises(InvalidParams, match="day: is missing"):
        made(params={})
    row = made()
    with pytest.raises(InvalidParams, match="size: 'many' is not of type 'integer'"):
        schedules.update(uid=row.uid, now=NOW, params={"day": "x", "size": "many"})


def test_an_unknown_or_withdrawn_template_has_none(etl):
    a_template("gone", deleted_at=NOW)
    for slug in ("missing", "gone"):
        with pytest.raises(UnknownTemplate):
            made(template=slug)


def test_a_name_is_used_once(etl):
    made()
    with pytest.raises(schedules.ScheduleNameTaken, match="another schedule named 'Nightly'"):
        made()
    other = made(name="other")
    with pytest.raises(schedules.ScheduleNameTaken):
        schedules.update(uid=other.uid, now=NOW, name="Nightly")


def test_a_change_of_the_time_tells_the_next_one_anew_and_other_changes_leave_it(etl):
    row = made()
    Schedule.objects.update(next_at=later(5))
    assert schedules.update(uid=row.uid, now=NOW, name="Other", overlap="skip").next_at == later(5)
    changed = schedules.update(uid=row.uid, now=NOW, cron="0 10 * * *")
    assert (changed.name, changed.overlap, changed.next_at) == ("Other", "skip", NOW + 22 * HOUR)
    assert schedules.update(uid=row.uid, now=NOW, timezone="Asia/Tokyo").next_at == NOW + 13 * HOUR
    assert changed.updated_at > NOW


def test_a_paused_one_stays_paused_until_it_is_resumed_and_catches_up_on_nothing(etl):
    row = made(cron="0 * * * *")
    assert schedules.pause(uid=row.uid, now=NOW).next_at is None
    assert schedules.update(uid=row.uid, now=NOW, cron="30 * * * *").next_at is None
    Schedule.objects.update(last_error="before")
    resumed = schedules.resume(uid=row.uid, now=NOW + 5 * HOUR)
    assert (resumed.next_at, resumed.last_error) == (NOW + 5.5 * HOUR, "")
    assert schedules.resume(uid=row.uid, now=NOW + 9 * HOUR).next_at == NOW + 5.5 * HOUR


def test_one_that_is_paused_while_somebody_changes_it_stays_paused(etl, monkeypatch):
    row, following = made(), schedules.clock.following

    def slowly(*args: Any, **kwargs: Any) -> Any:
        if Schedule.objects.get().next_at is not None:
            schedules.pause(uid=row.uid, now=NOW)
        return following(*args, **kwargs)

    monkeypatch.setattr(schedules.clock, "following", slowly)
    changed = schedules.update(uid=row.uid, now=later(1), cron="0 10 * * *")
    assert (changed.cron, changed.next_at) == ("0 10 * * *", None)


def test_one_of_a_withdrawn_template_can_neither_be_resumed_nor_started(etl):
    row = made(is_paused=True)
    Template.objects.update(deleted_at=NOW)
    with pytest.raises(NotAllowed, match="'etl' was withdrawn: publish it again"):
        schedules.resume(uid=row.uid, now=NOW)
    with pytest.raises(NotAllowed, match="was withdrawn"):
        schedules.run_now(uid=row.uid, by=None, now=NOW)
    assert schedules.update(uid=row.uid, now=NOW, name="other").name == "other"


def test_started_beside_its_times_it_says_who_did_and_uses_the_defaults_of_now(etl):
    ana, row = a_user("ana"), made()
    workflow = schedules.run_now(uid=row.uid, by=ana, now=NOW)
    assert (workflow.started_by, workflow.schedule, workflow.params) == (ana, row, {"day": "today", "size": 5})
    Schedule.objects.update(params={})
    with pytest.raises(InvalidParams):
        schedules.run_now(uid=row.uid, by=ana, now=NOW)


def test_of_a_deleted_one_the_workflows_stay(etl):
    row = made()
    workflow = a_workflow(schedule=row)
    schedules.delete(uid=row.uid)
    workflow.refresh_from_db()
    assert (workflow.schedule, Schedule.objects.count(), Workflow.objects.count()) == (None, 0, 1)


@pytest.mark.parametrize("uid", ["nonsense", uuid.uuid4()])
def test_what_is_not_there_is_not_found(db, uid):
    for verb in (schedules.find, lambda uid: schedules.delete(uid=uid), lambda uid: schedules.pause(uid=uid, now=NOW)):
        with pytest.raises(schedules.ScheduleNotFound, match=f"Schedule {uid} not found"):
            verb(uid)


def test_a_preview_says_it_in_words_and_shows_the_next_five():
    found = schedules.preview(cron="0 9 * * MON-FRI", timezone="Europe/Berlin", now=NOW)
    assert found.words == "At 09:00, Monday through Friday"
    assert [f"{at:%a %H:%M}" for at in found.upcoming] == [f"{day} 08:00" for day in ("Mon", "Tue", "Wed", "Thu", "Fri")]
    with pytest.raises(schedules.InvalidSchedule):
        schedules.preview(cron="nonsense", timezone="UTC", now=NOW)
