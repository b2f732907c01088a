"""The backlog: what is due, what runs, what waits and how old it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, F, Min, Q

from workflows_app.engine.report.times import iso, seconds
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow
from workflows_app.models.workflows import StepQuerySet

MAX_LISTED = 100
PRIORITY_NAMES = {0: "high", 5: "normal", 9: "low"}


def queue(now: datetime) -> dict[str, Any]:
    """Counts by state, the oldest due step, and up to 100 steps that hold a time in the queue, first due first."""
    return {**backlog(now), "byPriority": _by_priority(now), "steps": _steps(now)}


def backlog(now: datetime) -> dict[str, Any]:
    """`due` may be claimed now; `scheduled` waits for its time; `waiting` for a step or an answer."""
    due = Q(available_at__lte=now)
    found = _open_steps().aggregate(
        due=Count("pk", filter=due),
        scheduled=Count("pk", filter=Q(available_at__gt=now)),
        running=Count("pk", filter=Q(status=Status.RUNNING)),
        waiting=Count("pk", filter=Q(status=Status.WAITING_FOR_DEPENDENCY, available_at__isnull=True)),
        oldest=Min("available_at", filter=due),
        following=Min("available_at", filter=Q(available_at__gt=now)),
    )
    oldest, following = found.pop("oldest"), found.pop("following")
    return {**found, "oldestDueAt": iso(oldest), "oldestDueSeconds": seconds(oldest, now), "nextDueAt": iso(following)}


def _open_steps() -> StepQuerySet:
    """Steps of workflows that have not ended, found through those: SQLite would read all steps that there ever were."""
    return Step.objects.filter(workflow__in=Workflow.objects.active().values("pk"))


def _by_priority(now: datetime) -> dict[str, int]:
    counts = dict(_open_steps().due(now).values("priority").annotate(n=Count("pk")).values_list("priority", "n"))
    return {name: counts.get(priority, 0) for priority, name in PRIORITY_NAMES.items()}


def _steps(now: datetime) -> list[dict[str, Any]]:
    rows = _open_steps().filter(available_at__isnull=False).order_by("available_at").annotate(uid=F("workflow__uid"))
    return [
        {
            "workflowId": str(row["uid"]),
            "stepId": row["node_id"],
            "action": row["action"],
            "status": row["status"],
            "availableAt": iso(row["available_at"]),
            "ageSeconds": seconds(row["available_at"], now),
        }
        for row in rows.values("uid", "node_id", "action", "status", "available_at")[:MAX_LISTED]
    ]
