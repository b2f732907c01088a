"""Rings told between hosts: coalesced, outside every transaction, never a burden for who rings, and heard again after an outage."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from tests.processes.group import shared_database, until
from workflows_app.engine import crier, doorbell, site

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite means one host"),
]


class Notices:
    """What a connection of its own hears on the channel, everybody's."""

    def __init__(self) -> None:
        self._driver = psycopg.connect(shared_database()["DATABASE_URL"], autocommit=True)
        self._driver.execute(f'LISTEN "{crier.CHANNEL}"')

    def heard(self, seconds: float) -> list[str]:
        return [notice.payload.partition(":")[2] for notice in self._driver.notifies(timeout=seconds)]

    def close(self) -> None:
        self._driver.close()


@pytest.fixture
def notices() -> Iterator[Notices]:
    crier.rest()
    found = Notices()
    yield found
    found.close()
    crier.rest()


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def listener(heard: list[str], notices: Notices) -> Iterator[crier.Listener]:
    """One that has connected."""
    found = crier.Listener(on_ring=heard.append)
    found.start()
    until("it listens", lambda: heard)
    heard.clear()
    yield found
    found.stop()


def cry_from_elsewhere(message: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [crier.CHANNEL, f"another-site:{message}"])


def backends(text: str) -> list[int]:
    """Server processes whose last statement was this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s", [f"%{text}%"])
        return [row[0] for row in cursor.fetchall() if row[0] != connection.connection.info.backend_pid]


def test_a_ring_is_told_to_other_hosts_with_its_message(notices: Notices) -> None:
    doorbell.ring("stop")
    assert notices.heard(0.5) == ["stop"]


def test_a_thousand_rings_are_told_a_few_times_and_the_last_one_is(notices: Notices) -> None:
    began = time.monotonic()
    for _ in range(1000):
        doorbell.ring()
    doorbell.ring("stop")
    took = time.monotonic() - began
    told = notices.heard(1)
    assert told[-1:] == ["stop"] or "stop" in told[-2:]
    assert len(told) <= 3 + took / crier.PAUSE_SECONDS


def test_a_ring_inside_a_transaction_does_not_wait_for_it(notices: Notices) -> None:
    with transaction.atomic():
        doorbell.ring()
        assert notices.heard(1) == [""]


def test_who_rings_does_not_wait_for_a_database_that_is_away(notices: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    is_away = threading.Event()

    def away(self: Any, *args: Any, **kwargs: Any) -> Any:
        is_away.set()
        raise OperationalError("the server is away")

    with monkeypatch.context() as patch:
        patch.setattr(type(connection._connections[connection._alias]), "get_new_connection", away)
        began = time.monotonic()
        doorbell.ring()
        assert time.monotonic() - began < 1
        assert is_away.wait(10)
    until("it is told again", lambda: doorbell.ring() or notices.heard(0.2))


def test_a_forked_process_has_a_crier_of_its_own(notices: Notices) -> None:
    doorbell.ring()
    assert notices.heard(0.5) == [""]
    child = os.fork()
    if child == 0:
        try:
            connection.connection = None
            doorbell.ring("stop")
            time.sleep(1)
        finally:
            os._exit(0)
    assert notices.heard(1.5) == ["stop"]
    os.waitpid(child, 0)
    doorbell.ring()
    assert notices.heard(0.5) == [""]


def test_a_connection_that_is_not_used_is_closed(notices: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crier, "UNUSED_SECONDS", 0.2)
    doorbell.ring()
    assert notices.heard(0.3) == [""]
    until("it is closed", lambda: not backends("pg_notify"))


def test_a_listener_hears_other_hosts_and_not_its_own(listener: crier.Listener, heard: list[str]) -> None:
    doorbell.ring("own")
    cry_from_elsewhere("stop")
    until("it is heard", lambda: heard)
    assert heard == ["stop"]


def test_a_listener_whose_connection_is_cut_listens_again_and_looks_at_once(listener: crier.Listener, heard: list[str]) -> None:
    (pid,) = backends(f"LISTEN {crier.CHANNEL}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    until("it listens again, and rang for what it may have missed", lambda: heard == [""])
    cry_from_elsewhere("stop")
    until("it is heard", lambda: "stop" in heard)


def test_a_site_has_a_name_in_what_it_cries(notices: Notices) -> None:
    doorbell.ring()
    (payload,) = [notice.payload for notice in notices._driver.notifies(timeout=0.5)]
    assert payload == f"{site.site_id()}:"


def test_a_crier_outlives_an_error_that_nobody_foresaw(
    notices: Notices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so in the log, and the next ring is told."""
    with monkeypatch.context() as patch:
        patch.setattr(crier.site, "site_id", lambda: 1 / 0)
        crier.cry("lost")
        until("it failed", lambda: "Other hosts were not told" in caplog.text)
    crier.cry("told")
    assert "told" in notices.heard(5)
