"""Queue, workers, counters and health over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection

from tests.api.calls import detail, fields, get, post
from tests.engine.rival import holding_its_lock
from tests.factories import NOW, a_token, a_user, a_worker, a_workflow
from workflows_app.engine import pausing, site
from workflows_app.graph.statuses import Status

pytestmark = pytest.mark.django_db


def refuse(execute: Any, *rest: Any) -> Any:
    raise OperationalError("connection refused")


def test_the_queue_shows_what_is_due() -> None:
    uid = str(a_workflow().uid)
    queue = get("/api/queue").json()
    assert queue["due"] == 1
    assert queue["steps"][0]["workflowId"] == uid


def test_workers_show_what_they_run() -> None:
    a_worker(heartbeat_at=datetime.now(UTC))
    a_workflow(statuses={"fetch": Status.RUNNING})
    (worker,) = get("/api/workers").json()
    assert (worker["state"], worker["running"][0]["stepId"]) == ("busy", "fetch")


def test_stats_count() -> None:
    a_workflow()
    assert get("/api/stats").json()["workflows"]["total"] == 1


def test_health_is_healthy_with_a_worker() -> None:
    a_worker(heartbeat_at=datetime.now(UTC))
    response = get("/api/health")
    assert (response.status_code, response.json()["status"]) == (200, "healthy")
    assert set(response.json()) == {"status", "timestamp", "version", "components"}
    assert set(response.json()["components"]) == {"database", "queue", "workers", "scheduler"}


def test_health_without_a_worker_is_degraded_and_still_answers_200() -> None:
    response = get("/api/health")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")


def test_health_without_a_database_is_unhealthy_and_503() -> None:
    with connection.execute_wrapper(refuse):
        response = get("/api/health")
    assert (response.status_code, response.json()["status"]) == (503, "unhealthy")


def test_strangers_see_words_only_and_callers_with_a_token_see_more(server_mode: None) -> None:
    a_token(secret="s")
    open_to_all = get("/api/health").json()
    assert open_to_all["components"]["queue"] == {"status": "healthy"}
    assert get("/api/health", Authorization="Bearer wrong").json()["components"]["queue"] == {"status": "healthy"}
    assert "due" in get("/api/health", Authorization="Bearer s").json()["components"]["queue"]


def test_health_answers_strangers_while_the_database_is_away(server_mode: None) -> None:
    with connection.execute_wrapper(refuse):
        response = get("/api/health", Authorization="Bearer s")
    assert (response.status_code, response.json()["components"]["database"]) == (503, {"status": "unhealthy"})


def test_a_worker_beside_us_was_heard_of_just_now() -> None:
    with holding_its_lock("b" * 32):
        a_worker("b" * 32, site=site.site_id(), heartbeat_at=NOW)
        (worker,) = get("/api/workers").json()
    assert (worker["state"], worker["sameHost"]) == ("idle", True)
    assert datetime.fromisoformat(worker["heartbeatAt"]) > NOW


def test_the_queue_is_paused_with_a_reason_and_resumed() -> None:
    paused = post("/api/queue/pause", {"reason": "deploying"})
    assert (paused.status_code, paused.json()["paused"]["reason"]) == (200, "deploying")
    assert get("/api/queue").json()["paused"] == paused.json()["paused"]
    again = post("/api/queue/pause")
    assert again.status_code == 409 and "paused already" in detail(again)
    resumed = post("/api/queue/resume")
    assert (resumed.status_code, resumed.json()["paused"]) == (200, None)
    late = post("/api/queue/resume")
    assert late.status_code == 409 and "not paused" in detail(late)


def test_a_pause_knows_who_made_it(server_mode: None) -> None:
    a_token(secret="s", user=a_user("ana"))
    assert post("/api/queue/pause", Authorization="Bearer s").json()["paused"]["by"] == "ana"
    assert post("/api/queue/resume").status_code == 401
    assert pausing.is_paused()


def test_a_wrong_pause_names_its_field_and_pauses_nothing() -> None:
    assert fields(post("/api/queue/pause", {"reason": 7})) == {"body.reason"}
    assert fields(post("/api/queue/pause", {"reason": "x" * 201})) == {"body.reason"}
    assert fields(post("/api/queue/pause", {"why": "x"})) == {"body.why"}
    assert not pausing.is_paused()
