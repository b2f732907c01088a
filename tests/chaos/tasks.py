"""Custom tasks of the chaos suite: poison of every kind."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import Any

from tests.processes.tasks import PLACE, _note
from workflows_app.actions.base import Context
from workflows_app.actions.tasks import task

MODULES = "tests.processes.tasks,tests.chaos.tasks"
MEGABYTE = 1_000_000


@task
def hold_first(params: dict[str, Any], context: Context) -> int:
    """Hold the thread until the gate of this attempt is there."""
    _note(context)
    while not (PLACE / f"{context.workflow_id}.{context.attempt}").exists():
        time.sleep(0.01)
    return context.attempt


@task
def poison_exit(params: dict[str, Any], context: Context) -> None:
    _note(context)
    os._exit(7)


@task
def poison_segfault(params: dict[str, Any], context: Context) -> None:
    _note(context)
    ctypes.string_at(0)


@task
def poison_killed(params: dict[str, Any], context: Context) -> None:
    """What the kernel does to a process that took the last of the memory."""
    _note(context)
    os.kill(os.getpid(), signal.SIGKILL)


@task
def poison_memory(params: dict[str, Any], context: Context) -> int:
    """More than any machine has: Python is refused it."""
    _note(context)
    return len(bytearray(1 << 50))


@task
def poison_loop(params: dict[str, Any], context: Context) -> None:
    _note(context)
    while True:
        pass


@task
def poison_output(params: dict[str, Any], context: Context) -> list[str]:
    """1 GB as JSON, and one megabyte in memory: whoever refuses it has to do so before it is written out."""
    _note(context)
    return ["x" * MEGABYTE] * 1000


@task
def poison_error(params: dict[str, Any], context: Context) -> None:
    _note(context)
    raise RuntimeError("x" * 10 * MEGABYTE)
