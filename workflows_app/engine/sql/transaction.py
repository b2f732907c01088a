"""Short write transactions, in turn: a fair lock before SQLite's own, and plain access to the driver."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from pydantic_core import to_json

from workflows_app.engine import site
from workflows_app.engine.sql.statements import Statements, for_vendor

Row = Sequence[Any]
_local = threading.local()


class Session:
    """The engine's statements on this thread's connection, without the ORM's wrapping."""

    def __init__(self) -> None:
        wrapper = connections[DEFAULT_DB_ALIAS]  # the proxy `connection` looks itself up at every access
        wrapper.close_if_health_check_failed()  # as the ORM does: of a request's connection that broke since the last one
        wrapper.ensure_connection()
        self.statements: Statements = for_vendor(wrapper.vendor)
        self._execute = _executor(wrapper)
        self._errors = wrapper.wrap_database_errors

    def run(self, statement: str, **params: object) -> list[Row]:
        """Execute and fetch what it returns. A list of dicts travels as JSON, a moment as the database writes it."""
        bound = {name: self._bind(value) for name, value in params.items()}
        with self._errors:
            cursor = self._execute(statement, bound)
            return cursor.fetchall() if cursor.description else []

    def time(self, moment: datetime | None) -> str | None:
        return self.statements.dialect.time(moment)

    def _bind(self, value: object) -> object:
        if isinstance(value, list):
            return to_json(value).decode()
        return self.time(value) if isinstance(value, datetime) else value


def _executor(wrapper: BaseDatabaseWrapper) -> Callable[[str, Mapping[str, object]], Any]:
    """Django's own cursors write parameters into the text, so that PostgreSQL would plan every statement anew each time."""
    if wrapper.vendor == "sqlite":
        return cast(Callable[..., Any], wrapper.connection.execute)
    from psycopg import Cursor

    return Cursor(wrapper.connection).execute


@contextmanager
def write() -> Iterator[Session]:
    """One transaction that may write. On SQLite writers queue on a file lock first: the kernel wakes the next at once,
    where SQLite's busy handler sleeps and can starve one."""
    with _turn(), transaction.atomic():
        yield Session()


@contextmanager
def snapshot() -> Iterator[None]:
    """Several reads of one moment: a workflow and its steps agree although workers go on. Read only, holds nobody up."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        Session().run("BEGIN DEFERRED")  # Django would begin a transaction that writes
        try:
            yield
        finally:
            Session().run("COMMIT")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


@contextmanager
def _turn() -> Iterator[None]:
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    descriptor = _lock_file()
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _lock_file() -> int:
    """One descriptor per thread and process: this lock belongs to the open file, which a fork would share."""
    if getattr(_local, "pid", None) != os.getpid():
        _local.descriptor = os.open(site.run_directory() / "write.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _local.pid = os.getpid()
    return int(_local.descriptor)
