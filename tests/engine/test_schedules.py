"""Schedules whose time has come: one workflow for each time, whoever looks, whatever dies, and the others go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.engine.at_once import at_once
from tests.factories import NOW, a_template, a_user, a_workflow, later
from workflows_app.engine import lifecycle, schedules, ticker
from workflows_app.graph.statuses import Status
from workflows_app.models import Notification, Schedule, Template, TemplateVersion, Workflow

SCHEMA = {"properties": {"day": {"type": "string"}, "size": {"type": "integer", "default": 5}}, "required": ["day"]}
HOUR = timedelta(hours=1)


def a_schedule(name: str = "Nightly", *, template: Template | None = None, **changes: Any) -> Schedule:
    """Due at NOW, which is a full hour."""
    values = {"cron": "0 * * * *", "next_at": NOW, "created_at": NOW, "updated_at": NOW, "params": {}, **changes}
    return Schedule.objects.create(name=name, template=template or a_template(), **values)


def fired(schedule: Schedule, now=NOW) -> Schedule:
    schedules.fire_due(now=now)
    schedule.refresh_from_db()
    return schedule


@pytest.mark.django_db(transaction=True)
def test_a_due_schedule_starts_its_template_and_is_due_again_at_the_next_time():
    template = a_template("etl", name="ETL", params_schema=SCHEMA, tags=["night"], description="Loads")
    row = fired(a_schedule(template=template, params={"day": "today"}))
    workflow = Workflow.objects.get()
    assert (workflow.name, workflow.tags, workflow.description) == ("ETL", ["night"], "Loads")
    assert workflow.params == {"day": "today", "size": 5}
    assert (workflow.schedule, workflow.template_version, workflow.started_by) == (row, template.current, None)
    assert workflow.metadata == {"scheduledFor": "2026-11-21T12:00:00+00:00"}
    assert (row.next_at, row.last_at, row.last_workflow, row.last_error) == (NOW + HOUR, NOW, workflow, "")


@pytest.mark.django_db(transaction=True)
def test_before_its_time_while_paused_and_a_second_time_it_starts_nothing():
    a_schedule("later", next_at=later(1))
    a_schedule("paused", next_at=None)
    assert schedules.fire_due(now=NOW) == 0
    assert (schedules.fire_due(now=later(1)), schedules.fire_due(now=later(1))) == (1, 0)
    assert Workflow.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_several_that_look_at_the_same_moment_one_fires_each():
    for hour in range(8):
        for number in range(5):
            a_schedule(f"{hour}-{number}", template=a_template(), next_at=NOW + hour * HOUR)
        found = at_once(lambda _, hour=hour: schedules.fire_due(now=NOW + hour * HOUR), 4)
        assert all(isinstance(count, int) for count in found), found
        per_fire = Counter(Workflow.objects.values_list("schedule", "metadata__scheduledFor"))
        assert set(per_fire.values()) == {1}
        assert sum(found) == 5 * (hour + 1)  # type: ignore[arg-type]  # those of earlier hours, too


@pytest.mark.django_db(transaction=True)
def test_a_schedule_that_was_changed_after_it_was_read_is_not_fired_as_it_was(monkeypatch):
    row = a_schedule(params={"day": "old"})
    plan = schedules._planned

    def changed_meanwhile(due, now):
        found = plan(due, now)
        monkeypatch.setattr(schedules, "_planned", plan)
        Schedule.objects.filter(pk=row.pk).update(params={"day": "new"}, updated_at=later(1))
        return found

    TemplateVersion.objects.update(params_schema=SCHEMA)
    monkeypatch.setattr(schedules, "_planned", changed_meanwhile)
    assert schedules.fire_due(now=NOW) == 1
    assert Workflow.objects.get().params["day"] == "new"


@pytest.mark.django_db(transaction=True)
def test_what_is_lost_between_its_statements_is_lost_as_a_whole(monkeypatch):
    """As a kill does: what the transaction had done so far is undone, and the next look does it."""
    row = a_schedule()
    place = schedules.place
    monkeypatch.setattr(schedules, "place", lambda *args: (place(*args), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        schedules.fire_due(now=NOW)
    row.refresh_from_db()
    assert (row.next_at, row.last_at, Workflow.objects.count()) == (NOW, None, 0)
    monkeypatch.undo()
    assert fired(row).last_workflow == Workflow.objects.get()


@pytest.mark.django_db(transaction=True)
def test_after_hours_in_which_nobody_looked_the_latest_time_is_started_once():
    row = fired(a_schedule(), NOW + 5 * HOUR + timedelta(minutes=20))
    assert Workflow.objects.get().metadata["scheduledFor"] == "2026-11-21T17:00:00+00:00"
    assert (row.last_at, row.next_at) == (NOW + 5 * HOUR, NOW + 6 * HOUR)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("minutes", "count"), [(0.5, 1), (20, 0)])
def test_one_that_does_not_catch_up_starts_what_is_a_little_late_and_tells_what_it_left_out(minutes, count):
    row = fired(a_schedule(catch_up="none"), NOW + timedelta(minutes=minutes))
    assert Workflow.objects.count() == count
    assert row.next_at == NOW + HOUR
    said = "" if count else "Nobody was there at 2026-11-21 12:00 UTC to start it, and it does not catch up"
    assert (row.last_error, Notification.objects.count()) == (said, 0)


@pytest.mark.django_db(transaction=True)
def test_years_of_every_minute_are_caught_up_on_at_once():
    row = fired(a_schedule(cron="* * * * *"), NOW + timedelta(days=3_000))
    assert (Workflow.objects.count(), row.last_at) == (1, NOW + timedelta(days=3_000))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("overlap", "count"), [("allow", 2), ("skip", 1)])
def test_while_a_workflow_of_it_runs_the_next_time_is_skipped_if_it_says_so(overlap, count):
    row = fired(a_schedule(overlap=overlap))
    first = Workflow.objects.get()
    row = fired(row, NOW + HOUR)
    assert Workflow.objects.count() == count
    if overlap == "skip":
        assert row.last_error == f"At 2026-11-21 13:00 UTC workflow {first.uid} of an earlier time still ran, and it does not overlap"
        assert (row.last_workflow, row.last_at) == (first, NOW + HOUR)
        Workflow.objects.update(status=Status.STOPPED, ended_at=NOW, active_steps=0)
        assert (fired(row, NOW + 2 * HOUR).last_error, Workflow.objects.count()) == ("", 2)


@pytest.mark.django_db(transaction=True)
def test_an_earlier_one_that_runs_behind_a_later_one_that_ended_counts_too():
    row = a_schedule(overlap="skip")
    running = a_workflow(schedule=row)
    a_workflow(schedule=row, statuses=dict.fromkeys(("fetch", "shape"), Status.COMPLETED))
    assert str(running.uid) in fired(row).last_error


@pytest.mark.django_db(transaction=True)
def test_parameters_that_do_not_fit_any_more_are_told_once_and_the_others_go_on():
    ana = a_user("ana")
    bad = a_schedule("bad", template=a_template("etl", params_schema=SCHEMA), params={"size": 1}, created_by=ana)
    good = a_schedule("good")
    for hour in range(2):
        assert schedules.fire_due(now=NOW + hour * HOUR) == 1
    bad.refresh_from_db()
    assert bad.last_error == "Its parameters do not fit etl v1: day: is missing"
    assert (bad.next_at, bad.last_at) == (NOW + 2 * HOUR, NOW + HOUR)
    told = Notification.objects.get()
    assert (told.title, told.level, told.user, told.message) == ("Schedule “bad” started nothing", "error", ana, bad.last_error)
    assert set(Workflow.objects.values_list("schedule", flat=True)) == {good.pk}


@pytest.mark.django_db(transaction=True)
def test_a_withdrawn_template_pauses_its_schedules_with_the_reason():
    row = fired(a_schedule(template=a_template("gone", deleted_at=NOW)))
    assert (row.next_at, Workflow.objects.count()) == (None, 0)
    assert row.last_error == "The template 'gone' was withdrawn: publish it again and resume this schedule, or delete it"
    assert Notification.objects.get().message == row.last_error


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("changes", [{"cron": "nonsense"}, {"timezone": "Mars/Base"}])
def test_a_time_that_this_host_cannot_tell_pauses_it_with_the_reason(changes):
    row = fired(a_schedule(**changes))
    assert row.next_at is None
    assert row.last_error.startswith("It is paused, as its time cannot be told: ")


@pytest.mark.django_db(transaction=True)
def test_one_that_the_database_refuses_does_not_take_the_others_along():
    """Its key was used for something else."""
    taken, good = a_schedule("taken"), a_schedule("good")
    a_workflow(idempotency_key=f"schedule:{taken.uid}:2026-11-21T12:00:00+00:00", idempotency_digest="other")
    assert schedules.fire_due(now=NOW) == 1
    taken.refresh_from_db()
    assert "could not be started: Idempotency-Key" in taken.last_error and taken.next_at == NOW + HOUR
    assert Workflow.objects.filter(schedule=good).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_thousand_that_are_due_at_once_share_ten_transactions(monkeypatch):
    template, begun, write = a_template(), [], schedules.write
    monkeypatch.setattr(schedules, "write", lambda: begun.append(1) or write())
    values = {"template": template, "cron": "0 * * * *", "next_at": NOW, "created_at": NOW, "updated_at": NOW}
    Schedule.objects.bulk_create(Schedule(name=f"s{number}", **values) for number in range(1_000))
    assert (schedules.fire_due(now=NOW), len(begun)) == (1_000, 10)
    assert Workflow.objects.values("schedule").distinct().count() == 1_000
    assert not Schedule.objects.due(NOW).exists()


@pytest.mark.django_db(transaction=True)
def test_a_look_with_nothing_due_is_one_entry_of_an_index(django_assert_num_queries: Callable[..., Any]):
    a_schedule(next_at=later(30))
    look = ticker.Ticker().look
    with django_assert_num_queries(1) as asked:
        assert look(now=NOW) == 1.0
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")  # of a table so small it would read everything
        cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + asked.captured_queries[0]["sql"])
        assert "schedule_by_next" in str(cursor.fetchall())
        if connection.vendor == "postgresql":
            cursor.execute("RESET enable_seqscan")


@pytest.mark.django_db(transaction=True)
def test_the_ticker_sleeps_until_the_next_time_and_no_longer_than_a_second():
    look = ticker.Ticker().look
    assert look(now=NOW) == 1.0
    row = a_schedule(next_at=later(0.25))
    assert look(now=NOW) == 0.25
    assert look(now=later(0.25)) < 0.1
    assert Workflow.objects.filter(schedule=row).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_ticker_survives_what_nobody_foresaw_and_ends_when_the_group_leaves(monkeypatch):
    def broken() -> None:
        lifecycle.start_draining()
        raise RuntimeError("nobody foresaw this")

    lifecycle.begin()
    monkeypatch.setattr(schedules, "soonest", broken)
    monkeypatch.setattr(ticker, "LOOK_SECONDS", 0.01)
    ticker.Ticker().run()
    lifecycle.begin()


@pytest.mark.django_db(transaction=True)
def test_started_beside_its_times_it_starts_whatever_runs_and_stays_due_as_it_was():
    ana, row = a_user("ana"), a_schedule(overlap="skip", last_error="before")
    a_workflow(schedule=row)
    order = schedules.order_of(row, row.template.current, started_by_id=ana.pk)
    workflow = schedules.start_now(schedule=row, order=order, now=NOW)
    row.refresh_from_db()
    assert (row.last_workflow, row.next_at, row.last_at, row.last_error) == (workflow, NOW, None, "")
    assert (workflow.schedule, workflow.started_by) == (row, ana)
