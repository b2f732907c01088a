"""R3: the disk is full for a while under load: nothing breaks, nothing is lost or said to be done that is not, and it goes on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.chaos.ledger import Entry, note
from tests.chaos.outages import Clients, _turn_to
from tests.chaos.small_disk import Disk, server_on, small_disk
from tests.chaos.test_r2_outages import CHAINS, judged, see_accepted_end
from tests.processes.group import until
from tests.processes.test_kills import started
from tests.processes.test_up import Product
from tests.with_postgres import Server

MEGABYTES = {"sqlite": 48, "postgresql": 128}
MOST_SECONDS_TO_RESUME = 30.0
LEASE = {"WORKER_HEARTBEAT_INTERVAL": "1", "WORKER_HEARTBEAT_TIMEOUT": "10"}


class Place:
    """The product, and PostgreSQL where it uses it, with all they write on one small disk."""

    def __init__(self, product: Product, disk: Disk, server: Server | None) -> None:
        self.product, self.disk, self.server = product, disk, server

    def is_sound(self) -> bool:
        if self.server is None:
            with sqlite3.connect(connection.settings_dict["NAME"]) as other:
                return other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM workflows_app_step")
            return cursor.fetchone()[0] > 0

    def see_to_the_server(self) -> None:
        """What an operator or systemd does: start a server again that could not even recover."""
        if self.server is not None and self.server._process.poll() is not None:
            self.server.start()


@pytest.fixture
def place(tmp_path: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Place]:
    with django_db_blocker.unblock(), ExitStack() as stack:
        disk = stack.enter_context(small_disk(MEGABYTES[connection.vendor]))
        server = stack.enter_context(server_on(disk)) if connection.vendor == "postgresql" else None
        product = Product(tmp_path, DATABASE_URL=server.url if server else "", DATA_DIR=str(disk.place / "site"), **LEASE)
        stack.callback(lambda: print(product.said()[-20_000:]))
        stack.callback(product.destroy)
        until("it is ready", product.is_ready)
        if server is None:
            stack.enter_context(its_sqlite(disk.place / "site" / "hybrid.sqlite3"))
        yield Place(product, disk, server)


@contextmanager
def its_sqlite(file: Path) -> Iterator[None]:
    before = dict(connection.settings_dict)
    _turn_to(NAME=str(file))
    try:
        yield
    finally:
        _turn_to(**before)


def test_a_disk_that_is_full_for_a_while_loses_nothing(place: Place, tmp_path: Path, scale: float) -> None:
    seconds = 4.0 if scale <= 1 else 15.0
    with Clients(place.product) as clients, judged(tmp_path, chains=2 * CHAINS) as load:
        until("some began", lambda: len(started(tmp_path)) > load.steps * 0.1)
        until("a client was told", lambda: place.disk.fill() or clients.statuses["503"] > 0)
        place.disk.stay_full(seconds)
        begun = len(started(tmp_path))
        assert begun < load.steps, "the disk was not full enough to stop anything"
        freed = time.monotonic()
        place.disk.free()
        place.see_to_the_server()
        until("it goes on", lambda: len(started(tmp_path)) > begun, seconds=MOST_SECONDS_TO_RESUME)
        resumed = time.monotonic() - freed
    see_accepted_end(clients)
    figures = f"went on after {resumed:.1f} s; answers {dict(clients.statuses)}"
    note(Entry("R3", "disk full", load.steps, faults=1, lost=load.lost, twice=load.twice, seconds=load.seconds, figures=figures))
    assert place.is_sound()
    assert (load.lost, load.twice) == (0, 0)
    assert resumed <= MOST_SECONDS_TO_RESUME
    assert clients.bad() == {}
