"""Worker processes and what each runs now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from workflows_app.engine import site
from workflows_app.engine.liveness import live_workers
from workflows_app.engine.report.times import iso, took
from workflows_app.models import Step, Worker


def workers(now: datetime) -> list[dict[str, Any]]:
    """Live workers (`busy`, `idle`, or `draining`: finishing what it runs, taking no more), and silent ones while they
    still hold a lease, oldest first."""
    live = {worker.id for worker in live_workers(now=now)}
    running = _running(now)
    rows = Worker.objects.filter(id__in=[*live, *running]).order_by("started_at", "id")
    return [_worker_json(row, running.get(row.id, []), is_live=row.id in live, now=now) for row in rows]


def _worker_json(worker: Worker, running: Sequence[dict[str, Any]], *, is_live: bool, now: datetime) -> dict[str, Any]:
    """Of a worker beside us the kernel just said that it lives; an idle one writes no heartbeat."""
    is_beside = is_live and worker.site == site.site_id()
    return {
        "id": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "state": _state(worker, running) if is_live else "silent",
        "startedAt": iso(worker.started_at),
        "sameHost": worker.site == site.site_id(),
        "heartbeatAt": iso(now if is_beside else worker.heartbeat_at),
        "running": list(running),
    }


def _state(worker: Worker, running: Sequence[dict[str, Any]]) -> str:
    if worker.drain_requested_at is not None:
        return "draining"
    return "busy" if running else "idle"


def _running(now: datetime) -> Mapping[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    rows = Step.objects.running().annotate(uid=F("workflow__uid"), workflow_name=F("workflow__name")).order_by("claimed_at", "id")
    for row in rows.defer("output", "resume", "metadata"):
        found[row.worker_id].append(_step_json(row, now))
    return found


def _step_json(row: Any, now: datetime) -> dict[str, Any]:
    return {
        "workflowId": str(row.uid),
        "workflowName": row.workflow_name,
        "stepId": row.node_id,
        "action": row.action,
        "attempt": row.attempt,
        "startTime": iso(row.claimed_at),
        "duration": took(row.claimed_at, None, now),
        "leaseExpiresAt": iso(row.lease_expires_at),
    }
