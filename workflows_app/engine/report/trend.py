"""How the queue went lately: the samples that reapers took, what ended, what failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from workflows_app.engine.report.times import iso
from workflows_app.graph.statuses import Status
from workflows_app.models import BacklogSample, Workflow

WINDOW, AN_HOUR = timedelta(minutes=5), timedelta(hours=1)
MOST_COUNTED = 100_000


def trend(now: datetime) -> dict[str, Any]:
    """`samples` of the last five minutes, the oldest first: one every ten seconds while anything was due or ran. `endedPerMinute` are
    workflows, over the same five minutes; `failedLastHour`, too; `longestWaitSeconds` is the age of the oldest due step at its worst."""
    samples = list(BacklogSample.objects.filter(at__gt=now - WINDOW, at__lte=now).order_by("at"))
    return {
        "samples": [{"at": iso(s.at), "due": s.due, "running": s.running, "oldestDueSeconds": s.oldest_due_seconds} for s in samples],
        "longestWaitSeconds": round(max((sample.oldest_due_seconds for sample in samples), default=0.0), 1),
        "endedPerMinute": round(_ended(now) / (WINDOW.total_seconds() / 60), 1),
        "failedLastHour": _failed(now),
    }


def _ended(now: datetime) -> int:
    return Workflow.objects.filter(ended_at__gt=now - WINDOW).order_by()[:MOST_COUNTED].count()


def _failed(now: datetime) -> int:
    """What failed since then changed since then: found by the index on status and last change."""
    since = now - AN_HOUR
    rows = Workflow.objects.filter(status=Status.FAILED, ended_at__isnull=False, updated_at__gt=since, ended_at__gt=since)
    return rows.order_by()[:MOST_COUNTED].count()
