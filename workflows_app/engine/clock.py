"""The database's clock: the only one that leases, timers and recorded times go by (docs/architecture.md)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection

from workflows_app.engine.sql.transaction import Row, ask

READ = "SELECT clock_timestamp()"


def database_now() -> datetime:
    """The database's time. SQLite lives in this process, so its clock is the host's."""
    if connection.vendor == "sqlite":
        return datetime.now(UTC)
    return now_and()[0]


def now_and(*statements: str) -> tuple[datetime, list[list[Row]]]:
    """The same, and what these statements find, which take no parameters: on PostgreSQL they are asked for together."""
    if connection.vendor == "sqlite":
        return database_now(), ask(*statements)
    *found, ((now,),) = ask(*statements, READ)
    return now, found


def parse(text: str) -> datetime:
    """A moment as the database wrote it."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Clock:
    """The database's time between two looks at it, carried by the monotonic clock: a step of the host's clock does not move it."""

    def __init__(self) -> None:
        self.set(datetime.now(UTC))

    def set(self, now: datetime) -> None:
        self._base, self._mark = now, time.monotonic()

    def now(self) -> datetime:
        return self._base + timedelta(seconds=time.monotonic() - self._mark)
