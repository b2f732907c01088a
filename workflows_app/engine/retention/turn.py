"""One process at a time prunes: on SQLite a lock of the data directory, on PostgreSQL one of the database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from workflows_app.engine import site

ADVISORY_KEY = 0x48594252_50524E  # "HYBR PRN"


class Busy(RuntimeError):
    """Somebody else is pruning."""

    def __init__(self) -> None:
        super().__init__("another process is pruning this database; it goes on by itself, or try again in a minute")


@contextmanager
def turn() -> Iterator[None]:
    """Hold the turn. Raises Busy."""
    if connection.vendor == "sqlite":
        with _of_directory():
            yield
    else:
        with _of_database():
            yield


@contextmanager
def _of_directory() -> Iterator[None]:
    try:
        descriptor = site.hold("pruner")
    except OSError:
        raise Busy from None
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _of_database() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_KEY])
        if not cursor.fetchone()[0]:
            raise Busy
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_KEY])
