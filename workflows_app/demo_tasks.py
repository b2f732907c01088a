"""Three small tasks that exist everywhere, to try things out with (CONTRACT.md section 4)."""

from __future__ import annotations

import asyncio
from typing import Any

from workflows_app.actions.base import Context
from workflows_app.actions.tasks import task


@task
def task_a(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Say what it was given and hand it on: a plain function, run in a thread."""
    context.log(f"task_a got {sorted(params) or 'nothing'}")
    return {"task": "task_a", "params": params}


@task
async def task_b(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Take `seconds` (0.1 unless told, 60 at most) and report progress: a coroutine, run beside others."""
    seconds = min(60.0, max(0.0, float(params.get("seconds", 0.1))))
    for part in range(1, 5):
        await asyncio.sleep(seconds / 4)
        context.progress(part / 4)
    context.log(f"task_b took {seconds:g} s")
    return {"task": "task_b", "params": params, "seconds": seconds}


@task
def task_c(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Look at the steps before it: their outputs by step id."""
    context.log(f"task_c sees {', '.join(sorted(context.outputs)) or 'no step before it'}")
    return {"task": "task_c", "params": params, "upstream": sorted(context.outputs)}
