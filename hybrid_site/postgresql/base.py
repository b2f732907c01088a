"""Where Django looks for the backend of `ENGINE = "hybrid_site.postgresql"`."""

from __future__ import annotations

import select
import time

from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus, TransactionStatus

TRUSTED_SECONDS = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django sends `SELECT 1` before the first statement of each request: of a poll that finds nothing new a fifth of its time.
    Here a connection is asked that was not for some seconds; within them a look at its socket is enough. A server that goes away closes it
    as a rule; one that forgot it (a new host at the old address) says so only to who sends something."""

    _answered_at = float("-inf")

    def is_usable(self) -> bool:
        if self._is_at_rest() and time.monotonic() - self._answered_at < TRUSTED_SECONDS:
            return True
        is_there = bool(super().is_usable())
        self._answered_at = time.monotonic() if is_there else float("-inf")
        return is_there

    def _is_at_rest(self) -> bool:
        """Nothing went wrong, nothing is under way, and the server said nothing of its own accord, such as good-bye."""
        if self.connection is None or self.errors_occurred:
            return False
        link = self.connection.pgconn
        if link.status != ConnStatus.OK or link.transaction_status != TransactionStatus.IDLE:
            return False
        watch = select.poll()
        watch.register(link.socket, select.POLLIN)
        return not watch.poll(0)
