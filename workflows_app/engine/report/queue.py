"""The queue: its backlog by priority and action, who has paused it, its limits, and the steps that are due first."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.db.models import Count, F

from workflows_app.engine.report.backlog import in_queue
from workflows_app.engine.report.standing import Standing
from workflows_app.engine.report.times import iso, seconds
from workflows_app.engine.report.trend import trend
from workflows_app.models import QueuePause, Step

MAX_LISTED = 100
MOST_SORTED = 10_000
PRIORITY_NAMES = {0: "high", 5: "normal", 9: "low"}


def queue(now: datetime, standing: Standing | None = None) -> dict[str, Any]:
    """Counts by state, the oldest due step, and up to 100 steps that hold a time in the queue, first due first; who has paused it, the
    concurrency keys in use, and how it went lately. `standing` is what a page has read already."""
    standing = standing or Standing(now)
    return {
        **standing.backlog,
        "paused": _pause(standing.pause),
        "byPriority": _by_priority(now),
        "byAction": _by_action(now),
        "limits": standing.limits,
        "steps": _steps(now),
        **trend(now),
    }


def _pause(found: QueuePause | None) -> dict[str, Any] | None:
    return {"since": iso(found.since), "by": found.by.username if found.by else None, "reason": found.reason} if found else None


def _by_priority(now: datetime) -> dict[str, int]:
    counts: Counter[int] = Counter()
    for rows in in_queue():
        counts.update(dict(rows.due(now).values("priority").annotate(n=Count("pk")).values_list("priority", "n")))
    return {name: counts[priority] for priority, name in PRIORITY_NAMES.items()}


def _by_action(now: datetime) -> list[dict[str, Any]]:
    """The longest first. Of a very long backlog so many steps are sorted that it costs no more than a moment."""
    counts: Counter[str] = Counter()
    oldest: dict[str, datetime] = {}
    for rows in in_queue():
        for action, at in rows.due(now).values_list("action", "available_at")[:MOST_SORTED]:
            counts[action] += 1
            oldest[action] = min(at or now, oldest.get(action, now))
    order = sorted(counts, key=lambda action: (-counts[action], oldest[action], action))
    return [{"action": action, "due": counts[action], "oldestSeconds": seconds(oldest[action], now)} for action in order]


def _steps(now: datetime) -> list[dict[str, Any]]:
    first = [pair for rows in in_queue() for pair in rows.order_by("available_at", "pk").values_list("available_at", "pk")[:MAX_LISTED]]
    keys = [pk for _, pk in sorted(first)[:MAX_LISTED]]
    rows = Step.objects.filter(pk__in=keys).order_by("available_at", "pk").annotate(uid=F("workflow__uid"), called=F("workflow__name"))
    return [
        {
            "workflowId": str(row["uid"]),
            "workflowName": row["called"],
            "stepId": row["node_id"],
            "action": row["action"],
            "status": row["status"],
            "availableAt": iso(row["available_at"]),
            "ageSeconds": seconds(row["available_at"], now),
        }
        for row in rows.values("uid", "called", "node_id", "action", "status", "available_at")
    ]
