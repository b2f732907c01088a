"""How fast rows may be removed: each transaction short, with pauses between, so that whoever works is not held up."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from workflows_app.engine.sql.transaction import Session, write

TARGET_SECONDS = 0.008
LEAST, MOST = 50, 5_000
REMEMBERED = 1_000
LONGEST_PAUSE_SECONDS = 10.0


class Interrupted(Exception):
    """The process is leaving: the rest is removed another time."""


@dataclass
class Pace:
    """`size` is how many rows a transaction takes: as many as lately took TARGET_SECONDS. Work, the search for them included, takes
    `share` of the time. `held_seconds`: how long the last transactions held the lock."""

    share: float = 1.0
    is_over: Callable[[], bool] = lambda: False
    size: int = 500
    held_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
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
            done = time.monotonic()
        self.held_seconds.append(time.monotonic() - began)
        self._learn(done - began)

    def _learn(self, seconds: float) -> None:
        """From the statements alone: what the disk takes for the commit hardly depends on the size."""
        factor = min(1.5, max(0.1, TARGET_SECONDS / max(seconds, 1e-4)))
        self.size = int(min(MOST, max(min(LEAST, self.size), self.size * factor)))
        worked = time.monotonic() - self._resumed
        threading.Event().wait(min(LONGEST_PAUSE_SECONDS, worked * (1 / self.share - 1)))
        self.begin()
