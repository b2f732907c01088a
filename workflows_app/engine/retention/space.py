"""The file of an SQLite database becomes smaller when rows are gone: free pages are given back a few at a time.

PostgreSQL's autovacuum does the same for its tables by itself."""

from __future__ import annotations

import time
from typing import Any

from django.db import connection

from workflows_app.engine.retention.pace import TARGET_SECONDS, Pace
from workflows_app.engine.sql.transaction import Session

INCREMENTAL = 2
KEPT_PAGES = 1_000


def can_shrink() -> bool:
    """Whether the file gives pages back: files of early releases do not before they are written anew once."""
    return connection.vendor != "sqlite" or _pragma("auto_vacuum") == INCREMENTAL


def give_back(pace: Pace) -> int:
    """Shrink the file by its free pages but KEPT_PAGES, which the next workflows take; how many bytes it gave back."""
    if connection.vendor != "sqlite" or not can_shrink():
        return 0
    given = 0
    while (free := _pragma("freelist_count") - KEPT_PAGES) > 0:
        with pace.short() as session:
            given += _give_back(session, free)
    if given:
        _run("PRAGMA wal_checkpoint(PASSIVE)")
    return given * _pragma("page_size")


def _give_back(session: Session, most: int) -> int:
    """As many pages as there is time for. Python's driver steps once through this statement, which frees one page a step."""
    until, count = time.monotonic() + TARGET_SECONDS, 0
    while count < most and (count % 16 or time.monotonic() < until):
        session.run("PRAGMA incremental_vacuum(1)")
        count += 1
    return count


def rewrite() -> tuple[int, int]:
    """Write the whole file anew, which makes one of an early release able to shrink; its size before and after. Everybody else has to
    wait meanwhile. Raises OperationalError when somebody works."""
    before = size()
    _run("PRAGMA auto_vacuum = INCREMENTAL")
    _run("VACUUM")
    _run("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, size()


def size() -> int:
    """Bytes of the database file."""
    return _pragma("page_count") * _pragma("page_size")


def _pragma(name: str) -> int:
    return int(_run(f"PRAGMA {name}")[0][0])


def _run(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []
