"""Worker processes and what each runs now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from workflows_app.engine import memory, site
from workflows_app.engine.report.running import running
from workflows_app.engine.report.standing import Standing
from workflows_app.engine.report.times import iso
from workflows_app.models import Worker


def workers(now: datetime, standing: Standing | None = None) -> list[dict[str, Any]]:
    """Live workers (`busy`, `idle`, or `draining`: finishing what it runs, taking no more), and silent ones while they
    still hold a lease, oldest first."""
    live = {worker.id for worker in (standing or Standing(now)).live}
    held = running(now)
    rows = Worker.objects.filter(id__in=[*live, *held]).order_by("started_at", "id")
    return [_worker_json(row, held.get(row.id, []), is_live=row.id in live, now=now) for row in rows]


def _worker_json(worker: Worker, steps: Sequence[dict[str, Any]], *, is_live: bool, now: datetime) -> dict[str, Any]:
    """Of a worker beside us the kernel just said that it lives; an idle one writes no heartbeat."""
    is_beside = is_live and worker.site == site.site_id()
    return {
        "id": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "state": _state(worker, steps) if is_live else "silent",
        "startedAt": iso(worker.started_at),
        "sameHost": worker.site == site.site_id(),
        "heartbeatAt": iso(now if is_beside else worker.heartbeat_at),
        "drainRequestedAt": iso(worker.drain_requested_at),
        "memoryBytes": memory.of_worker(worker) if is_live else None,
        "running": list(steps),
    }


def _state(worker: Worker, steps: Sequence[dict[str, Any]]) -> str:
    if worker.drain_requested_at is not None:
        return "draining"
    return "busy" if steps else "idle"
