"""How log lines come to the ledger: a little at a time, so that one who says much holds up nobody."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from workflows_app.engine.outcomes import Outcome
from workflows_app.engine.runner import Run
from workflows_app.engine.transcript import Line, Room

FLUSH_SECONDS = 0.5


class LiveLines:
    """Of one drain. An outcome with more lines than one commit takes is `held` until those before are written: a later attempt must not
    be heard before the end of this one."""

    def __init__(self) -> None:
        self.held: list[Outcome] = []
        self.is_behind = False
        self._taken: list[Line] = []
        self._flushed = time.monotonic()

    def hold(self, outcome: Outcome) -> bool:
        """Whether the outcome has to wait for its own lines."""
        if not outcome.lines or _fits(outcome):
            return False
        self.held.append(outcome)
        self.is_behind = True
        return True

    def let_go(self) -> list[Outcome]:
        """Those whose last lines fit into one commit by now."""
        ready = [outcome for outcome in self.held if _fits(outcome)]
        self.held = [outcome for outcome in self.held if not _fits(outcome)]
        return ready

    def is_due(self) -> bool:
        return self.is_behind or time.monotonic() - self._flushed >= FLUSH_SECONDS

    def take(self, runs: Sequence[Run]) -> list[Line]:
        """What fits into one commit, of those who said little first. The same again until it is recorded."""
        if not self._taken and self.is_due():
            self._flushed, room = time.monotonic(), Room()
            self._taken = list(self._next(runs, room))
            self.is_behind = not room
        return self._taken

    def recorded(self) -> None:
        self._taken = []

    def _next(self, runs: Sequence[Run], room: Room) -> Iterator[Line]:
        for run in sorted(runs, key=lambda run: len(run.lines)):
            yield from run.take_lines(room)
        for outcome in self.held:
            yield from room.take(outcome.lines)


def _fits(outcome: Outcome) -> bool:
    room = Room()
    return len(outcome.lines) <= room.lines and sum(len(line["message"]) for line in outcome.lines) <= room.characters
