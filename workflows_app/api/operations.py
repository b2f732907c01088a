"""How the system is: backlog, workers, counters, health."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from workflows_app.api.answers import answer
from workflows_app.api.auth import caller, is_known
from workflows_app.api.bodies import body_of, takes
from workflows_app.api.schemas.base import Refusal
from workflows_app.api.schemas.bodies import PauseIn
from workflows_app.api.schemas.operations import HealthOut, QueueOut, StatsOut, WorkerOut
from workflows_app.engine import pausing, report
from workflows_app.engine.clock import database_now

router = Router(tags=["operations"], by_alias=True)
PAUSED = {200: QueueOut, (400, 401, 409, 422): Refusal}


@router.get("/queue", response={200: QueueOut, 401: Refusal}, summary="Backlog by state and age")
def get_queue(request: HttpRequest) -> HttpResponse:
    return answer(report.queue(database_now()))


@router.post("/queue/pause", response=PAUSED, summary="Let no step start", openapi_extra=takes(PauseIn))
def pause_queue(request: HttpRequest) -> HttpResponse:
    """What runs goes on. 409 when it is paused already."""
    body, now = body_of(request, PauseIn), database_now()
    pausing.pause(by=caller(request), reason=body.reason, now=now)
    return answer(report.queue(now))


@router.post("/queue/resume", response=PAUSED, summary="Let steps start again")
def resume_queue(request: HttpRequest) -> HttpResponse:
    """What is due starts at once. 409 when it is not paused."""
    pausing.resume(by=caller(request))
    return answer(report.queue(database_now()))


@router.get("/workers", response={200: list[WorkerOut], 401: Refusal}, summary="Live workers with what they run")
def get_workers(request: HttpRequest) -> HttpResponse:
    return answer(report.workers(database_now()))


@router.get("/stats", response={200: StatsOut, 401: Refusal}, summary="Counters")
def get_stats(request: HttpRequest) -> HttpResponse:
    return answer(report.stats(database_now()))


@router.get("/health", auth=None, response={(200, 503): HealthOut}, summary="Whether it works, part by part")
def get_health(request: HttpRequest) -> HttpResponse:
    """Open to all; details only for callers with a token or a login. 503 when unhealthy."""
    health = _health()
    shown = health if is_known(request) else {**health, "components": _words_only(health["components"])}
    return answer(shown, status=503 if health["status"] == "unhealthy" else 200)


def _health() -> dict[str, Any]:
    """With the database's clock; with this machine's where the database has none to give."""
    try:
        now = database_now()
    except (DatabaseError, InterfaceError):
        now = timezone.now()
    return report.health(now)


def _words_only(components: dict[str, Any]) -> dict[str, Any]:
    return {name: {"status": component["status"]} for name, component in components.items()}
