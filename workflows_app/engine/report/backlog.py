"""How much is due, runs and waits, told from the partial indexes that claims use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q

from workflows_app.engine.report.times import iso, seconds
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow
from workflows_app.models.workflows import StepQuerySet


def backlog(now: datetime) -> dict[str, Any]:
    """`due` may be claimed now; `scheduled` waits for its time; `waiting` for a step or an answer."""
    parts = [_counts(rows, now) for rows in in_queue()]
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


def longest_left(limits: Sequence[Mapping[str, Any]], now: datetime) -> float:
    """For how many seconds a step has been due that a worker could have taken: not one whose concurrency key is full."""
    free = Step.objects.due(now).filter(concurrency_key__isnull=True).aggregate(oldest=Min("available_at"))["oldest"]
    with_room: list[float] = [limit["oldestSeconds"] for limit in limits if limit["running"] < limit["limit"]]
    return max([seconds(free, now), *with_room])


def in_queue() -> Iterator[StepQuerySet]:
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
