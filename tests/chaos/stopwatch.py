"""How long a call takes, with the patience that a busy machine asks for, and how long processors worked for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection

from tests.processes.group import Group, cpu_seconds


def best(call: Callable[[], Any], *, below: float, tries: int = 3, clock: Callable[[], float] = time.monotonic) -> float:
    """Seconds of the fastest of a few tries, which end as soon as one is below the bound: what the machine did beside it is not ours."""
    found: list[float] = []
    while not found or (found[-1] > below and len(found) < tries):
        began = clock()
        call()
        found.append(clock() - began)
    return min(found)


def percentile(seconds: Sequence[float], part: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, round(part * (len(seconds) - 1)))]


def worked() -> float:
    """Seconds of processors so far of this process and, on PostgreSQL, of the one that serves it: on an idle machine, which has nobody
    else to serve, a call takes that long."""
    return cpu_seconds([os.getpid(), *servers("pid = pg_backend_pid()")])


def worked_by(group: Group) -> float:
    """The same of a group of workers. This process does not count: it asks again and again whether they have ended."""
    return cpu_seconds([*group.pids(), *servers("pid <> pg_backend_pid()")])


def servers(which: str) -> list[int]:
    """PostgreSQL's processes that serve connections of this database."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {which}")
        return [pid for (pid,) in cursor.fetchall()]


class Bounds:
    """Collects what was measured, and in the end fails with all that was above its bound."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[float, float]] = {}

    def take(
        self, what: str, call: Callable[[], Any], *, below: float, tries: int = 3, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.found[what] = best(call, below=below, tries=tries, clock=clock), below

    def add(self, what: str, seconds: float, *, below: float) -> None:
        self.found[what] = seconds, below

    @property
    def figures(self) -> str:
        return "; ".join(f"{what} {seconds * 1000:,.0f} ms" for what, (seconds, _) in self.found.items())

    def judge(self) -> None:
        slow = [f"{what}: {seconds:.3f} s, allowed {most} s" for what, (seconds, most) in self.found.items() if seconds > most]
        if slow:
            pytest.fail("\n".join(slow))
