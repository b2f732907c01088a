"""Bodies coming in. They are flat, and unknown keys are refused."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, field_validator

from workflows_app.api.schemas.base import Shape
from workflows_app.dialects.source import MAX_BYTES
from workflows_app.dialects.template_model import visible

Params = dict[str, Any]
Slug = Annotated[str, Field(max_length=100, description="letters, digits, - and _")]
Source = Annotated[str | dict[str, Any], Field(description="the definition: YAML or JSON text, or a JSON object")]
DialectName = Annotated[str, Field(max_length=20)]
Note = Annotated[str, Field(max_length=500)]


class InlineIn(Shape):
    """A definition to run once."""

    name: str = Field("", max_length=200, description="by default the definition's own name")
    dialect: DialectName = "template"
    definition: Source
    params: Params = {}

    @field_validator("name")
    @classmethod
    def _visible_name(cls, name: str) -> str:
        return visible(name)


class RetryIn(Shape):
    """Empty: every failed step. With `fromStep`: that step and all below it."""

    from_step: str | None = Field(None, max_length=200)
    params: Params | None = None


class RerunIn(Shape):
    """Without `params`, the same as before."""

    params: Params | None = None


class PauseIn(Shape):
    reason: str = Field("", max_length=200, description="why, for those who wonder why nothing starts")


class TemplateIn(Shape):
    slug: Slug
    source: Source
    dialect: DialectName = "template"
    note: Note = ""


class NewVersionIn(Shape):
    """With `expectVersion`, refused if somebody published another version since."""

    source: Source
    dialect: DialectName = "template"
    note: Note = ""
    expect_version: int | None = Field(None, ge=1)


class ImportIn(Shape):
    """What is left out is taken from the comment lines of an export."""

    source: Source
    slug: str = Field("", max_length=100)
    dialect: str = Field("", max_length=20)


class DraftIn(Shape):
    source: Source
    dialect: DialectName = "template"


def source_text(source: str | dict[str, Any]) -> str:
    """What is kept as the source of a version: the text as it was written, or the object as JSON: indented, unless that is too large."""
    if isinstance(source, str):
        return source
    text = json.dumps(source, indent=2, ensure_ascii=False)
    return text if len(text.encode("utf-8", "replace")) <= MAX_BYTES else json.dumps(source, separators=(",", ":"), ensure_ascii=False)
