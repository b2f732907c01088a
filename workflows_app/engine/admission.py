"""Admission: how many workflows may run at once (MAX_CONCURRENT_WORKFLOWS). One over the limit waits, oldest first, for a place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import F

from workflows_app.engine import doorbell
from workflows_app.engine.sql.transaction import write
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

ADVISORY_LOCK = 0x4859_4252


def hold_back(workflows: Sequence[Workflow]) -> None:
    """Mark those of these new top-level workflows that find no place. Call in the transaction that starts them, before they are stored."""
    if not workflows:  # parts of others: they need no place, and need not wait for those who count them
        return
    places = free_places()
    for workflow in workflows[len(workflows) if places is None else places :]:
        workflow.status = Status.WAITING_FOR_DEPENDENCY


def admit(*, now: datetime) -> int:
    """Let held workflows start while there are places; how many did. Call after a workflow ended."""
    if not Workflow.objects.held().exists():
        return 0
    with write():
        places = free_places()
        held = Workflow.objects.held().order_by("id").values_list("id", flat=True)
        ids = list(held if places is None else held[:places])
        rows = Workflow.objects.held().filter(id__in=ids)
        rows.update(status=Status.PENDING, seq=F("seq") + 1, updated_at=now)
        open_roots(ids, now=now)
    doorbell.ring()
    return len(ids)


def open_roots(workflow_ids: Sequence[int], *, now: datetime) -> None:
    """The first steps of held workflows may run."""
    roots = Step.objects.filter(workflow__in=workflow_ids, status=Status.WAITING_FOR_DEPENDENCY, remaining=0, available_at=None)
    roots.update(status=Status.PENDING, available_at=now)


def admit_after(ended: Sequence[int], *, now: datetime) -> None:
    """Some workflows ended: if there is a limit, others may start."""
    if ended and settings.ENV.max_concurrent_workflows:
        admit(now=now)


def free_places() -> int | None:
    """How many more may run now; None without a limit. On PostgreSQL those who count take turns."""
    limit = settings.ENV.max_concurrent_workflows
    if not limit:
        return None
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
    return max(0, limit - Workflow.objects.active().top_level().exclude(status=Status.WAITING_FOR_DEPENDENCY).count())
