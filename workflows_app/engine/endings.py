"""After a workflow ended: others may start, the step that waited for it goes on, its own sub-workflows do not outlive it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workflows_app.engine import admission, doorbell, stopping, sub_workflows
from workflows_app.engine.commit import Ended

PARTS_AT_ONCE = 200


def after_end(ended: Sequence[Ended], *, now: datetime) -> None:
    """Call when the transaction in which they ended is committed."""
    admission.admit_after([one.workflow_id for one in ended], now=now)
    if waited_for := [one.workflow_id for one in ended if one.parent_step_id is not None]:
        sub_workflows.tell_parents(waited_for, now=now)


def after_stop(workflow_ids: Sequence[int], *, now: datetime) -> None:
    """The same for stopped ones, whose sub-workflows are stopped too, level by level. Who waits for the answer waits for
    PARTS_AT_ONCE of them; the reaper stops the others."""
    level, left = list(workflow_ids), PARTS_AT_ONCE
    while level:
        _tell(level, now)
        below = sub_workflows.below(level, left)
        left -= len(below)
        level = _stop_all(below, now)


def sweep(*, now: datetime) -> None:
    """Mend what a crash between two transactions left: an end that nobody told, a part that nobody stopped."""
    sub_workflows.tell_parents(sub_workflows.untold(), now=now)
    if stopped := _stop_all(sub_workflows.orphans(PARTS_AT_ONCE), now):
        _tell(stopped, now)


def _tell(stopped: Sequence[int], now: datetime) -> None:
    admission.admit_after(stopped, now=now)
    sub_workflows.tell_parents(stopped, now=now)


def _stop_all(workflow_ids: Sequence[int], now: datetime) -> list[int]:
    """Those that did not end by themselves meanwhile."""
    stopped = stopping.stop_these(workflow_ids=workflow_ids, now=now)
    if stopped:
        doorbell.ring("stop")
    return stopped
