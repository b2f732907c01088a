"""Sequential and parallel tasks: what comes in is checked by the dialect, what goes out is a workflow with one key more."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from workflows_app.api.schemas.workflows import WorkflowOut

TASK: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string", "description": "a registered task or any action"}, "params": {"type": "object"}},
    "required": ["name"],
}
STEP: dict[str, Any] = {
    "type": "object",
    "properties": {"execution_type": {"enum": ["sequential", "parallel"]}, "tasks": {"type": "array", "items": TASK}},
    "required": ["execution_type", "tasks"],
}
TASKS_IN: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "steps": {"type": "array", "items": STEP}},
    "required": ["name", "steps"],
}


class TaskWorkflowOut(WorkflowOut):
    """`workflow_id` is the `id` again, under the name that clients of the task API look for."""

    workflow_id: str = Field(alias="workflow_id")
