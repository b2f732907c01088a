"""The backlog: what is due, what runs, what waits and how old it is, told from the partial indexes that claims use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Min, Q

from workflows_app.engine import pausing
from workflows_app.engine.report.limits import limits
from workflows_app.engine.report.times import iso, seconds
from workflows_app.engine.report.trend import trend
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow
from workflows_app.models.workflows import StepQuerySet

MAX_LISTED = 100
MOST_SORTED = 10_000
PRIORITY_NAMES = {0: "high", 5: "normal", 9: "low"}


def queue(now: datetime) -> dict[str, Any]:
    """Counts by state, the oldest due step, and up to 100 steps that hold a time in the queue, first due first; who has paused it, the
    concurrency keys in use, and how it went lately."""
    return {
        **backlog(now),
        "paused": _pause(),
        "byPriority": _by_priority(now),
        "byAction": _by_action(now),
        "limits": limits(now),
        "steps": _steps(now),
        **trend(now),
    }


def backlog(now: datetime) -> dict[str, Any]:
    """`due` may be claimed now; `scheduled` waits for its time; `waiting` for a step or an answer."""
    parts = [_counts(rows, now) for rows in _in_queue()]
    oldest, following = (min(filter(None, (part[name] for part in parts)), default=None) for name in ("oldest", "following"))
    return {
        "due": sum(part["due"] for part in parts),
        "scheduled": sum(part["scheduled"] for part in parts),
        "running": Step.objects.running().count(),
        "waiting": _waiting(),
        "oldestDueAt": iso(oldest),
        "oldestDueSeconds": seconds(oldest, now),
        "nextDueAt": iso(following),
    }


def longest_left(now: datetime) -> float:
    """For how many seconds a step has been due that a worker could have taken: not one whose concurrency key is full."""
    free = Step.objects.due(now).filter(concurrency_key__isnull=True).aggregate(oldest=Min("available_at"))["oldest"]
    with_room: list[float] = [limit["oldestSeconds"] for limit in limits(now) if limit["running"] < limit["limit"]]
    return max([seconds(free, now), *with_room])


def _in_queue() -> Iterator[StepQuerySet]:
    """Steps that hold a time, without and with a concurrency key: each has its partial index, and both together have none."""
    for is_free in (True, False):
        yield Step.objects.filter(available_at__isnull=False, concurrency_key__isnull=is_free).order_by()


def _counts(rows: StepQuerySet, now: datetime) -> Mapping[str, Any]:
    due, later = Q(available_at__lte=now), Q(available_at__gt=now)
    return rows.aggregate(
        due=Count("pk", filter=due),
        scheduled=Count("pk", filter=later),
        oldest=Min("available_at", filter=due),
        following=Min("available_at", filter=later),
    )


def _waiting() -> int:
    """Found through workflows that have not ended: SQLite would read all steps that there ever were."""
    active = Workflow.objects.active().values("pk")
    return Step.objects.filter(workflow__in=active, status=Status.WAITING_FOR_DEPENDENCY, available_at__isnull=True).count()


def _pause() -> dict[str, Any] | None:
    found = pausing.current()
    return {"since": iso(found.since), "by": found.by.username if found.by else None, "reason": found.reason} if found else None


def _by_priority(now: datetime) -> dict[str, int]:
    counts: Counter[int] = Counter()
    for rows in _in_queue():
        counts.update(dict(rows.due(now).values("priority").annotate(n=Count("pk")).values_list("priority", "n")))
    return {name: counts[priority] for priority, name in PRIORITY_NAMES.items()}


def _by_action(now: datetime) -> list[dict[str, Any]]:
    """The longest first. Of a very long backlog so many steps are sorted that it costs no more than a moment."""
    counts: Counter[str] = Counter()
    oldest: dict[str, datetime] = {}
    for rows in _in_queue():
        for action, at in rows.due(now).values_list("action", "available_at")[:MOST_SORTED]:
            counts[action] += 1
            oldest[action] = min(at or now, oldest.get(action, now))
    order = sorted(counts, key=lambda action: (-counts[action], oldest[action], action))
    return [{"action": action, "due": counts[action], "oldestSeconds": seconds(oldest[action], now)} for action in order]


def _steps(now: datetime) -> list[dict[str, Any]]:
    first = [pair for rows in _in_queue() for pair in rows.order_by("available_at", "pk").values_list("available_at", "pk")[:MAX_LISTED]]
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
