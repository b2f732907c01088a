"""Notifications going out, and what is asked of their list."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from workflows_app.api.schemas.base import Moment, Shape
from workflows_app.api.schemas.queries import MAX_LIMIT


class NotificationQuery(BaseModel):
    unread: bool = Field(False, description="only those that you have not read")
    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=100, description="from the Link header of the page before")


class NotificationOut(Shape):
    """At most one of `user`, `role` and `channel` is set; none of them: it is for everybody."""

    id: str
    title: str
    message: str
    level: Literal["info", "success", "warning", "error"]
    user: str | None
    role: str | None
    channel: str | None
    workflow_id: str | None
    step_id: str | None
    created_at: Moment
    is_read: bool


class MarkedOut(Shape):
    """How many were unread."""

    marked: int
