"""Counters for the dashboard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum

from workflows_app.engine.liveness import live_workers
from workflows_app.engine.report.backlog import backlog
from workflows_app.engine.report.times import iso
from workflows_app.graph.statuses import Status
from workflows_app.models import Template, Workflow

WINDOW = timedelta(hours=24)


def stats(now: datetime) -> dict[str, Any]:
    """Workflows per status over all time, what happened in the last 24 hours, the backlog, and how many workers live."""
    return {
        "timestamp": iso(now),
        "workflows": _by_status(),
        "last24Hours": _recent(now - WINDOW),
        "steps": backlog(now),
        "workers": len(live_workers(now=now)),
        "templates": Template.objects.published().count(),
    }


def _by_status() -> dict[str, int]:
    """Ended ones and active ones apart, so that each is counted from its own partial index."""
    counts: dict[str, int] = {}
    for is_active in (True, False):
        rows = Workflow.objects.filter(ended_at__isnull=is_active).order_by().values("status").annotate(n=Count("pk"))
        counts.update(rows.values_list("status", "n"))
    return {**{status.value: counts.get(status.value, 0) for status in Status}, "total": sum(counts.values())}


def _recent(since: datetime) -> dict[str, int]:
    """What changed since then is found by the index on `updated_at`; nothing older can have ended since."""
    ended = Q(ended_at__gte=since)
    found = Workflow.objects.filter(updated_at__gte=since).aggregate(
        started=Count("pk", filter=Q(created_at__gte=since)),
        completed=Count("pk", filter=ended & Q(status=Status.COMPLETED)),
        failed=Count("pk", filter=ended & Q(status=Status.FAILED)),
        stopped=Count("pk", filter=ended & Q(status=Status.STOPPED)),
        stepsDone=Sum("done_steps", filter=ended, default=0),
    )
    return dict(found)
