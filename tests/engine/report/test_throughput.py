"""How many ended in each quarter of an hour."""

from datetime import timedelta

import pytest

from tests.factories import NOW, a_workflow, later
from workflows_app.engine.report import throughput
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nothing_kept():
    throughput.forget()


def ended(seconds: float, statuses=None) -> Workflow:
    return a_workflow(statuses=statuses or DONE, ended_at=later(seconds), updated_at=later(seconds))


def counts(now=NOW) -> dict[str, dict[str, int]]:
    return {f"{b.start:%d %H:%M}": {s.lower(): n for s, n in b.counts.items()} for b in throughput.last_day(now) if b.counts}


def test_ended_ones_are_counted_where_they_ended_and_active_ones_where_they_began(db):
    ended(-1)
    ended(-900.5)
    ended(-900, FAILED)
    a_workflow(created_at=later(-3_600), statuses={"fetch": Status.RUNNING})
    assert counts() == {"21 11:30": {"completed": 1}, "21 11:45": {"completed": 1, "failed": 1}, "21 11:00": {"running": 1}}


def test_a_day_has_96_quarters_and_no_more(db):
    buckets = throughput.last_day(NOW + MINUTE)
    assert (len(buckets), buckets[0].start, buckets[-1].start) == (96, NOW - timedelta(hours=23, minutes=45), NOW)
    ended(-24 * 3_600)
    a_workflow(created_at=later(-25 * 3_600))
    assert counts() == {}


def test_what_ends_now_is_counted_at_once_and_what_is_over_is_kept_for_a_minute(db):
    old = ended(-3_600)
    assert counts() == {"21 11:00": {"completed": 1}}
    Workflow.objects.filter(pk=old.pk).update(status=Status.STOPPED)
    ended(1)
    assert counts(NOW + MINUTE / 2) == {"21 11:00": {"completed": 1}, "21 12:00": {"completed": 1}}
    assert counts(NOW + 2 * MINUTE) == {"21 11:00": {"stopped": 1}, "21 12:00": {"completed": 1}}


def test_what_is_kept_goes_on_when_a_quarter_is_over(db):
    ended(-10)
    throughput.last_day(NOW - MINUTE / 4)
    ended(-5)
    ended(5)
    assert counts(NOW + MINUTE / 4) == {"21 11:45": {"completed": 2}, "21 12:00": {"completed": 1}}
