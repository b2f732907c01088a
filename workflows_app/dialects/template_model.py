"""The keys of the template dialect and what each may hold (CONTRACT.md section 3)."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from workflows_app.graph.readiness import TriggerRule

YEAR_SECONDS = 366 * 24 * 3600
_KIND = re.compile(r"[1-5](xx|[0-9]{2})|[a-z][a-z_]{0,39}")


class Strict(BaseModel):
    """No unknown keys, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RetryModel(Strict):
    """`retry:`. Delays in seconds; `on` lists the kinds of failure worth another try."""

    initial_delay: float | None = Field(None, ge=0, le=86_400, allow_inf_nan=False)
    max_delay: float | None = Field(None, ge=0, le=YEAR_SECONDS, allow_inf_nan=False)
    jitter: bool = True
    on: list[str | int] | None = None

    @field_validator("on")
    @classmethod
    def _known_kinds(cls, kinds: list[str | int] | None) -> list[str | int] | None:
        for kind in kinds or ():
            if not _KIND.fullmatch(str(kind)):
                raise ValueError(f"{kind!r} is not a kind of failure: use timeout, connection, error, a status such as 429, or 5xx")
        return kinds


class ConcurrencyModel(Strict):
    """`concurrency:`. At most `limit` steps with the same `key` run at once."""

    key: str = Field(min_length=1, max_length=200)
    limit: int = Field(1, ge=1, le=10_000)

    @field_validator("key")
    @classmethod
    def _plain(cls, key: str) -> str:
        if "{{" in key:
            raise ValueError("the key cannot hold an expression")
        return key


class Running(Strict):
    """What a step may say about how it runs."""

    timeout: float | None = Field(None, gt=0, le=YEAR_SECONDS, allow_inf_nan=False)
    retries: int | None = Field(None, ge=0, le=100)
    retry: RetryModel = Field(default_factory=RetryModel)  # an instance would be copied, part by part, for each of 10,000 steps
    priority: Literal["high", "normal", "low"] = "normal"
    on_failure: Literal["fail", "continue"] = "fail"
    concurrency: ConcurrencyModel | None = None


class Policies(Running):
    """How a step runs and when, and `defaults:` for all steps."""

    trigger_rule: TriggerRule = "all_success"


class BodyModel(Running):
    """What a `map` does with each element: a step that needs nothing and that nobody names."""

    name: str = Field("", max_length=200)
    action: str = Field(min_length=1)
    config: dict[str, Any] = Field({}, alias="with")
    run_if: Any = None


class NodeModel(Policies):
    """What a step has in every dialect that gives it an id."""

    id: str
    name: str = Field("", max_length=200)
    run_if: Any = None


class StepModel(NodeModel):
    """One entry of `steps:`."""

    action: str = Field(min_length=1)
    needs: list[str] = []
    config: dict[str, Any] = Field({}, alias="with")


class Document(Strict):
    """What every dialect has at the top."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=10_000)
    tags: list[str] = Field([], max_length=50)
    retention_days: int | None = Field(None, ge=0, le=36_500)

    @field_validator("name")
    @classmethod
    def _visible_name(cls, name: str) -> str:
        return visible(name)

    @field_validator("tags")
    @classmethod
    def _short_tags(cls, tags: list[str]) -> list[str]:
        for tag in tags:
            if not 0 < len(tag) <= 50:
                raise ValueError(f"a tag has 1 to 50 characters, {tag[:60]!r} does not")
        return tags


def visible(name: str) -> str:
    """The name, when there is something to see and to click. Raises ValueError."""
    if name and not any(character.isprintable() and not character.isspace() for character in name):
        raise ValueError("a name needs a character that can be seen")
    return name


class TemplateModel(Document):
    """The whole document."""

    params: dict[str, Any] | None = None
    trigger: Any = None
    defaults: Policies = Policies()
    steps: list[StepModel]
