"""Backlog, workers, counters and health."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from tests.factories import NOW, a_template, a_user, a_worker, a_workflow, later
from workflows_app.engine import pausing, report
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import BacklogSample

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
    for template in (a_template(), a_template()):
        completed(template, 10)
        for _ in range(5):
            a_workflow(template=template, statuses={"fetch": Status.RUNNING})
    with django_assert_num_queries(4):
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


def completed(template: Any, seconds: float, *, times: int = 3) -> None:
    """Workflows of this template whose step `fetch` took so long."""
    for _ in range(times):
        workflow = a_workflow(template=template, statuses=DONE, ended_at=later(seconds))
        workflow.steps.filter(node_id="fetch").update(started_at=NOW, ended_at=later(seconds))


def test_a_running_step_says_how_long_it_usually_takes_and_whether_it_is_slow() -> None:
    a_worker(heartbeat_at=later(100))
    template = a_template()
    completed(template, 10)
    a_workflow(template=template, statuses={"fetch": Status.RUNNING})

    def told(seconds: float) -> tuple[float, bool]:
        ((step,),) = (worker["running"] for worker in report.workers(later(seconds)))
        return step["usualSeconds"], step["isSlow"]

    assert (told(14), told(16)) == ((10.0, False), (10.0, True))


def test_of_a_template_that_hardly_ran_nothing_is_usual() -> None:
    a_worker()
    template = a_template()
    completed(template, 10, times=2)
    a_workflow(template=template, statuses={"fetch": Status.RUNNING})
    (worker,) = report.workers(later(10))
    assert (worker["running"][0]["usualSeconds"], worker["running"][0]["isSlow"]) == (None, False)


def test_a_worker_says_what_memory_it_had_and_since_when_it_is_drained() -> None:
    a_worker(memory_bytes=5_000_000, drain_requested_at=NOW)
    (worker,) = report.workers(NOW)
    assert (worker["memoryBytes"], worker["drainRequestedAt"]) == (5_000_000, "2026-11-21T12:00:00+00:00")


def test_the_backlog_is_counted_with_and_without_keys() -> None:
    a_workflow(Node("a", "input")).steps.update(concurrency_key="k", concurrency_limit=1, available_at=later(-7))
    a_workflow(Node("a", "input")).steps.update(concurrency_key="k", concurrency_limit=1, available_at=later(9))
    a_workflow(Node("a", "delay", priority=0))
    queue = report.queue(NOW)
    assert (queue["due"], queue["scheduled"], queue["oldestDueSeconds"], queue["nextDueAt"]) == (2, 1, 7.0, "2026-11-21T12:00:09+00:00")
    assert queue["byPriority"] == {"high": 1, "normal": 1, "low": 0}
    assert queue["byAction"] == [{"action": "input", "due": 1, "oldestSeconds": 7.0}, {"action": "delay", "due": 1, "oldestSeconds": 0.0}]
    assert [step["stepId"] for step in queue["steps"]] == ["a", "a", "a"]


def test_a_concurrency_key_tells_who_holds_it_and_who_waits() -> None:
    holder = a_workflow(Node("load", "input"), statuses={"load": Status.RUNNING}, name="Nightly")
    holder.steps.update(concurrency_key="warehouse", concurrency_limit=2)
    for _ in range(3):
        a_workflow(Node("load", "input")).steps.update(concurrency_key="warehouse", concurrency_limit=3, available_at=later(-5))
    a_workflow(Node("x", "input"), statuses={"x": Status.RUNNING}).steps.update(concurrency_key="quiet", concurrency_limit=1)
    busy, quiet = report.queue(NOW)["limits"]
    assert (busy["key"], busy["limit"], busy["running"], busy["waiting"], busy["oldestSeconds"]) == ("warehouse", 3, 1, 3, 5.0)
    assert busy["holders"] == [
        {"workflowId": str(holder.uid), "workflowName": "Nightly", "stepId": "load", "startTime": "2026-11-21T12:00:00+00:00"}
    ]
    assert (quiet["key"], quiet["running"], quiet["waiting"], quiet["oldestSeconds"]) == ("quiet", 1, 0, 0.0)


def test_the_last_minutes_are_told_by_samples_and_by_what_ended() -> None:
    for seconds, oldest in ((-400, 99), (-200, 3.25), (-10, 1)):
        BacklogSample.objects.create(at=later(seconds), due=4, running=2, oldest_due_seconds=oldest)
    for _ in range(10):
        a_workflow(statuses=DONE, ended_at=later(-60))
    a_workflow(statuses={"fetch": Status.FAILED, "shape": Status.STOPPED}, ended_at=later(-1800), updated_at=later(-1800))
    a_workflow(statuses={"fetch": Status.FAILED, "shape": Status.STOPPED}, ended_at=later(-4000), updated_at=later(-4000))
    queue = report.queue(NOW)
    assert [sample["oldestDueSeconds"] for sample in queue["samples"]] == [3.25, 1.0]
    assert (queue["longestWaitSeconds"], queue["endedPerMinute"], queue["failedLastHour"]) == (3.2, 2.0, 1)


def test_a_quiet_queue_has_no_samples_and_no_rate() -> None:
    queue = report.queue(NOW)
    assert (queue["samples"], queue["longestWaitSeconds"], queue["endedPerMinute"], queue["failedLastHour"]) == ([], 0.0, 0.0, 0)
    assert (queue["limits"], queue["byAction"], queue["paused"]) == ([], [], None)


def test_the_queue_costs_the_same_number_of_queries_however_long_it_is(django_assert_num_queries: Any) -> None:
    a_workflow()
    for _ in range(2):
        with django_assert_num_queries(17):
            report.queue(NOW)
        for number in range(7):
            a_workflow(Node("k", "input")).steps.update(concurrency_key=f"k{number}", concurrency_limit=1)
            a_workflow(Node("r", "input"), statuses={"r": Status.RUNNING}).steps.update(concurrency_key=f"k{number}", concurrency_limit=1)
            a_workflow()


def test_a_paused_queue_is_degraded_and_says_by_whom_and_how_it_ends() -> None:
    a_worker(heartbeat_at=later(500))
    a_workflow()
    pausing.pause(by=a_user("ana"), reason="deploying", now=NOW)
    assert report.queue(NOW)["paused"] == {"since": "2026-11-21T12:00:00+00:00", "by": "ana", "reason": "deploying"}
    found = report.health(later(200))["components"]["queue"]
    assert found["status"] == "degraded" and found["pausedSince"] == "2026-11-21T12:00:00+00:00"
    assert found["message"].startswith("It is paused by ana since 2026-11-21 12:00:00 UTC (deploying): no step starts. Resume it")


def test_workers_that_all_drain_are_as_good_as_none() -> None:
    a_worker(drain_requested_at=NOW)
    found = report.health(NOW)["components"]["workers"]
    assert (found["status"], found["live"], found["draining"]) == ("degraded", 1, 1)
    assert "--undo" in found["message"]
    a_worker("v" * 32)
    assert report.health(NOW)["components"]["workers"]["status"] == "healthy"


def test_a_step_whose_key_is_full_is_no_step_that_nobody_takes() -> None:
    a_worker(heartbeat_at=later(200))
    policy = {"concurrency_key": "k", "concurrency_limit": 1}
    holder = a_workflow(Node("h", "input"), statuses={"h": Status.RUNNING})
    holder.steps.update(**policy)
    a_workflow(Node("w", "input")).steps.update(**policy)
    assert report.health(later(61))["components"]["queue"]["status"] == "healthy"
    holder.delete()
    assert "due for 61 s" in report.health(later(61))["components"]["queue"]["message"]
