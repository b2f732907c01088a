"""Custom tasks that earlier releases ran too: written in what all of them offer."""

from __future__ import annotations

import asyncio
from typing import Any

from workflows_app.actions.base import Context, Retry
from workflows_app.actions.tasks import task


@task
async def slow(params: dict[str, Any], context: Context) -> int:
    """Take a while."""
    context.log(f"slow for {params['seconds']} s")
    await asyncio.sleep(params["seconds"])
    return context.attempt


@task
def shaky(params: dict[str, Any], context: Context) -> int:
    """Succeed at the third attempt."""
    if context.attempt < 3:
        raise Retry(f"attempt {context.attempt} is one of the shaky ones")
    return context.attempt
