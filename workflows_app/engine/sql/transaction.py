"""Short write transactions, in turn: a fair lock before SQLite's own, and plain access to the driver."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections, transaction
from pydantic_core import to_json

from workflows_app.engine import site
from workflows_app.engine.sql.statements import Statements, for_vendor

Row = Sequence[Any]
Request = tuple[str, dict[str, object]]
_local = threading.local()


class Session:
    """The engine's statements on this thread's connection, without the ORM's wrapping."""

    def __init__(self) -> None:
        wrapper = connections[DEFAULT_DB_ALIAS]  # the proxy `connection` looks itself up at every access
        wrapper.close_if_health_check_failed()  # as the ORM does: of a request's connection that broke since the last one
        wrapper.ensure_connection()
        self.statements: Statements = for_vendor(wrapper.vendor)
        self._driver: Any = wrapper.connection
        self._errors = wrapper.wrap_database_errors
        self._waiting: list[Request] = []

    def run(self, statement: str, **params: object) -> list[Row]:
        """Execute and fetch what it returns. A list of dicts travels as JSON, a moment as the database writes it."""
        with self._errors:
            if self.statements.dialect.is_sqlite:
                return self._on_sqlite(statement, self._bound(params))
            return self._exchange((statement, self._bound(params)))[-1]

    def run_both(self, first: str, second: str, **params: object) -> tuple[list[Row], list[Row]]:
        """Two statements with the same parameters, one after the other; what each returns. On PostgreSQL they travel together."""
        if self.statements.dialect.is_sqlite:
            return self.run(first, **params), self.run(second, **params)
        with self._errors:
            bound = self._bound(params)
            *_, one, other = self._exchange((first, bound), (second, bound))
            return one, other

    def read(self, *statements: str) -> list[list[Row]]:
        """What each of these, which take no parameters, finds. On PostgreSQL they travel together."""
        if self.statements.dialect.is_sqlite:
            return [self.run(statement) for statement in statements]
        with self._errors:
            return self._exchange(*((statement, {}) for statement in statements))[-len(statements) :]

    def soon(self, statement: str, **params: object) -> None:
        """Execute it together with the next statement, or before the commit: what it returns is of no interest. On PostgreSQL that
        saves waiting for an answer; SQLite has nobody to wait for."""
        if self.statements.dialect.is_sqlite:
            self.run(statement, **params)
        else:
            self._waiting.append((statement, self._bound(params)))

    def settle(self) -> None:
        """Execute what waits."""
        if self._waiting:
            with self._errors:
                self._exchange()

    def conclude(self) -> None:
        """Execute what waits and, in the outermost transaction, commit in the same exchange: Django, whose turn is next, finds nothing
        left to commit. When the answer is lost nobody knows whether it was done, just as with a commit of its own."""
        if self._waiting and self._is_outermost():
            self._waiting.append(("COMMIT", {}))
        self.settle()

    def time(self, moment: datetime | None) -> str | None:
        return self.statements.dialect.time(moment)

    def _is_outermost(self) -> bool:
        wrapper = connections[DEFAULT_DB_ALIAS]
        return len(wrapper.atomic_blocks) == 1 and not wrapper.needs_rollback

    def _on_sqlite(self, statement: str, bound: dict[str, object]) -> list[Row]:
        cursor = self._driver.execute(statement, bound)
        return cursor.fetchall() if cursor.description else []

    def _exchange(self, *last: Request) -> list[list[Row]]:
        waiting, self._waiting = self._waiting, []
        rows: list[list[Row]] = _wire().exchange(self._driver, [*waiting, *last])
        return rows

    def _bound(self, params: dict[str, object]) -> dict[str, object]:
        return {name: self._bind(value) for name, value in params.items()}

    def _bind(self, value: object) -> object:
        if isinstance(value, list):
            return to_json(value).decode()
        return self.time(value) if isinstance(value, datetime) else value


@cache
def _wire() -> Any:
    """Known only where there is PostgreSQL's driver: SQLite needs none."""
    from workflows_app.engine.sql import wire

    return wire


def ask(*statements: str) -> list[list[Row]]:
    """`Session.read` as the first thing that a request does: it is then the check, too, that the connection still works since the
    last one. If it does not, the next one is asked."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    if wrapper.connection is None or wrapper.in_atomic_block or wrapper.health_check_done or not wrapper.health_check_enabled:
        return Session().read(*statements)
    wrapper.health_check_done = True
    try:
        return Session().read(*statements)
    except (OperationalError, InterfaceError):
        wrapper.close()
        return Session().read(*statements)


@contextmanager
def write() -> Iterator[Session]:
    """One transaction that may write. On SQLite writers queue on a file lock first: the kernel wakes the next at once,
    where SQLite's busy handler sleeps and can starve one."""
    with _turn(), transaction.atomic():
        session = Session()
        yield session
        session.conclude()


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
