"""Stop every workflow that a filter finds, in small transactions: a hundred thousand within seconds, and nobody waits for long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workflows_app.engine import admission, doorbell, stopping, sub_workflows
from workflows_app.models.workflows import WorkflowQuerySet

BATCH = 4_000


def stop_many(*, workflows: WorkflowQuerySet, now: datetime) -> int:
    """Each is stopped as `control.stop` does it, with its sub-workflows; how many of those asked for. Those that begin meanwhile are
    found too, as long as their ids rise. Places that become free are given away at the end: to none that is stopped next."""
    stopped: list[int] = []
    last = 0
    while found := list(workflows.active().filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = found[-1]
        stopped += _with_parts(found, now)
    if stopped:
        doorbell.ring("stop")
        admission.admit_after(stopped, now=now)
    return len(stopped)


def _with_parts(workflow_ids: Sequence[int], now: datetime) -> list[int]:
    """The workflows, level by level the sub-workflows that they waited for, and who waits for any of them is told."""
    first = level = stopping.stop_these(workflow_ids=workflow_ids, now=now)
    while level:
        sub_workflows.tell_parents(level, now=now)
        level = stopping.stop_these(workflow_ids=sub_workflows.below(level, BATCH), now=now)
    return first
