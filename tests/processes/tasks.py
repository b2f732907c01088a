"""Custom tasks of the process tests. Every call leaves a line in an append-only file: what was really started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from workflows_app.actions.base import Context
from workflows_app.actions.tasks import task

PLACE = Path(os.environ.get("HYBRID_TEST_PLACE", "."))


def _note(context: Context) -> None:
    line = f"{context.workflow_id} {context.step_id} {context.attempt} {os.getpid()} {context.idempotency_key}\n"
    descriptor = os.open(PLACE / "starts", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def _is_open(params: dict[str, Any]) -> bool:
    return (PLACE / params.get("gate", "gate")).exists()


@task
def mark(params: dict[str, Any], context: Context) -> int:
    """Begin and end."""
    _note(context)
    return context.attempt


@task
async def mark_async(params: dict[str, Any], context: Context) -> int:
    _note(context)
    return context.attempt


@task
def hold(params: dict[str, Any], context: Context) -> int:
    """Hold the thread until the gate is there."""
    _note(context)
    context.log("holding")
    while not _is_open(params):
        time.sleep(0.01)
    return context.attempt


@task
async def hold_async(params: dict[str, Any], context: Context) -> int:
    _note(context)
    while not _is_open(params):
        await asyncio.sleep(0.01)
    return context.attempt


@task
async def nap(params: dict[str, Any], context: Context) -> int:
    _note(context)
    await asyncio.sleep(params["seconds"])
    return context.attempt


@task
def die(params: dict[str, Any], context: Context) -> None:
    """Take the whole process along."""
    _note(context)
    os._exit(9)


@task
def stuck(params: dict[str, Any], context: Context) -> None:
    """Never return, whatever one is told."""
    _note(context)
    while True:
        time.sleep(0.05)


@task
async def block_the_loop(params: dict[str, Any], context: Context) -> None:
    """What a coroutine must not do: wait without awaiting."""
    _note(context)
    while not _is_open(params):
        time.sleep(0.05)


@task
def nap_thread(params: dict[str, Any], context: Context) -> int:
    _note(context)
    time.sleep(params["seconds"])
    return context.attempt


def _stamp(context: Context, word: str) -> None:
    descriptor = os.open(PLACE / "spans", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{time.monotonic()} {word} {context.step_id}\n".encode())
    os.close(descriptor)


@task
def span_thread(params: dict[str, Any], context: Context) -> int:
    """Take a while, and write down when it began and ended, on the clock that all processes share."""
    _stamp(context, "begin")
    time.sleep(params["seconds"])
    _stamp(context, "end")
    return context.attempt


@task
async def span(params: dict[str, Any], context: Context) -> int:
    _stamp(context, "begin")
    await asyncio.sleep(params["seconds"])
    _stamp(context, "end")
    return context.attempt


@task
def terminates_a_child(params: dict[str, Any], context: Context) -> dict[str, int]:
    """Fork a process, run a program, end both with SIGTERM, and say how they ended."""
    child = os.fork()
    if child == 0:
        while True:
            time.sleep(1)
    os.kill(child, signal.SIGTERM)
    forked = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with subprocess.Popen(["sleep", "60"]) as program:
        program.terminate()
        return {"forked": forked, "run": program.wait()}


@task
def take_memory(params: dict[str, Any], context: Context) -> int:
    """Fill so much memory and let go of it."""
    return len(bytearray(params["megabytes"] * 2**20))
