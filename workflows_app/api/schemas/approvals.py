"""Approvals going out."""

from __future__ import annotations

from workflows_app.api.schemas.base import Json, Moment, Shape


class ApprovalOut(Shape):
    """`form` is a JSON Schema of what the body of the decision holds; without `approvers` everybody may decide."""

    workflow_id: str
    workflow_name: str
    step_id: str
    step_name: str
    title: str
    message: str
    form: dict[str, Json]
    approvers: list[str]
    since: Moment | None
    expires_at: Moment | None
