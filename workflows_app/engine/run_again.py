"""Which steps a retry runs again: told here, so that a page can say beforehand what `control.retry` is going to do."""

from __future__ import annotations

from workflows_app.engine.definitions import compiled
from workflows_app.graph.definition import Definition
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow


def of_retry(workflow: Workflow, from_step: str | None = None) -> set[str]:
    """The ids of those that begin anew: `from_step`, or every failed one, all below, and what never ran. Empty: there is nothing to
    retry."""
    begin = {from_step} if from_step else failed(workflow)
    return with_all_below(compiled(workflow.definition_id), begin) | unrun(workflow) if begin else set()


def failed(workflow: Workflow) -> set[str]:
    return set(workflow.steps.top_level().filter(status=Status.FAILED).values_list("node_id", flat=True))


def unrun(workflow: Workflow) -> set[str]:
    """Steps that a stop or a failure upstream kept from running; what a condition ruled out stays ruled out."""
    return set(workflow.steps.top_level().filter(status=Status.STOPPED, is_skipped=False).values_list("node_id", flat=True))


def with_all_below(definition: Definition, ids: set[str]) -> set[str]:
    found, open_ids = set(ids), list(ids)
    while open_ids:
        fresh = [id for id in definition.successors[open_ids.pop()] if id not in found]
        found.update(fresh)
        open_ids.extend(fresh)
    return found
