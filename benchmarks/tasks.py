"""The step that the benchmark runs: it does nothing and says when."""

from __future__ import annotations

import time
from typing import Any

from workflows_app.actions.base import Context
from workflows_app.actions.tasks import task


@task(name="noop")
def noop(params: dict[str, Any], context: Context) -> dict[str, Any]:
    context.log("Begin")
    return {"at": time.monotonic()}


@task(name="nap")
def nap(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Takes real time and no core."""
    time.sleep(params["seconds"])
    return {"at": time.monotonic()}
