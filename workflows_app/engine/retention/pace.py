"""How fast rows may be removed: each transaction short, with pauses between, so that whoever works is not held up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from workflows_app.engine.sql.transaction import Session, write

TARGET_SECONDS = 0.02
LEAST, MOST = 10, 5_000
LONGEST_PAUSE_SECONDS = 10.0


class Interrupted(Exception):
    """The process is leaving: the rest is removed another time."""


@dataclass
class Pace:
    """`size` is how many rows a transaction takes: as many as lately took TARGET_SECONDS. Work, the search for them included, takes
    `share` of the time."""

    share: float = 1.0
    is_over: Callable[[], bool] = lambda: False
    size: int = 100
    longest_seconds: float = 0.0
    _resumed: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """What went before was no work."""
        self._resumed = time.monotonic()

    @contextmanager
    def short(self) -> Iterator[Session]:
        """One transaction, measured from when it has the lock, and the pause after it. Raises Interrupted before, not within."""
        if self.is_over():
            raise Interrupted
        with write() as session:
            began = time.monotonic()
            yield session
        self._learn(time.monotonic() - began)

    def _learn(self, seconds: float) -> None:
        self.longest_seconds = max(self.longest_seconds, seconds)
        factor = min(1.5, max(0.1, TARGET_SECONDS / max(seconds, 1e-4)))
        self.size = int(min(MOST, max(LEAST, self.size * factor)))
        worked = time.monotonic() - self._resumed
        threading.Event().wait(min(LONGEST_PAUSE_SECONDS, worked * (1 / self.share - 1)))
        self.begin()
