"""The thread that prunes, beside the reaper: every minute, in one group of all."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

from django.db import connection

from workflows_app.engine import lifecycle
from workflows_app.engine.clock import database_now
from workflows_app.engine.retention.pace import Interrupted, Pace
from workflows_app.engine.retention.pruning import Pruning
from workflows_app.engine.retention.turn import Busy, turn

logger = logging.getLogger(__name__)
EVERY_SECONDS = 60.0
FIRST_SECONDS = 10.0
FROM_START_SECONDS = 3600.0
SHARE = 0.05
NOUNS = {"workflow": "workflow", "step": "step", "attempt": "attempt", "logline": "log line"}
NOUNS |= {name: name for name in ("subscription", "notification", "event", "repair", "worker", "definition")}


class Pruner(threading.Thread):
    """Takes at most SHARE of the time. Once an hour it looks at everything from the start: templates and settings may have changed."""

    def __init__(self) -> None:
        super().__init__(name="pruner", daemon=True)
        self._pruning = Pruning(Pace(share=SHARE, is_over=lifecycle.is_draining))
        self._from_start: float | None = None

    def run(self) -> None:
        pause = threading.Event()
        pause.wait(FIRST_SECONDS)
        while not lifecycle.is_draining():
            self._look_patiently()
            pause.wait(EVERY_SECONDS)

    def _look_patiently(self) -> None:
        try:
            with turn():
                self.look()
        except (Busy, Interrupted):
            return
        except Exception:  # nothing may end it unnoticed: the database would grow for ever
            logger.exception("The pruner could not go on; it looks again in %s s", EVERY_SECONDS)
            connection.close()

    def look(self) -> None:
        """One pass."""
        is_whole = self._from_start is None or time.monotonic() - self._from_start >= FROM_START_SECONDS
        if is_whole:
            self._pruning.from_start()
            self._from_start = time.monotonic()
        pruned = self._pruning.run(now=database_now(), with_leftovers=is_whole)
        if pruned.counts.total():
            logger.info("Pruned what is older than it is kept: %s", in_words(pruned.counts))


def in_words(counts: Counter[str]) -> str:
    """`"3 workflows, 12 steps"`."""
    said = (f"{counts[name]:,} {noun}{'' if counts[name] == 1 else 's'}" for name, noun in NOUNS.items() if counts[name])
    return ", ".join(said) or "nothing"
