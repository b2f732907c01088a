"""Query strings coming in. Unknown names are ignored, known ones are checked."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from workflows_app.api.schemas.base import StatusName
from workflows_app.engine.report import Filters

MAX_LIMIT = 200


def _with_plus(value: Any) -> Any:
    """A `+` that was not escaped arrives as a space: `…T12:00:00 00:00`."""
    return re.sub(r" (\d\d:?\d\d)$", r"+\1", value) if isinstance(value, str) and "T" in value else value


def _in_utc(value: datetime) -> datetime:
    if not 1970 <= value.year <= 9000:
        raise ValueError("must be a year from 1970 to 9000")
    return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


def _without_empty(value: Any) -> Any:
    return [item for item in value if item] if isinstance(value, list) else value


Instant = Annotated[datetime, BeforeValidator(_with_plus), AfterValidator(_in_utc)]
Statuses = Annotated[list[StatusName], BeforeValidator(_without_empty)]
Text = Annotated[str, Field(max_length=200)]


class WorkflowQuery(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    status: Statuses = Field(default_factory=list, description="repeat it for several")
    template: Text = Field("", description="slug of the template")
    tag: Text = ""
    q: Text = Field("", description="part of the name, or the start of the id")
    parent_id: UUID | None = None
    created_after: Instant | None = None
    created_before: Instant | None = None
    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=500, description="from the Link header of the page before")

    def filters(self) -> Filters:
        return Filters(self.status, self.template, self.tag, self.q, self.parent_id, self.created_after, self.created_before)


class ElementQuery(BaseModel):
    status: Statuses = Field(default_factory=list, description="repeat it for several")
    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=500, description="from the Link header of the page before")


class LogQuery(BaseModel):
    after: int = Field(0, ge=0, le=10**12, description="number of the last line seen")
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("DEBUG", description="this level and above")
    limit: int = Field(1_000, ge=1, le=5_000)
