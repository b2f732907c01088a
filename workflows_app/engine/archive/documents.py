"""What state.json may hold. Earlier engines wrote fewer keys: what they left out has a default."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

Json = Any
StatusName = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "WAITING_FOR_DEPENDENCY", "STOPPED"]


def moment(value: Json) -> datetime:
    """A time as text; one without an offset is UTC. Raises ValueError."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("must be a time such as 2026-11-21T12:00:00+00:00") from None
    if not 1970 <= found.year <= 9000:
        raise ValueError("must be a time from 1970 to 9000")
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def _an_id(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError("must be a UUID") from None


def _without_private(value: dict[str, Json]) -> dict[str, Json]:
    if private := [name for name in value if name.startswith("_")]:
        raise ValueError(f"names that begin with _ are the engine's own: {private[0][:60]!r}")
    return value


Moment = Annotated[datetime, BeforeValidator(moment)]
Id = Annotated[str, AfterValidator(_an_id)]
Ignored = Annotated[Json, Field(description="follows from the rest")]


class Part(BaseModel):
    """No guessing of types. The keys are those of the API."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class StepMetadata(Part):
    """What the engine reads of it must be of its kind; the rest may be anything."""

    model_config = ConfigDict(extra="allow")

    skipped: bool = False
    reason: str = ""
    case: str = ""
    next: list[str] = []
    ruled_out: list[str] = []
    elements: dict[str, int] = {}
    approval: dict[str, Json] = {}

    @model_validator(mode="after")
    def _whole_decision(self) -> Self:
        if ("case" in self.model_fields_set) != ("next" in self.model_fields_set):
            raise ValueError("a branch's decision has both 'case' and 'next'")
        return self

    def kept(self) -> dict[str, Json]:
        return self.model_dump(by_alias=True, exclude_unset=True)


class StepState(Part):
    id: str
    name: str = Field("", max_length=1_000)
    action: str = Field(min_length=1, max_length=200)
    status: StatusName
    dependencies: list[str] = []
    outputs: Json = None
    error: str | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    logs: list[str] | None = None
    metadata: StepMetadata | None = None
    attempts: int | None = Field(None, ge=0, le=1_000_000)
    duration: Ignored = None
    max_attempts: Ignored = None
    available_at: Ignored = None
    waiting_for: Ignored = None


class State(Part):
    """state.json."""

    id: Id
    name: str = Field(min_length=1, max_length=200)
    status: StatusName
    steps: list[StepState]
    created_at: Moment
    updated_at: Moment
    description: str | None = None
    tags: list[str] | None = None
    parent_id: Id | None = None
    template_id: str | None = None
    template_version: int | None = Field(None, ge=1, le=2**31 - 1)
    params: dict[str, Json] | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    error: str | None = None
    metadata: Annotated[dict[str, Json], AfterValidator(_without_private)] | None = None
    progress: Ignored = None
    branches: Ignored = None
    metrics: Ignored = None
    duration: Ignored = None
