"""Events going out, and the query of their list."""

from __future__ import annotations

from pydantic import BaseModel, Field

from workflows_app.api.schemas.base import Json, Moment, Shape, StatusName
from workflows_app.api.schemas.queries import MAX_LIMIT, Text


class StartedOut(Shape):
    id: str
    template_id: str
    status: StatusName


class MatchOut(Shape):
    """One template that was looked at: whether its trigger was true, and why it did not start."""

    template: str
    name: str
    version: int
    matched: bool
    reason: str | None
    workflow_id: str | None


class DeliveryOut(Shape):
    """A waiting step that took the event."""

    workflow_id: str
    step_id: str


class EventOut(Shape):
    id: str
    received_at: Moment
    source: str
    idempotency_key: str | None
    chain_depth: int
    workflows: list[StartedOut]
    templates: list[MatchOut]
    deliveries: list[DeliveryOut]
    message: str


class EventDetailOut(EventOut):
    payload: Json


class EventQuery(BaseModel):
    source: Text = ""
    matched: bool | None = Field(None, description="whether a trigger was true or a waiting step took it")
    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=100, description="from the Link header of the page before")
