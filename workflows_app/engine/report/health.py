"""Whether the system works, part by part."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from workflows_app.engine import pausing
from workflows_app.engine.report.backlog import longest_left
from workflows_app.engine.report.standing import Standing
from workflows_app.engine.report.times import iso
from workflows_app.models import Repair, Step

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
STALE_BACKLOG_SECONDS = 60
REPAIRS_SHOWN = timedelta(days=1)
NONE_ALIVE = "No worker process is running: nothing will be executed. Start one with `manage.py up`."
ALL_DRAINING = (
    "Every worker is being drained: no step starts. Start others, or undo it on the page Workers or with `manage.py drain --undo`."
)
Component = dict[str, Any]


def health(now: datetime, standing: Standing | None = None) -> dict[str, Any]:
    """`{"status", "timestamp", "version", "components": {database, queue, workers, scheduler}}`; each component has a
    `status` and details. Without the database the others are not looked at. Never raises. `standing` is what a page shares with it."""
    database, seen = _checked(_database), standing or Standing(now)
    parts: dict[str, Callable[[], Component]] = {
        "queue": lambda: _queue(seen, now), "workers": lambda: _workers(seen), "scheduler": lambda: _scheduler(now),
    }  # fmt: skip
    is_up = database["status"] == HEALTHY
    components = {"database": database} | {name: _checked(look) if is_up else _unknown() for name, look in parts.items()}
    return {"status": _worst(components), "timestamp": iso(now), "version": settings.VERSION, "components": components}


def _worst(components: dict[str, Component]) -> str:
    found = {component["status"] for component in components.values()}
    return next(status for status in (UNHEALTHY, DEGRADED, HEALTHY) if status in found)


def _checked(look: Callable[[], Component]) -> Component:
    try:
        return look()
    except (DatabaseError, InterfaceError) as error:
        return {"status": UNHEALTHY, "message": f"The database does not answer: {type(error).__name__}"}


def _unknown() -> Component:
    return {"status": UNHEALTHY, "message": "Not known while the database does not answer"}


def _database() -> Component:
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"status": HEALTHY, "vendor": connection.vendor, "milliseconds": round((time.monotonic() - began) * 1000, 2)}


def _queue(seen: Standing, now: datetime) -> Component:
    found, pause = seen.backlog, seen.pause
    if pause:
        said = f"It is paused {pausing.told(pause)}: no step starts. Resume it on the page Workers or with `manage.py queue resume`."
        return {"status": DEGRADED, "message": said, "pausedSince": iso(pause.since), **found}
    left = longest_left(seen.limits, now)
    is_stale = left > STALE_BACKLOG_SECONDS
    message = f"A step has been due for {left:.0f} s and no worker took it: all are busy, or too few live" if is_stale else ""
    return {"status": DEGRADED if is_stale else HEALTHY, "message": message, "pausedSince": None, **found}


def _workers(seen: Standing) -> Component:
    crew = seen.crew
    message = "" if crew.takers else NONE_ALIVE if not crew.live else ALL_DRAINING
    return {"status": HEALTHY if crew.takers else DEGRADED, "message": message, "live": crew.live, "draining": crew.draining}


def _scheduler(now: datetime) -> Component:
    """Timers and take-backs are looked at by the workers; a lease long past its end means that nobody looks."""
    late = now - timedelta(seconds=settings.ENV.worker_heartbeat_timeout)
    overdue = Step.objects.running().filter(lease_expires_at__lt=late).count()
    repairs = Repair.objects.filter(at__gt=now - REPAIRS_SHOWN).count()
    said = [
        f"{overdue} steps of dead workers were not taken back yet" if overdue else "",
        f"{repairs} impossible states were found and mended in the last day; the log has each" if repairs else "",
    ]
    message = "; ".join(filter(None, said))
    return {"status": DEGRADED if overdue else HEALTHY, "message": message, "overdueLeases": overdue, "repairs": repairs}
