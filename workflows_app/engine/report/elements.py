"""The elements of a map: steps of their own that the workflow's JSON leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from workflows_app.engine.report.find import the_step, the_workflow
from workflows_app.engine.report.rows import rows_of
from workflows_app.engine.report.search import BadCursor
from workflows_app.engine.report.steps import steps_json
from workflows_app.engine.sql.transaction import snapshot
from workflows_app.models import Step

LINES_IN_LIST = 50
MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class ElementPage:
    """Steps as JSON, and the cursor of the page after; None on the last."""

    steps: list[dict[str, Any]]
    cursor: str | None


def elements(
    uid: object, step_id: str, *, statuses: Sequence[str] = (), limit: int, cursor: str | None = None, now: datetime | None = None
) -> ElementPage:
    """Elements in the order of the list, those in these statuses only; none of a step that is no map.
    Raises WorkflowNotFound, StepNotFound, BadCursor."""
    workflow, parent, now = the_workflow(uid), the_step(uid, step_id), now or timezone.now()
    found = Step.objects.filter(parent=parent, position__gt=_position(cursor)).order_by("position")
    found = found.filter(status__in=list(statuses)) if statuses else found
    with snapshot():
        positions = list(found.values_list("position", flat=True)[: limit + 1])
        page = found.filter(position__lte=positions[:limit][-1]) if positions else found.none()
        rows = rows_of(page, workflow.definition_id, lines_per_step=LINES_IN_LIST, now=now)
    shown = steps_json(rows, {}, now)
    return ElementPage(shown, str(positions[limit - 1]) if len(positions) > limit else None)


def _position(cursor: str | None) -> int:
    """The cursor is the place of the last element seen. Raises BadCursor."""
    if not cursor:
        return -1
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= MAX_DIGITS):
        raise BadCursor
    return int(cursor)
