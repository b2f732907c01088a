"""Custom tasks that return or say very much."""

from __future__ import annotations

from typing import Any

from workflows_app.actions.base import Context
from workflows_app.actions.tasks import task


@task
def give_text(params: dict[str, Any], context: Context) -> str:
    """So many bytes of text."""
    return "x" * int(params["bytes"])


@task
def storm(params: dict[str, Any], context: Context) -> int:
    """So many log lines, as fast as it can."""
    for number in range(int(params["lines"])):
        context.log(f"line {number}")
    return int(params["lines"])
