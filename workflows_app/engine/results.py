"""What a workflow came to: the output of the steps that nothing depends on."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, Sum, TextField
from django.db.models.functions import Cast, Length

from workflows_app.engine.definitions import compiled
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow


def output_of(workflow: Workflow) -> Any:
    """Of one such step its output itself; of several that completed, a mapping by id; None when none did."""
    found = dict(_ends(workflow).values_list("node_id", "output"))
    return found if len(found) > 1 else next(iter(found.values()), None)


def size_of_output(workflow: Workflow) -> int:
    """About how many bytes `output_of` has, told by the database: it may be too much to be read."""
    characters = Length(Cast("output", TextField()))
    return _ends(workflow).order_by().aggregate(size=Sum(characters))["size"] or 0


def _ends(workflow: Workflow) -> QuerySet[Step]:
    successors = compiled(workflow.definition_id).successors
    ends = [id for id, following in successors.items() if not following]
    return workflow.steps.filter(node_id__in=ends[:1000], status=Status.COMPLETED, parent__isnull=True).order_by("position")
