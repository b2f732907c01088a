"""The backlog over time: one sample for ten seconds whoever looks, none while there is nothing, and none older than an hour."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, a_workflow, later
from workflows_app.engine import recovery
from workflows_app.engine.sampling import Sampler
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import BacklogSample

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_idle_system_writes_nothing() -> None:
    a_workflow(Node("nap", "delay"), statuses={"nap": Status.COMPLETED})
    a_workflow(Node("nap", "delay")).steps.update(available_at=later(3600))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert Sampler().look(now=NOW) is None
    assert not BacklogSample.objects.exists()
    assert not [query for query in queries if "INSERT" in query["sql"] or "DELETE" in query["sql"]]


def test_it_counts_what_is_due_with_and_without_a_key_what_runs_and_the_oldest() -> None:
    a_workflow()
    a_workflow().steps.filter(node_id="fetch").update(concurrency_key="k", concurrency_limit=1, available_at=later(-30))
    a_workflow(statuses={"fetch": Status.RUNNING})
    sample = Sampler().look(now=later(5))
    assert sample is not None
    assert (sample.due, sample.running, sample.oldest_due_seconds, sample.at) == (2, 1, 35.0, NOW)
    kept = BacklogSample.objects.get()
    assert (kept.at, kept.due, kept.running, kept.oldest_due_seconds) == (NOW, 2, 1, 35.0)


def test_what_only_runs_is_a_sample_too() -> None:
    a_workflow(statuses={"fetch": Status.RUNNING})
    sample = Sampler().look(now=NOW)
    assert sample is not None and (sample.due, sample.running, sample.oldest_due_seconds) == (0, 1, 0)


def test_one_reaper_takes_one_in_ten_seconds() -> None:
    a_workflow()
    sampler = Sampler()
    taken = [second for second in range(35) if sampler.look(now=later(second))]
    assert taken == [0, 10, 20, 30]


def test_several_hosts_take_one_together() -> None:
    a_workflow()
    first, second = Sampler(), Sampler()
    assert first.look(now=later(1)) and not second.look(now=later(9))
    assert second.look(now=later(11)) and not first.look(now=later(12))
    assert BacklogSample.objects.count() == 2


def test_of_two_that_write_at_once_the_later_one_loses_without_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    a_workflow()
    Sampler().look(now=NOW)
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda rows: False)
    Sampler().look(now=later(3))
    monkeypatch.undo()
    assert BacklogSample.objects.count() == 1


def test_an_hour_is_kept() -> None:
    a_workflow()
    sampler = Sampler()
    for minute in range(0, 90, 10):
        sampler.look(now=later(60 * minute))
    assert [sample.at for sample in BacklogSample.objects.all()] == [later(60 * minute) for minute in range(20, 90, 10)]


def test_the_reaper_takes_them() -> None:
    a_workflow()
    recovery.Reaper(on_frozen=lambda: None).tick(now=NOW, monotonic=1.0)
    assert BacklogSample.objects.count() == 1
