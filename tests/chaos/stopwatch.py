"""How long a call takes, with the patience that a busy machine asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest


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
