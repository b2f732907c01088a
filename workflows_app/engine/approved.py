"""Approvals that a retry would leave standing: they were given for the parameters of then, not for others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from workflows_app.engine.definitions import compiled
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.sub_workflows import MAX_DEPTH
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

APPROVAL, SUB_WORKFLOW = "approval", "sub_workflow"


def refuse_other_params(workflow: Workflow, params: Mapping[str, Any], reopened: set[str]) -> None:
    """Raises NotAllowed when a step above the reopened ones was approved, here or in a sub-workflow, and the params are others."""
    if params == workflow.params:
        return
    definition = compiled(workflow.definition_id)
    kept = [id for id in _all_above(definition, reopened) - reopened if _may_hold_approvals(definition.by_id[id])]
    steps = Step.objects.filter(Q(node_id__in=kept) | Q(parent__node_id__in=kept), workflow=workflow)
    for level in _with_parts(steps):
        if step := level.filter(action=APPROVAL, status=Status.COMPLETED).first():
            raise NotAllowed(f"Step {step.node_id!r} was approved for the params of then: retry from there, or start a rerun with these")


def _all_above(definition: Definition, ids: Iterable[str]) -> set[str]:
    found: set[str] = set()
    open_ids = list(ids)
    while open_ids:
        fresh = set(definition.by_id[open_ids.pop()].needs) - found
        found |= fresh
        open_ids.extend(fresh)
    return found


def _may_hold_approvals(node: Node) -> bool:
    return not {APPROVAL, SUB_WORKFLOW}.isdisjoint({node.action, node.body.action if node.body else ""})


def _with_parts(steps: QuerySet[Step]) -> Iterable[QuerySet[Step]]:
    """These steps, those of the sub-workflows that they started, those below, as far as there are any."""
    for _ in range(MAX_DEPTH + 1):
        if not steps.exists():
            return
        yield steps
        steps = Step.objects.filter(workflow__parent_step__in=steps.filter(action=SUB_WORKFLOW).values("pk"))
