"""Templates and their versions going out."""

from __future__ import annotations

from pydantic import Field

from workflows_app.api.schemas.base import Fault, Json, Moment, Shape


class TemplateOut(Shape):
    """`id` is the slug: what `template_id` names."""

    id: str
    name: str
    description: str
    tags: list[str]
    version: int
    dialect: str
    params_schema: dict[str, Json]
    retention_days: int | None = Field(description="for how many days its ended workflows are kept; null: RETENTION_DAYS; 0: for ever")
    is_bundled: bool
    is_edited: bool
    created_at: Moment
    updated_at: Moment


class NodeOut(Shape):
    id: str
    name: str
    action: str
    dependencies: list[str]


class TemplateDetailOut(TemplateOut):
    source: str
    steps: list[NodeOut]


class VersionOut(Shape):
    version: int
    dialect: str
    source: str
    note: str
    created_at: Moment
    created_by: str | None


class ValidationOut(Shape):
    valid: bool
    problems: list[Fault]
