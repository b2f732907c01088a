"""DAGs coming in and going out; keys are snake_case outside too."""

from __future__ import annotations

from typing import Any

from workflows_app.api.schemas.base import Json, Moment, StatusName
from workflows_app.api.schemas.graph import SnakeShape

NODE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "handler": {"type": "string", "description": "input, output, call_external_service, llm_service, or any action"},
        "dependencies": {"type": "array", "items": {"type": "string"}},
        "config": {"type": "object"},
    },
    "required": ["id", "handler"],
}
DAG_IN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "dag": {"type": "object", "properties": {"nodes": {"type": "array", "items": NODE}}, "required": ["nodes"]},
    },
    "required": ["name", "dag"],
}


class TriggerIn(SnakeShape):
    """Without `input_params`, those that it was triggered with before."""

    input_params: dict[str, Any] | None = None


class SubmittedOut(SnakeShape):
    """Equal DAGs have the same `workflow_definition_id`."""

    workflow_definition_id: str
    execution_id: str
    message: str


class TriggeredOut(SnakeShape):
    """`execution_id` is a new one when the one that was named had ended."""

    execution_id: str
    message: str


class DagStateOut(SnakeShape):
    id: str
    state: StatusName
    started_at: Moment | None
    node_states: dict[str, StatusName]


class DagResultsOut(SnakeShape):
    """`results` has the output of every completed node; `output` that of the node nothing depends on, by id if there are several."""

    id: str
    execution_id: str
    state: StatusName
    results: dict[str, Json]
    output: Json
