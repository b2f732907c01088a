"""A worker group under a process manager, the work it does, and kill -9 falling on it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.processes.conftest import alive, begin
from tests.processes.group import Group, shared_database, until
from tests.processes.test_up import free_port
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.models import Workflow

PATIENT = RetryPolicy(retries=50, initial_delay=0)
FROZEN_SECONDS = 10.0


class Watched:
    """`manage.py worker` (or `up`), started again as soon as it has ended, as its process manager would. Leave it to end it."""

    def __init__(self, place: Path, command: str = "worker", **environment: str) -> None:
        self.place, self.command = place, [command, "--skip-checks"]
        chosen = {"MAX_PARALLEL_NODES": "4", "WEB_PROCESSES": "1", "PORT": str(free_port()), **environment}
        self.environment = {**shared_database(), **chosen}
        self.starts = 0
        self.group = self._start()

    def __enter__(self) -> Watched:
        try:
            self.is_there()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.group.destroy()
        print(self.group.said())

    def tend(self) -> None:
        """Start it anew when its first process has ended; the kernel ends the others with it."""
        if self.group.process.poll() is not None:
            until("the orphans are gone", lambda: not self.group.pids(), seconds=10)
            self.group = self._start()

    def is_there(self) -> None:
        """All of it runs: the workers and those who look after them."""
        until("the workers are there", lambda: self.tend() or len(alive()) >= self.workers)
        try:
            until("it has its processes", lambda: self.tend() or len(self.group.pids()) == self.size)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.size} of them, and there are\n{self._tree()}") from None

    def _tree(self) -> str:
        group = self.group
        return "\n".join(f"{parent} is the parent of {group.children(parent)}" for parent in group.pids() if group.children(parent))

    @property
    def workers(self) -> int:
        return int(self.environment["MAX_PARALLEL_NODES"])

    @property
    def size(self) -> int:
        """How many processes it has when nobody is missing: main, sentinel, monitor and pusher besides the workers; with `up` its own
        first process and two for the web, too."""
        return self.workers + (7 if self.command[0] == "up" else 4)

    def _start(self) -> Group:
        self.starts += 1
        return Group(self.place, *self.command, **self.environment)


@dataclass
class Storm:
    """Kills one process at random again and again until what it is told has ended; sees the longest time without a start."""

    watched: Watched
    dice: random.Random
    progress: Callable[[], int]
    every_seconds: float = 2.0
    kills: int = 0
    silences: list[float] = field(default_factory=list)

    def rage(self, is_over: Callable[[], bool], *, seconds: float) -> float:
        """How long it took."""
        began = time.monotonic()
        self._seen, self._moved, self._next = self.progress(), began, began + self.every_seconds
        until("the storm is over", lambda: self._blow() or is_over(), seconds=seconds)
        return time.monotonic() - began

    @property
    def frozen(self) -> int:
        return sum(silence > FROZEN_SECONDS for silence in self.silences)

    def _blow(self) -> None:
        self.watched.tend()
        now, seen = time.monotonic(), self.progress()
        if seen != self._seen:
            self.silences.append(now - self._moved)
            self._seen, self._moved = seen, now
        if now >= self._next:
            self._next += self.every_seconds
            self._strike()

    def _strike(self) -> None:
        """Each process of a whole group is as likely as any other. One that is not there yet is missed: else a group that is just
        starting, which is one process still, would be hit every time."""
        pids, seat = self.watched.group.pids(), self.dice.randrange(self.watched.size)
        if seat < len(pids):
            self.watched.group.kill(pids[seat])
            self.kills += 1


Compared = TypeVar("Compared")


def compared(compare: Callable[[], Compared], *, is_good: Callable[[Compared], bool]) -> list[Compared]:
    """The disturbed run and the undisturbed one, in the same minute; both once more when the bound was not kept: what else the machine
    did during one of them is not ours."""
    found = [compare()]
    return found if is_good(found[0]) else [*found, compare()]


def layered(url: str, *, layers: int, width: int = 25) -> list[Node]:
    """Threads, coroutines and calls to a server outside, each taking a while; every step needs some of the layer before."""
    ids = [[f"n{layer}x{place}" for place in range(width)] for layer in range(layers)]
    return [
        _step(id, url, place, tuple(ids[layer - 1][place % 5 :: 5]) if layer else ())
        for layer, row in enumerate(ids)
        for place, id in enumerate(row)
    ]


def quick(count: int) -> list[Node]:
    """Ten chains side by side of steps that take no time."""
    return [
        Node(f"n{number}", "mark" if number % 3 else "mark_async", needs=(f"n{number - 10}",) if number >= 10 else (), retry=PATIENT)
        for number in range(count)
    ]


def submit(nodes: Sequence[Node], count: int, *, name: str) -> list[Workflow]:
    return [begin(*nodes, name=f"{name} {number}") for number in range(count)]


def have_ended(runs: Sequence[Workflow]) -> bool:
    return not Workflow.objects.filter(pk__in=[run.pk for run in runs]).active().exists()


def starts_seen(place: Path) -> Callable[[], int]:
    """Grows with every start of a step that is written down."""
    file = place / "starts"
    return lambda: file.stat().st_size if file.exists() else 0


def _step(id: str, url: str, place: int, needs: tuple[str, ...]) -> Node:
    if place % 3 == 0:
        return Node(id, "nap_thread", needs=needs, config={"seconds": 0.06}, retry=PATIENT)
    if place % 3 == 1:
        return Node(id, "nap", needs=needs, config={"seconds": 0.05}, retry=PATIENT)
    return Node(id, "http_call", needs=needs, config={"url": url, "method": "POST", "json": {"step": id}}, retry=PATIENT)
