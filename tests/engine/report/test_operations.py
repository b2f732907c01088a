"""Backlog, workers, counters and health."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from tests.factories import NOW, a_template, a_worker, a_workflow, later
from workflows_app.engine import report
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status

pytestmark = pytest.mark.django_db
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}


def test_an_empty_queue_has_no_oldest() -> None:
    queue = report.queue(NOW)
    assert queue["due"] == queue["scheduled"] == queue["running"] == queue["waiting"] == 0
    assert (queue["oldestDueAt"], queue["oldestDueSeconds"], queue["nextDueAt"], queue["steps"]) == (None, 0.0, None, [])


def test_the_queue_tells_due_from_scheduled_running_and_waiting() -> None:
    a_workflow()
    a_workflow(statuses={"fetch": Status.RUNNING})
    a_workflow(Node("later", "delay")).steps.update(available_at=later(30))
    a_workflow(statuses=DONE)
    queue = report.queue(later(5))
    assert (queue["due"], queue["scheduled"], queue["running"], queue["waiting"]) == (1, 1, 1, 2)
    assert (queue["oldestDueSeconds"], queue["nextDueAt"]) == (5.0, "2026-11-21T12:00:30+00:00")


def test_the_queue_lists_its_steps_the_first_due_first() -> None:
    late = a_workflow(Node("b", "input", priority=9))
    late.steps.update(available_at=later(3))
    first = a_workflow(Node("a", "input", priority=0))
    queue = report.queue(later(10))
    assert [(step["workflowId"], step["stepId"], step["ageSeconds"]) for step in queue["steps"]] == [
        (str(first.uid), "a", 10.0),
        (str(late.uid), "b", 7.0),
    ]
    assert queue["byPriority"] == {"high": 1, "normal": 0, "low": 1}


def test_a_live_worker_shows_what_it_runs() -> None:
    a_worker()
    workflow = a_workflow(statuses={"fetch": Status.RUNNING}, name="Nightly")
    (worker,) = report.workers(later(4))
    assert (worker["state"], worker["pid"], worker["host"]) == ("busy", 4711, "elsewhere")
    (step,) = worker["running"]
    assert (step["workflowId"], step["workflowName"], step["stepId"], step["attempt"], step["duration"]) == (
        str(workflow.uid), "Nightly", "fetch", 1, "4 sec",
    )  # fmt: skip


def test_a_worker_without_work_is_idle_and_one_that_left_is_gone() -> None:
    a_worker("idle")
    a_worker("left", stopped_at=NOW)
    assert [(worker["id"], worker["state"]) for worker in report.workers(NOW)] == [("idle", "idle")]


def test_a_silent_worker_shows_only_while_it_holds_a_lease() -> None:
    a_worker(heartbeat_at=later(-900))
    assert report.workers(NOW) == []
    a_workflow(statuses={"fetch": Status.RUNNING})
    assert [worker["state"] for worker in report.workers(NOW)] == ["silent"]


def test_workers_cost_the_same_number_of_queries_however_much_they_run(django_assert_num_queries: Any) -> None:
    a_worker()
    for _ in range(5):
        a_workflow(statuses={"fetch": Status.RUNNING})
    with django_assert_num_queries(3):
        report.workers(NOW)


def test_stats_count_workflows_per_status_and_what_ended_today() -> None:
    a_workflow(statuses=DONE)
    a_workflow(statuses={"fetch": Status.FAILED, "shape": Status.STOPPED})
    a_workflow(statuses=DONE, created_at=later(-200_000), updated_at=later(-190_000), started_at=later(-200_000), ended_at=later(-190_000))
    a_workflow()
    a_template()
    stats = report.stats(later(60))
    assert (stats["workflows"]["COMPLETED"], stats["workflows"]["RUNNING"], stats["workflows"]["total"]) == (2, 0, 4)
    assert stats["last24Hours"] == {"started": 3, "completed": 1, "failed": 1, "stopped": 0, "stepsDone": 2}
    assert (stats["steps"]["due"], stats["workers"], stats["templates"]) == (1, 0, 1)


def test_with_a_worker_and_no_backlog_all_is_healthy() -> None:
    a_worker()
    health = report.health(NOW)
    assert health["status"] == "healthy"
    assert {name: part["status"] for name, part in health["components"].items()} == {
        "database": "healthy", "queue": "healthy", "workers": "healthy", "scheduler": "healthy",
    }  # fmt: skip
    assert (health["timestamp"], health["version"]) == ("2026-11-21T12:00:00+00:00", "0.1.0")


def test_without_a_worker_health_is_degraded_and_says_what_to_do() -> None:
    workers = report.health(NOW)["components"]["workers"]
    assert workers["status"] == "degraded" and "manage.py up" in workers["message"]


def test_a_step_that_nobody_takes_degrades_the_queue() -> None:
    a_worker(heartbeat_at=later(100))
    a_workflow()
    assert report.health(later(59))["components"]["queue"]["status"] == "healthy"
    assert report.health(later(61))["components"]["queue"]["status"] == "degraded"


def test_a_lease_that_nobody_takes_back_degrades_the_scheduler() -> None:
    a_worker(heartbeat_at=later(100))
    a_workflow(statuses={"fetch": Status.RUNNING})
    assert report.health(later(59))["components"]["scheduler"]["status"] == "healthy"
    assert report.health(later(61))["components"]["scheduler"]["status"] == "degraded"


def test_without_a_database_health_is_unhealthy_and_does_not_raise() -> None:
    def refuse(execute: Callable[..., Any], *rest: Any) -> Any:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(refuse):
        health = report.health(NOW)
    assert health["status"] == "unhealthy"
    assert {part["status"] for part in health["components"].values()} == {"unhealthy"}
