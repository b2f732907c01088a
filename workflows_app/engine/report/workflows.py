"""A workflow as JSON, alone or as one of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from workflows_app.engine.errors import WorkflowNotFound
from workflows_app.engine.report.find import parse_uid
from workflows_app.engine.report.logs import MAX_LINES
from workflows_app.engine.report.metrics import metrics
from workflows_app.engine.report.rows import StepRow, steps_of
from workflows_app.engine.report.steps import statuses_of, steps_json
from workflows_app.engine.report.times import iso, took
from workflows_app.engine.sql.transaction import snapshot
from workflows_app.graph.progress import progress
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow
from workflows_app.models.workflows import WorkflowQuerySet

LINES_IN_LIST = 50


def workflow(uid: object, *, now: datetime | None = None) -> dict[str, Any]:
    """Raises WorkflowNotFound, also for what is no UUID."""
    found = workflows(Workflow.objects.filter(uid=parse_uid(uid)), now=now, lines_per_step=MAX_LINES)
    if not found:
        raise WorkflowNotFound(uid)
    return found[0]


def workflows(page: WorkflowQuerySet, *, now: datetime | None = None, lines_per_step: int = LINES_IN_LIST) -> list[dict[str, Any]]:
    """Every workflow of a query set, in its order, with steps, all as of one moment; the same number of queries for one and for
    two hundred."""
    named = page.annotate(
        template_slug=F("template_version__template__slug"),
        template_number=F("template_version__number"),
        parent_uid=F("parent__uid"),
    )
    now = now or timezone.now()
    with snapshot():
        rows = list(named)
        steps = steps_of({row.pk: row.definition_id for row in rows}, lines_per_step=lines_per_step, now=now)
    return [_workflow_json(row, steps.get(row.pk, []), now) for row in rows]


def _workflow_json(row: Any, steps: Sequence[StepRow], now: datetime) -> dict[str, Any]:
    return {
        "id": str(row.uid),
        "name": row.name,
        "status": row.status,
        "steps": steps_json(steps, statuses_of(steps), now),
        "createdAt": iso(row.created_at),
        "updatedAt": iso(row.updated_at),
        "description": row.description,
        "tags": row.tags,
        "progress": progress(done=row.done_steps, total=row.total_steps),
        "parentId": str(row.parent_uid) if row.parent_uid else None,
        "branches": list(_branches(steps)),
        "metrics": metrics(steps, created=row.created_at, started=row.started_at, ended=row.ended_at or now),
        "templateId": row.template_slug,
        "templateVersion": row.template_number,
        "params": row.params,
        "startTime": iso(row.started_at),
        "endTime": iso(row.ended_at),
        "duration": took(row.started_at, row.ended_at, now),
        "error": row.error or None,
        "metadata": {name: value for name, value in row.metadata.items() if not name.startswith("_")},
    }


def _branches(steps: Sequence[StepRow]) -> Iterator[dict[str, Any]]:
    """One `{"step", "case", "next"}` for each decision taken; a branch leaves its decision in its metadata."""
    for step in steps:
        decision = step.values["metadata"]
        if "case" in decision and step.values["status"] == Status.COMPLETED:
            yield {"step": step.node.id, "case": decision["case"], "next": decision["next"]}
