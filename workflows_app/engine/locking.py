"""A workflow found by its public id, its row locked, its row changed: what every verb on a workflow begins and ends with."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models import F, Model, QuerySet

from workflows_app.engine.errors import WorkflowNotFound
from workflows_app.engine.sql.transaction import write
from workflows_app.models import Workflow

Row = TypeVar("Row", bound=Model)


def find(uid: object) -> Workflow:
    """The workflow with this public id. Raises WorkflowNotFound."""
    try:
        return Workflow.objects.get(uid=uuid.UUID(str(uid)))
    except (ValueError, Workflow.DoesNotExist):
        raise WorkflowNotFound(uid) from None


@contextmanager
def locked(uid: object) -> Iterator[Workflow]:
    """The workflow's row, locked first of all rows; on SQLite the write lock is lock enough."""
    key = find(uid).pk
    with write():
        workflow = under_lock(Workflow.objects.filter(pk=key)).first()
        if workflow is None:
            raise WorkflowNotFound(uid)
        yield workflow


def under_lock(rows: QuerySet[Row]) -> QuerySet[Row]:
    """A lock that lets others go on referring to the rows: who starts a workflow names its parent."""
    return rows.select_for_update(no_key=True) if connection.features.has_select_for_update else rows


def hold(rows: QuerySet[Row]) -> None:
    """Lock these rows when whoever changes them now is done: what the next statement sees of them stays true. Workers claim steps
    without the workflow's lock."""
    if connection.features.has_select_for_update:
        list(under_lock(rows).values_list("pk"))


def update(workflow: Workflow, now: datetime, **changes: Any) -> None:
    """Change its row and let `seq` say so."""
    Workflow.objects.filter(pk=workflow.pk).update(seq=F("seq") + 1, updated_at=now, **changes)
    workflow.refresh_from_db()
