"""What a workflow came to: the output of the steps that nothing depends on."""

from __future__ import annotations

from typing import Any

from workflows_app.engine.definitions import compiled
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow


def output_of(workflow: Workflow) -> Any:
    """Of one such step its output itself; of several that completed, a mapping by id; None when none did."""
    successors = compiled(workflow.definition_id).successors
    ends = [id for id, following in successors.items() if not following]
    rows = workflow.steps.filter(node_id__in=ends[:1000], status=Status.COMPLETED, parent__isnull=True).order_by("position")
    found = dict(rows.values_list("node_id", "output"))
    return found if len(found) > 1 else next(iter(found.values()), None)
