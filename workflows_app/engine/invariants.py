"""The invariant sweep: what should be impossible is looked for all the same, mended under the workflow's lock, and reported."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import Error

from workflows_app.engine import doorbell, mending
from workflows_app.models import Repair

logger = logging.getLogger(__name__)
SWEEP_SECONDS = 10.0
QUIET_SECONDS = 10.0
MOST_WORKFLOWS, MOST_STEPS, MOST_REMEMBERED = 1_000, 20_000, 50_000
SHARE = 20


class InvariantSweep:
    """Every SWEEP_SECONDS a look at the next workflows that have been quiet for a while; one that was found in order is looked at
    again when its `seq` has changed. It takes a twentieth of the time at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = 0.0
        self._after = 0
        self._in_order: OrderedDict[int, int] = OrderedDict()

    def look(self, *, now: datetime, monotonic: float) -> list[Repair]:
        """What was mended. `now` is the database's time."""
        if monotonic < self._next:
            return []
        began = self._clock()
        found = [*mending.end_leftover_steps(now=now), *self._examine(now)]
        self._next = monotonic + max(SWEEP_SECONDS, SHARE * (self._clock() - began))
        if found:
            report(found)
        return found

    def _examine(self, now: datetime) -> list[Repair]:
        repairs: list[Repair] = []
        for id, seq in self._due(now):
            repairs += _examined(id, now)
            self._in_order[id] = seq
            self._in_order.move_to_end(id)
        while len(self._in_order) > MOST_REMEMBERED:
            self._in_order.popitem(last=False)
        return repairs

    def _due(self, now: datetime) -> list[tuple[int, int]]:
        """Ids and `seq` of quiet workflows that are new or changed, after those of the last look, then from the first again."""
        rows = list(mending.quiet(now - timedelta(seconds=QUIET_SECONDS), after=self._after, most=MOST_WORKFLOWS))
        self._after = rows[-1][0] if len(rows) == MOST_WORKFLOWS else 0
        due, steps = [], 0
        for id, seq, total in rows:
            if self._in_order.get(id) != seq and (steps := steps + total) <= max(MOST_STEPS, total):
                due.append((id, seq))
        return due


def _examined(id: int, now: datetime) -> list[Repair]:
    """One that cannot be judged, for a hand took rows away, must not end the reaper: it is left alone until its `seq` changes."""
    try:
        return mending.examine(id, now=now)
    except Error:
        raise
    except Exception:
        logger.exception("Workflow %s cannot be judged", id)
        return []


def report(repairs: Sequence[Repair]) -> None:
    """In the program's log, and kept for the health page: each is a bug of ours, or somebody's hand in the database."""
    Repair.objects.bulk_create(repairs)
    for repair in repairs:
        logger.error("Mended what should be impossible (%s): %s", repair.kind, repair.detail)
    doorbell.ring()
