"""The thread that fires schedules, beside the reaper: in every group, for who is first does it."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from django.db import connection

from workflows_app.engine import lifecycle, schedules
from workflows_app.engine.clock import database_now

logger = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
SHORTEST_SECONDS = 0.01


class Ticker(threading.Thread):
    """Looks once a second, and when the next time comes: between two looks somebody may have made another schedule."""

    def __init__(self) -> None:
        super().__init__(name="ticker", daemon=True)

    def run(self) -> None:
        pause = threading.Event()
        while not lifecycle.is_draining():
            pause.wait(self._look_patiently())

    def _look_patiently(self) -> float:
        """How long to wait for the next look."""
        try:
            return self.look(now=database_now())
        except Exception:  # nothing may end it unnoticed: no schedule would ever fire again
            logger.exception("The ticker could not go on; it looks again in %s s", LOOK_SECONDS)
            connection.close()
            return LOOK_SECONDS

    def look(self, *, now: datetime) -> float:
        """One look: an entry of an index when nothing is due."""
        soonest = schedules.soonest()
        if soonest is not None and soonest <= now:
            started = schedules.fire_due(now=now)
            logger.info("Schedules started %s workflow%s", started, "" if started == 1 else "s")
            return SHORTEST_SECONDS
        return LOOK_SECONDS if soonest is None else min(LOOK_SECONDS, max(SHORTEST_SECONDS, (soonest - now).total_seconds()))
