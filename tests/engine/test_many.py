"""One verb on many workflows."""

from unittest.mock import Mock

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection

from tests.factories import NOW, a_workflow
from tests.processes.group import shared_database
from workflows_app.dashboard import bulk_page
from workflows_app.engine import admission, control, many, stop_many, stopping
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
STOPPED = {"fetch": Status.STOPPED, "shape": Status.STOPPED}


def ids(*workflows: Workflow) -> list[int]:
    return [workflow.pk for workflow in workflows]


def status(workflow: Workflow) -> str:
    return str(Workflow.objects.get(pk=workflow.pk).status)


def test_stop_stops_what_is_active_and_tells_of_the_rest(db):
    active, done, bystander = a_workflow(), a_workflow(statuses=DONE), a_workflow()
    outcome = many.stop([*ids(active, done), 10**9], now=NOW)
    assert (outcome.done, status(active), status(bystander)) == (1, "STOPPED", "PENDING")
    assert outcome.refused == {"The workflow is COMPLETED already: there is nothing to stop": ids(done), many.GONE: [10**9]}


def test_the_one_that_ended_just_before_the_stop_is_named(db, monkeypatch):
    first, second = a_workflow(), a_workflow()
    real = many.stop_many

    def late(*, workflows, now):
        Workflow.objects.filter(pk=first.pk).update(status=Status.COMPLETED, ended_at=NOW, active_steps=0, done_steps=2)
        return real(workflows=workflows, now=now)

    monkeypatch.setattr(many, "stop_many", late)
    outcome = many.stop(ids(first, second), now=NOW)
    assert (outcome.done, dict(outcome.refused)) == (1, {"It ended just before the stop": ids(first)})


def test_retry_and_resume_and_delete_do_each_and_tell_why_not(db):
    failed, done, stopped = a_workflow(statuses=FAILED), a_workflow(statuses=DONE), a_workflow(statuses=STOPPED)
    retried = many.retry(ids(failed, done), now=NOW)
    assert (retried.done, status(failed)) == (1, "RUNNING")
    assert next(iter(retried.refused)).startswith("No step failed: there is nothing to retry in a COMPLETED workflow")
    resumed = many.resume(ids(stopped, done), now=NOW)
    assert (resumed.done, list(resumed.refused.values())) == (1, [ids(done)])
    deleted = many.delete(ids(done, failed), now=NOW)
    assert (deleted.done, Workflow.objects.filter(pk=done.pk).exists()) == (1, False)
    assert list(deleted.refused.values()) == [ids(failed)]


def test_when_the_database_goes_away_what_is_done_and_what_is_left_is_told(db, monkeypatch):
    workflows = [a_workflow(statuses=FAILED) for _ in range(4)]
    real = control.retry

    def breaks(*, uid, now):
        if uid == workflows[2].uid:
            raise OperationalError("gone")
        return real(uid=uid, now=now)

    monkeypatch.setattr(control, "retry", breaks)
    outcome = many.retry(ids(*workflows), now=NOW)
    assert (outcome.done, outcome.left, outcome.unsure) == (2, 1, workflows[2].pk)
    assert outcome.broken == "the database did not answer (OperationalError)"
    assert [status(workflow) for workflow in workflows] == ["RUNNING", "RUNNING", "FAILED", "FAILED"]


def test_a_stop_that_breaks_off_tells_what_is_stopped_and_what_is_not(db, monkeypatch):
    workflows = [a_workflow() for _ in range(3)]
    real = stopping.stop_these

    def breaks(*, workflow_ids, now):
        if workflows[2].pk in workflow_ids:
            raise OperationalError("gone")
        return real(workflow_ids=workflow_ids, now=now)

    monkeypatch.setattr(stop_many, "BATCH", 1)
    monkeypatch.setattr(stopping, "stop_these", breaks)
    outcome = many.stop(ids(*workflows), now=NOW)
    assert (outcome.done, outcome.left, outcome.refused) == (2, 1, {})
    assert outcome.broken == "the database did not answer (OperationalError)"
    assert [status(workflow) for workflow in workflows] == ["STOPPED", "STOPPED", "PENDING"]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's connection does not break")
@pytest.mark.django_db(transaction=True)
def test_a_stop_whose_connection_breaks_between_two_batches_tells_it_too(monkeypatch):
    workflows = [a_workflow() for _ in range(3)]
    real = stopping.stop_these

    def breaks(*, workflow_ids, now):
        found = real(workflow_ids=workflow_ids, now=now)
        if workflows[1].pk in workflow_ids:
            with psycopg.connect(shared_database()["DATABASE_URL"], autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        return found

    monkeypatch.setattr(stop_many, "BATCH", 1)
    monkeypatch.setattr(stopping, "stop_these", breaks)
    outcome = many.stop(ids(*workflows), now=NOW)
    assert (outcome.done, outcome.left, outcome.unsure) == (2, 1, None) and outcome.broken
    assert [status(workflow) for workflow in workflows] == ["STOPPED", "STOPPED", "PENDING"]


def test_a_stop_that_breaks_after_the_last_has_left_nothing(db, monkeypatch):
    workflows = [a_workflow(), a_workflow()]

    def breaks(*args, **kwargs):
        control.delete(uid=workflows[0].uid)
        raise OperationalError("gone")

    monkeypatch.setattr(admission, "admit_after", breaks)
    outcome = many.stop(ids(*workflows), now=NOW)
    assert (outcome.done, outcome.left, dict(outcome.refused)) == (1, 0, {many.GONE: ids(workflows[0])})
    assert bulk_page.told("stop", outcome)[0] == ("success", "Stopped: 1 workflow.") and len(bulk_page.told("stop", outcome)) == 2


def test_of_the_one_at_which_the_database_broke_off_nobody_says_that_it_is_as_it_was(db, monkeypatch):
    """Its answer was lost after the commit."""
    workflows = [a_workflow(statuses=FAILED, name=f"Load {n}") for n in range(3)]
    real = control.delete

    def breaks(*, uid):
        real(uid=uid)
        if uid == workflows[1].uid:
            raise OperationalError("gone")

    monkeypatch.setattr(control, "delete", breaks)
    outcome = many.delete(ids(*workflows), now=NOW)
    assert (outcome.done, outcome.left, outcome.unsure) == (1, 1, workflows[1].pk)
    assert [words for _, words in bulk_page.told("delete", outcome)] == [
        "Deleted: 1 workflow.",
        "Whether it was done to one that is gone is not certain, because the database did not answer (OperationalError): look at it.",
        "1 left as they were, because the database did not answer (OperationalError): do the same again for them.",
    ]


def test_another_error_is_no_database_that_is_away(db, monkeypatch):
    monkeypatch.setattr(stopping, "stop_these", Mock(side_effect=IntegrityError("a fault of ours")))
    with pytest.raises(IntegrityError):
        many.stop(ids(a_workflow()), now=NOW)


def test_after_a_while_the_rest_is_left_alone(db, monkeypatch):
    monkeypatch.setattr(many, "MOST_SECONDS", -1.0)
    workflow = a_workflow(statuses=FAILED)
    outcome = many.delete(ids(workflow), now=NOW)
    assert (outcome.done, outcome.left, bool(outcome.broken)) == (0, 1, True)
    assert status(workflow) == "FAILED"
