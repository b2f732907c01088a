"""What every shape has in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

StatusName = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "WAITING_FOR_DEPENDENCY", "STOPPED"]
Moment = Annotated[str, Field(description="ISO 8601 in UTC with offset", json_schema_extra={"format": "date-time"})]
Json = Any


class Shape(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class Fault(Shape):
    """One entry of a 422's `detail`: where, what, and a word for programs."""

    loc: list[str | int]
    msg: str
    type: str
    node: str | None = None
    line: int | None = None
    column: int | None = None


class Refusal(Shape):
    """Every error: one sentence, or for a 422 one entry for each thing that is wrong."""

    detail: str | list[Fault]
