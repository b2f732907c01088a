"""Text in a configuration and in what steps say."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from workflows_app.graph.expressions import as_text
from workflows_app.graph.progress import format_duration


def _worded(value: Any) -> Any:
    return value if value is None else as_text(value)


Text = Annotated[str, BeforeValidator(_worded)]
"""What an expression gave becomes text, as it does inside a longer one: an object its JSON."""


def span(seconds: float) -> str:
    """`"1.5 s"`, from a minute up `"2 min 0 sec"`."""
    return f"{seconds:g} s" if seconds < 60 else format_duration(timedelta(seconds=seconds))
