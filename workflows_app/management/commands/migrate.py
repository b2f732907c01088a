"""`manage.py migrate`: Django's own, one at a time and without the limits that statements have elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

TURN = 0x4859_4D47
UNLIMITED = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0"


class Command(migrate.Command):
    """A migration of a large table takes the time it takes, and of hosts that begin together one migrates and the others wait."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with _turn(connection) if connection.vendor == "postgresql" else nullcontext():
            super().handle(*args, **options)


@contextmanager
def _turn(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Hold the lock of this connection's session; afterwards the connection ends, and what was set on it."""
    with connection.cursor() as cursor:
        cursor.execute(UNLIMITED)
        cursor.execute("SELECT pg_advisory_lock(%s)", [TURN])
    try:
        yield
    finally:
        connection.close()
