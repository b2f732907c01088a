"""Triggering a workflow that was submitted without being started; or, once it has ended, the same definition again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from workflows_app.engine import admission, control, doorbell
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.locking import locked, update
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Workflow


def trigger(*, uid: object, params: Mapping[str, Any] | None = None, now: datetime, by: User | None = None) -> Workflow:
    """Start it with these parameters; of one that has ended, start a new workflow of the same definition (its `parent` is the old
    one). Raises WorkflowNotFound, NotAllowed."""
    with locked(uid) as workflow:
        if not workflow.awaits_trigger and workflow.status not in FINAL:
            raise NotAllowed(f"The workflow is {workflow.status} already: it can be triggered again when it has ended")
        is_new = workflow.awaits_trigger and workflow.status not in FINAL
        if is_new:
            _begin(workflow, params, now, by)
    if not is_new:
        return control.rerun(uid=uid, now=now, params=params, by=by)
    doorbell.ring()
    return workflow


def _begin(workflow: Workflow, params: Mapping[str, Any] | None, now: datetime, by: User | None) -> None:
    is_placed = admission.free_places() != 0
    status = Status.PENDING if is_placed else Status.WAITING_FOR_DEPENDENCY
    given = workflow.params if params is None else dict(params)
    update(workflow, now, awaits_trigger=False, params=given, status=status, started_by=by or workflow.started_by)
    if is_placed:
        admission.open_roots([workflow.pk], now=now)
