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
    """Which rows is decided by their ids alone: to put all that match in order must not read all that is shown of them."""
    last = _last_seen(filters.after)
    selected = filters.select(Workflow.objects.order_by(*filters.order()))
    selected = selected.filter(_after(last, filters)) if last else selected
    rows = list(workflows.filter(pk__in=selected.values("pk")[: PER_PAGE + 1]).order_by(*filters.order()))
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
    earlier = Q(updated_at__lt=last.updated_at) | Q(updated_at=last.updated_at, id__lt=last.pk)
    return Q(updated_at__lte=last.updated_at) & earlier  # the first half is where an index can begin
