"""Pages by cursor: the uid of the last row seen. No page costs more than the first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Q

from workflows_app.dashboard.filters import Filters
from workflows_app.models import Workflow
from workflows_app.models.workflows import WorkflowQuerySet

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Page:
    """`older` is the cursor of the next page, empty on the last."""

    workflows: list[Workflow]
    older: str
    is_first: bool


def page(workflows: WorkflowQuerySet, filters: Filters) -> Page:
    last = _last_seen(filters.after)
    selected = filters.select(workflows).order_by(*filters.order())
    rows = list(selected.filter(_after(last, filters))[: PER_PAGE + 1] if last else selected[: PER_PAGE + 1])
    has_more = len(rows) > PER_PAGE
    return Page(rows[:PER_PAGE], str(rows[PER_PAGE - 1].uid) if has_more else "", is_first=last is None)


def _last_seen(after: str) -> Workflow | None:
    """A cursor that names no workflow (mistyped, or deleted since) means the first page."""
    try:
        return Workflow.objects.only("id", "updated_at").filter(uid=uuid.UUID(after)).first()
    except ValueError:
        return None


def _after(last: Workflow, filters: Filters) -> Q:
    if len(filters.order()) == 1:
        return Q(id__lt=last.pk)
    return Q(updated_at__lt=last.updated_at) | Q(updated_at=last.updated_at, id__lt=last.pk)
