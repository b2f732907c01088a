"""Approvals that wait, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workflows_app.dialects.params_schema import as_written
from workflows_app.engine.report.graphs import compiled
from workflows_app.engine.report.times import iso
from workflows_app.models import Step


def approvals(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What each of these waiting steps asks, of whom, since and until when."""
    graphs = compiled({step.workflow.definition_id for step in steps})
    return [_json(step, graphs[step.workflow.definition_id].node(step.node_id).name) for step in steps]


def _json(step: Step, name: str) -> dict[str, Any]:
    asked = step.metadata.get("approval", {})
    return {
        "workflowId": str(step.workflow.uid),
        "workflowName": step.workflow.name,
        "stepId": step.node_id,
        "stepName": name or step.node_id,
        "title": asked.get("title") or name or step.node_id,
        "message": asked.get("message", ""),
        "form": as_written(asked.get("form", {})),
        "approvers": asked.get("approvers", []),
        "since": iso(step.claimed_at),
        "expiresAt": step.metadata.get("expiresAt"),
    }
