"""The nodes of one workflow in short: their states, their outputs (CONTRACT.md section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflows_app.engine.report.find import the_workflow
from workflows_app.engine.report.graphs import compiled
from workflows_app.engine.report.times import iso
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow
from workflows_app.models.workflows import StepQuerySet

Json = Any


def states(uid: object) -> dict[str, Json]:
    """`{"id", "state", "started_at", "node_states"}`. Raises WorkflowNotFound."""
    workflow = the_workflow(uid)
    rows = _steps(workflow).values_list("node_id", "status", "attempt")
    return {
        "id": str(workflow.uid),
        "state": workflow.status,
        "started_at": iso(workflow.started_at),
        "node_states": {id: _state(status, attempt) for id, status, attempt in rows},
    }


def results(uid: object) -> dict[str, Json]:
    """`{"id", "execution_id", "state", "results", "output"}`, with what has completed so far. Raises WorkflowNotFound."""
    workflow = the_workflow(uid)
    outputs = dict(_steps(workflow).filter(status=Status.COMPLETED).values_list("node_id", "output"))
    return {
        "id": str(workflow.uid),
        "execution_id": str(workflow.uid),
        "state": workflow.status,
        "results": outputs,
        "output": _last(outputs, _ends(workflow)),
    }


def _steps(workflow: Workflow) -> StepQuerySet:
    return Step.objects.filter(workflow=workflow, parent__isnull=True).order_by("position")


def _state(status: str, attempt: int) -> str:
    """A step that waits and never began is PENDING to those who know no waiting."""
    return Status.PENDING.value if status == Status.WAITING_FOR_DEPENDENCY and not attempt else status


def _ends(workflow: Workflow) -> list[str]:
    """The nodes that nothing depends on."""
    definition = compiled([workflow.definition_id])[workflow.definition_id]
    return [id for id, below in definition.successors.items() if not below]


def _last(outputs: Mapping[str, Json], ends: Iterable[str]) -> Json:
    """The output of the only end itself; of several, by id, those that completed."""
    found = list(ends)
    return outputs.get(found[0]) if len(found) == 1 else {id: outputs[id] for id in found if id in outputs}
