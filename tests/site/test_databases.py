"""How the database is reached: limits and keepalives on PostgreSQL, what a URL says for itself, migrations without limits."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from hybrid_site import databases
from hybrid_site.env import Env
from hybrid_site.postgresql import base
from tests.processes.group import shared_database, until
from workflows_app.management.commands import migrate

only_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="about PostgreSQL")


def configured(url: str, **values: Any) -> dict[str, Any]:
    return databases.configured(Env(_env_file=None, database_url=url, **values), Path("var"))


def test_postgresql_has_limits_unless_they_are_set_to_zero() -> None:
    options = configured("postgres://u:p@h/n", database_lock_timeout=2.5, database_statement_timeout=0)["OPTIONS"]
    assert options["connect_timeout"] == 5 and options["keepalives"] == 1
    for setting in ("statement_timeout=0", "lock_timeout=2500", "idle_in_transaction_session_timeout=60000"):
        assert f"-c {setting}" in options["options"]


def test_what_the_url_says_wins() -> None:
    url = "postgres://u:p@h/n?sslmode=require&connect_timeout=9&options=-c%20lock_timeout%3D77%20-c%20search_path%3Dours"
    options = configured(url)["OPTIONS"]
    assert (options["sslmode"], int(options["connect_timeout"])) == ("require", 9)
    assert options["options"].endswith(" -c lock_timeout=77 -c search_path=ours")
    assert "-c statement_timeout=30000" in options["options"]


def test_statements_are_prepared_unless_the_url_says_that_a_pooler_does_not_know_them() -> None:
    assert configured("postgres://u:p@h/n")["OPTIONS"]["prepare_threshold"] == 2
    assert configured("postgres://u:p@h/n?prepare_threshold=none")["OPTIONS"]["prepare_threshold"] is None


def test_connections_of_requests_are_checked_before_use_and_kept() -> None:
    found = configured("postgres://u:p@h/n")
    assert found["CONN_HEALTH_CHECKS"] is True and found["CONN_MAX_AGE"] is None and found["ENGINE"] == "hybrid_site.postgresql"


def fresh_check() -> None:
    """As at the beginning of a request."""
    connection.health_check_done = False
    connection.health_check_enabled = True


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """What is sent to the server, by Django or past it, of statements that ask whether it is there."""
    heard: list[str] = []
    execute = psycopg.Cursor.execute

    def hear(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        heard.append(str(query))
        return execute(self, query, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", hear)
        yield heard


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_at_rest_is_asked_now_and_then_whether_it_lives(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    monkeypatch.setattr(connection, "_answered_at", float("-inf"))
    fresh_check()
    asked.clear()
    assert connection.is_usable() and asked == ["SELECT 1"]
    assert connection.is_usable() and asked == ["SELECT 1"]
    connection.errors_occurred = True
    assert connection.is_usable() and asked == ["SELECT 1"] * 2
    connection.errors_occurred = False
    connection.connection.execute("BEGIN")
    assert connection.is_usable() and asked[2:] == ["BEGIN", "SELECT 1"]
    connection.connection.rollback()
    asked.clear()
    monkeypatch.setattr(base, "TRUSTED_SECONDS", 0.0)
    assert connection.is_usable() and asked == ["SELECT 1"]


class Forgetful:
    """Stands before the server as a host, a router or a pooler does; once it has forgotten, it answers whatever comes with a reset."""

    def __init__(self, host: str, port: int) -> None:
        self._server, self._listener = (host, port), socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.has_forgotten = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, server = self._listener.accept()[0], socket.create_connection(self._server)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(*pair, pair[0] is client), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with suppress(OSError):
            while said := source.recv(65_536):
                if is_client and self.has_forgotten.is_set():
                    self.has_forgotten.clear()
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    source.close()
                    target.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(said)


@pytest.fixture
def forgetful() -> Iterator[tuple[Forgetful, Any]]:
    """And a connection through it."""
    ours = connections.create_connection("default")
    found = ours.settings_dict
    between = Forgetful(found["HOST"], int(found["PORT"]))
    ours.settings_dict = {**found, "HOST": "127.0.0.1", "PORT": between.port}
    yield between, ours
    ours.close()
    between.close()


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_one_that_was_forgotten_while_nobody_used_it_is_opened_anew(forgetful: tuple[Forgetful, Any]) -> None:
    """Nothing is to be seen at the socket until something is sent."""
    between, ours = forgetful
    ours.ensure_connection()
    assert ours.is_usable()
    ours._answered_at -= base.TRUSTED_SECONDS
    ours.health_check_enabled, ours.health_check_done = True, False
    between.has_forgotten.set()
    with ours.cursor() as cursor:
        cursor.execute("SELECT 42")
        assert cursor.fetchone() == (42,)
    assert not between.has_forgotten.is_set()


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_one_that_the_server_closed_is_opened_anew_before_its_first_statement(asked: list[str]) -> None:
    connection.ensure_connection()
    before = connection.connection.info.backend_pid
    assert connection.is_usable()  # so that for some seconds only the look at the socket can tell
    with psycopg.connect(shared_database()["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [before])
        until("it is gone", lambda: not other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [before]).fetchall())
    fresh_check()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] != before


@only_postgres
@pytest.mark.django_db
def test_no_connection_is_not_usable() -> None:
    assert not connections.create_connection("default").is_usable()


def test_sqlite_has_no_part_in_this() -> None:
    assert "options" not in configured("sqlite:////data/x.sqlite3")["OPTIONS"]
    assert configured("")["NAME"] == "var/hybrid.sqlite3"


@only_postgres
@pytest.mark.django_db
def test_the_server_was_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', 'jit', "
            "'idle_in_transaction_session_timeout')"
        )
        told = dict(cursor.fetchall())
    assert told == {"statement_timeout": "30000", "lock_timeout": "10000", "idle_in_transaction_session_timeout": "60000", "jit": "off"}


@only_postgres
@pytest.mark.django_db
def test_a_statement_that_takes_too_long_is_an_operational_error() -> None:
    with pytest.raises(OperationalError, match="statement timeout"), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 50; SELECT pg_sleep(10)")


@pytest.fixture
def slow_migrations(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Migrating takes longer than any statement may here; what was seen of the limits meanwhile."""
    seen: list[str] = []

    def migrate_slowly(self: MigrationExecutor, *args: Any, **kwargs: Any) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(setting, ' ') FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout')")
            seen.append(cursor.fetchone()[0])
        return self.loader.project_state()

    monkeypatch.setattr(MigrationExecutor, "migrate", migrate_slowly)
    yield seen


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_a_migration_has_no_limit_and_leaves_none_behind(slow_migrations: list[str]) -> None:
    call_command("migrate", verbosity=0)
    assert slow_migrations == ["0 0"]
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone()[0] == "10s"


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_who_migrate_one_waits(slow_migrations: list[str]) -> None:
    with psycopg.connect(shared_database()["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [migrate.TURN])
        thread = threading.Thread(target=lambda: (call_command("migrate", verbosity=0), connections.close_all()))
        thread.start()
        until("it waits", lambda: other.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone())
        assert slow_migrations == []
    thread.join(20)
    assert slow_migrations == ["0 0"]
