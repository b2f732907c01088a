"""A step as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from workflows_app.engine.report.find import the_step, the_workflow
from workflows_app.engine.report.logs import MAX_LINES
from workflows_app.engine.report.rows import StepRow, rows_of
from workflows_app.engine.report.times import iso, took
from workflows_app.engine.report.waiting import waiting_for
from workflows_app.models import Attempt, Step


def step(uid: object, step_id: str, *, now: datetime | None = None) -> dict[str, Any]:
    """The step, or the element of a map (`fetch[3]`), and `attemptHistory`, its ended attempts in order.
    Raises WorkflowNotFound, StepNotFound."""
    workflow, found, now = the_workflow(uid), the_step(uid, step_id), now or timezone.now()
    (row,) = rows_of(Step.objects.filter(pk=found.pk), workflow.definition_id, lines_per_step=MAX_LINES, now=now)
    needs = dict(workflow.steps.filter(node_id__in=row.node.needs).values_list("node_id", "status"))
    attempts = Attempt.objects.filter(step_id=found.pk).order_by("number")
    shown = steps_json([row], needs, now)[0]
    return {**shown, "attemptHistory": [_attempt_json(attempt) for attempt in attempts]}


def statuses_of(rows: Sequence[StepRow]) -> dict[str, str]:
    return {row.node.id: row.values["status"] for row in rows}


def steps_json(rows: Sequence[StepRow], statuses: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    """Steps of one workflow in the shape of CONTRACT.md section 3."""
    return [_step_json(row, statuses, now) for row in rows]


def _step_json(row: StepRow, statuses: Mapping[str, str], now: datetime) -> dict[str, Any]:
    values = row.values
    return {
        "id": row.node.id,
        "name": row.node.name or row.node.id,
        "action": values["action"],
        "status": values["status"],
        "dependencies": list(row.node.needs),
        "outputs": values["output"],
        "error": values["error"] or None,
        "startTime": iso(values["started_at"]),
        "endTime": iso(values["ended_at"]),
        "duration": took(values["started_at"], values["ended_at"], now),
        "logs": list(row.lines),
        "metadata": _metadata(row),
        "attempts": values["attempt"],
        "maxAttempts": row.max_attempts,
        "availableAt": iso(values["available_at"]),
        "waitingFor": waiting_for(row, statuses, now),
    }


def _metadata(row: StepRow) -> dict[str, Any]:
    """With what is counted and not kept: how the elements of a map are. An imported map has only kept counts, and no rows to count."""
    skipped = {"skipped": True} if row.values["is_skipped"] else {}
    elements = {"elements": row.around.elements} if row.around.elements else {}
    return {**elements, **row.values["metadata"], **skipped}


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "outcome": attempt.outcome,
        "lateResult": attempt.late_result or None,
        "error": attempt.error or None,
        "workerId": attempt.worker_id,
        "startTime": iso(attempt.started_at),
        "endTime": iso(attempt.ended_at),
        "duration": took(attempt.started_at, attempt.ended_at, attempt.ended_at),
    }
