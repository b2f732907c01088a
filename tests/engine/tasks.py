"""Custom tasks that do what a test tells them; `calls` keeps what was called, in order."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connections

from workflows_app.actions.base import Context, Fail, Retry, Wait
from workflows_app.actions.tasks import task

calls: list[str] = []
behaviours: dict[str, Callable[..., Any]] = {}
gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)
entered: defaultdict[str, threading.Event] = defaultdict(threading.Event)


def forget() -> None:
    for gate in gates.values():
        gate.set()
    for kept in (calls, behaviours, gates, entered):
        kept.clear()


@task
async def echo(params: dict[str, Any], context: Context) -> Any:
    """Return what it is given."""
    calls.append(context.step_id)
    return params.get("value", context.step_id)


@task
def echo_thread(params: dict[str, Any], context: Context) -> Any:
    """The same, as a plain function."""
    calls.append(context.step_id)
    return params.get("value", context.step_id)


@task
async def flaky(params: dict[str, Any], context: Context) -> int:
    """Fail so many `times` in the way `how` names, then return the number of the attempt."""
    calls.append(context.step_id)
    if calls.count(context.step_id) <= params.get("times", 10**9):
        raise _error(params.get("how", "retry"), params.get("after"))
    return context.attempt


def _error(how: str, after: float | None) -> BaseException:
    kinds: dict[str, BaseException] = {
        "retry": Retry("try again", after_seconds=after),
        "503": Retry("unavailable", kind="503", after_seconds=after),
        "fail": Fail("for good"),
        "error": RuntimeError("unforeseen"),
        "exit": SystemExit(7),
        "cancelled": asyncio.CancelledError(),
    }
    return kinds[how]


@task
async def wait_twice(params: dict[str, Any], context: Context) -> list[Any]:
    """Wait, wait again, and return what was kept meanwhile."""
    calls.append(context.step_id)
    seen = [*(context.resume or []), context.attempt]
    return seen if len(seen) == 3 else Wait(seconds=params.get("seconds", 60), state=seen, reason="a test")


@task
async def gated(params: dict[str, Any], context: Context) -> str:
    """Run until the test opens the gate of this step, or until cancelled."""
    calls.append(context.step_id)
    entered[context.step_id].set()
    while not gates[context.step_id].is_set():
        await asyncio.sleep(0.005)
    return "through"


@task
def gated_thread(params: dict[str, Any], context: Context) -> str:
    """The same in a thread, where nothing can interrupt it; says whether it was told to stop."""
    calls.append(context.step_id)
    entered[context.step_id].set()
    gates[context.step_id].wait(20)
    if context.cancelled:
        calls.append(f"{context.step_id} told")
    return "through"


@task
def behave(params: dict[str, Any], context: Context) -> Any:
    """Whatever the test put into `behaviours`; it may use the database."""
    calls.append(context.step_id)
    try:
        return behaviours[params["as"]](params, context)
    finally:
        connections.close_all()


@task
async def behave_async(params: dict[str, Any], context: Context) -> Any:
    """The same on the loop, without the database."""
    calls.append(context.step_id)
    return behaviours[params["as"]](params, context)


@task
async def together(params: dict[str, Any], context: Context) -> int:
    """Return when `of` steps have begun."""
    calls.append(context.step_id)
    while len(calls) < params["of"]:
        await asyncio.sleep(0.005)
    return len(calls)


@task
async def opens(params: dict[str, Any], context: Context) -> str:
    """Open the gate of another step."""
    calls.append(context.step_id)
    gates[params["gate"]].set()
    return "open"


@task
def flaky_thread(params: dict[str, Any], context: Context) -> int:
    """`flaky` as a plain function."""
    calls.append(context.step_id)
    if calls.count(context.step_id) <= params.get("times", 10**9):
        raise _error(params.get("how", "retry"), params.get("after"))
    return context.attempt


@task
async def pid(params: dict[str, Any], context: Context) -> dict[str, int]:
    """Say which process runs it."""
    return {"pid": os.getpid()}


@task
def pid_thread(params: dict[str, Any], context: Context) -> dict[str, int]:
    return {"pid": os.getpid()}


def _die(how: str) -> None:
    if how == "exit":
        os._exit(9)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.string_at(0)


@task
async def deadly(params: dict[str, Any], context: Context) -> None:
    """Take its process along."""
    _die(params["how"])


@task
def deadly_thread(params: dict[str, Any], context: Context) -> None:
    _die(params["how"])


@task
def hears_sigterm(params: dict[str, Any], context: Context) -> str:
    """Send itself what systemd sends to every process, and say whether it was told to leave for that."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.2)
    return "told to leave" if context.is_cancelled() else "not told"


@task
def forks_and_dies(params: dict[str, Any], context: Context) -> None:
    """Leave a process behind that holds whatever this one had open."""
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)


@task
def talkative(params: dict[str, Any], context: Context) -> None:
    """Say twenty things over a while, and how far it is."""
    for number in range(20):
        context.log(f"line {number}")
        context.report_progress(number / 20)
        time.sleep(0.03)


@task
def fails(params: dict[str, Any], context: Context) -> None:
    raise RuntimeError("as asked")


@task
def endless(params: dict[str, Any], context: Context) -> None:
    while True:
        time.sleep(0.05)


@task
def leaves_when_told(params: dict[str, Any], context: Context) -> None:
    """Run until it is cancelled, and leave a sign of having been told."""
    place = Path(params["place"])
    (place / "pid").write_text(str(os.getpid()))
    while not context.is_cancelled():
        time.sleep(0.02)
    (place / "told").touch()


@task
async def waits_for_gate(params: dict[str, Any], context: Context) -> None:
    place = Path(params["place"])
    (place / context.step_id).touch()
    while not (place / "gate").exists():
        await asyncio.sleep(0.02)
