"""Several statements in one exchange with PostgreSQL: what each returns, what an error leaves behind, what a lost connection does."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DataError, OperationalError, connection

from workflows_app.engine.sql.transaction import Session, write
from workflows_app.models import Definition

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has nobody to wait for"),
]
ADD = "INSERT INTO workflows_app_definition (digest, body, node_count, created_at) VALUES (CAST(%(digest)s AS text), '{}', 1, now())"
DIVIDE = "SELECT 1 / CAST(%(by)s AS int)"


def stored() -> set[str]:
    return set(Definition.objects.values_list("digest", flat=True))


@pytest.fixture(params=[0, None], ids=["prepared", "not prepared"])
def driver(request: pytest.FixtureRequest) -> Any:
    """The connection, with and without prepared statements: a pooler may not take them."""
    connection.ensure_connection()
    driver: Any = connection.connection
    driver.prepare_threshold = request.param
    return driver


def test_each_statement_returns_its_own_rows(driver: Any) -> None:
    with write() as session:
        session.soon(ADD, digest="a")
        for _ in range(2):
            first, second = session.run_both("SELECT CAST(%(n)s AS int), NULL", "SELECT CAST(%(n)s AS int) + 1", n=6)
            assert (first, second) == ([(6, None)], [(7,)])
    assert stored() == {"a"}


def test_an_error_undoes_what_went_along_and_leaves_a_good_connection(driver: Any) -> None:
    with pytest.raises(DataError, match="division by zero"), write() as session:
        session.soon(ADD, digest="a")
        session.soon(DIVIDE, by=0)
        session.soon(ADD, digest="b")
    assert stored() == set()
    with write() as session:
        session.soon(ADD, digest="c")
        assert session.run(DIVIDE, by=1) == [(1,)]
    assert stored() == {"c"}
    assert connection.connection is driver


def test_what_waits_is_executed_and_committed_at_once_and_only_at_the_outermost_end(driver: Any) -> None:
    with pytest.raises(ZeroDivisionError), write():
        with write() as inner:
            inner.soon(ADD, digest="a")
        1 / 0  # noqa: B018
    assert stored() == set()


def test_a_lost_connection_is_an_error_of_the_database_and_the_next_one_is_new(driver: Any) -> None:
    with pytest.raises(OperationalError), write() as session:
        session.soon(ADD, digest="a")
        session.run("SELECT pg_terminate_backend(pg_backend_pid())")
    assert Session().run(DIVIDE, by=1) == [(1,)]
    assert stored() == set()


def test_much_travels_both_ways_at_once(driver: Any) -> None:
    """More than the buffers of both sides hold: who only sends would wait for a server that waits to be read."""
    many = "x" * 4_000_000
    with write() as session:
        for _ in range(8):
            session.soon("SELECT CAST(%(text)s AS text)", text=many)
        assert session.run("SELECT CAST(%(text)s AS text)", text=many) == [(many,)]
