"""Graphs of nodes and edges, their executions and what events start; keys are snake_case outside too."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from workflows_app.api.schemas.base import Json, Moment, StatusName
from workflows_app.api.schemas.queries import MAX_LIMIT, Statuses, Text

NODE: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "type": {"type": "string"}, "data": {"type": "object"}},
    "required": ["id", "type"],
}
EDGE: dict[str, Any] = {
    "type": "object",
    "properties": {key: {"type": "string"} for key in ("id", "source", "target")},
    "required": ["source", "target"],
}
GRAPH_IN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "trigger": {"description": "JSONLogic over the payload of an event; null or {}: no event starts it"},
        "retention_days": {"type": "integer", "minimum": 0, "description": "0: its ended workflows are kept for ever"},
        "nodes": {"type": "array", "items": NODE},
        "edges": {"type": "array", "items": EDGE},
    },
    "required": ["nodes"],
}


class SnakeShape(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class GraphOut(SnakeShape):
    """`nodes` and `edges` exactly as they were sent; `id` is the slug of a template."""

    id: str
    name: str
    description: str
    trigger: Json
    nodes: list[Json]
    edges: list[Json]
    version: int
    created_at: Moment
    updated_at: Moment


class StartedExecutionOut(SnakeShape):
    id: str
    workflow_id: str
    status: StatusName


class MatchedGraphOut(SnakeShape):
    """One workflow with a trigger: whether it was true of the event, and why it did not start."""

    id: str
    name: str
    matched: bool
    reason: str | None


class GraphEventOut(SnakeShape):
    event_id: str
    matched: bool
    message: str
    executions: list[StartedExecutionOut]
    workflows: list[MatchedGraphOut]


class ExecutionOut(SnakeShape):
    """`workflow_id` is null when no template holds the definition."""

    id: str
    workflow_id: str | None
    workflow_name: str
    status: StatusName
    payload: Json
    started_at: Moment | None
    ended_at: Moment | None
    created_at: Moment
    error: str | None
    progress: int


class ExecutionStepOut(SnakeShape):
    """`id` and `node_id` are both the id of the node, which is unique in its execution."""

    id: str
    node_id: str
    type: str
    status: StatusName
    result: Json
    error: str | None
    started_at: Moment | None
    ended_at: Moment | None
    attempts: int
    logs: list[str]
    skipped: bool


class ExecutionQuery(BaseModel):
    workflow_id: Text = Field("", description="id of the workflow, which is the slug of the template")
    status: Statuses = Field(default_factory=list, description="repeat it for several")
    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=500, description="from the Link header of the page before")
