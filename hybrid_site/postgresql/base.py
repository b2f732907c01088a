"""Where Django looks for the backend of `ENGINE = "hybrid_site.postgresql"`."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus, TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """Django sends `SELECT 1` before the first statement of each request: of a poll that finds nothing new a fifth of its time.
    A server that has gone away closed the connection or (keepalives) let the kernel do so: that can be seen here. One that
    vanished without a word would not answer the `SELECT 1` either."""

    def is_usable(self) -> bool:
        return self._is_at_rest() or bool(super().is_usable())

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
