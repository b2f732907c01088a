"""The crier: rings of the doorbell told to other hosts by PostgreSQL's NOTIFY, and theirs heard. A hint; polling stays the truth."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from django.db import Error, connection

from workflows_app.engine import site

logger = logging.getLogger(__name__)
CHANNEL = "hybrid_bell"
PAUSE_SECONDS = 0.1
UNUSED_SECONDS = 60.0
AGAIN_SECONDS = 1.0
LISTEN_SECONDS = 60.0


class Crier:
    """Says what rang here to every other data directory on this database, from a thread and a connection of its own: outside every
    transaction (NOTIFY holds a lock of the whole server while it commits), at most once in PAUSE_SECONDS, the last ring included."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._said: set[str] = set()
        self._turn = threading.Lock()
        self._rung, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="crier", daemon=True)
        self._thread.start()

    @property
    def is_mine(self) -> bool:
        """Whether its thread is in this process and lives: a fork leaves threads behind."""
        return self.pid == os.getpid() and self._thread.is_alive()

    def cry(self, message: str) -> None:
        """Leave the message to the thread; never waits for the database."""
        with self._turn:
            self._said.add(message)
        self._rung.set()

    def stop(self) -> None:
        self._over.set()
        self._rung.set()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                if self._rung.wait(UNUSED_SECONDS):
                    self._tell()
                    self._over.wait(PAUSE_SECONDS)
                else:
                    connection.close()
        finally:
            connection.close()

    def _tell(self) -> None:
        """What cannot be told is forgotten, whatever the reason: who polls finds it, and the next ring is tried anew."""
        self._rung.clear()  # before looking at what was said
        with self._turn:
            said, self._said = self._said, set()
        try:
            with connection.cursor() as cursor:
                for message in said:
                    cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{site.site_id()}:{message}"])
        except Error as error:
            logger.info("Other hosts were not told: %s", error)
            connection.close()
        except Exception:
            logger.exception("Other hosts were not told")
            connection.close()


class Listener(threading.Thread):
    """Hears what other sites cry, and rings here (`on_ring`). After every new connection it rings once: something may have been missed."""

    def __init__(self, *, on_ring: Callable[[str], None]) -> None:
        super().__init__(name="listener", daemon=True)
        self._on_ring = on_ring
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.is_set():
            try:
                self._listen()
            except Error as error:
                logger.warning("Rings of other hosts are not heard, only looked for every half second: %s", error)
            except Exception:
                logger.exception("Rings of other hosts are not heard, only looked for every half second")
            connection.close()
            self._is_over.wait(AGAIN_SECONDS)

    def stop(self) -> None:
        self._is_over.set()
        cry(site.site_id())  # wakes it; itself it does not hear
        self.join(10)

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        self._on_ring("")
        driver: Any = connection.connection
        while not self._is_over.is_set():
            with connection.wrap_database_errors:
                self._hear(driver)
                driver.execute("SELECT 1")  # a connection that broke in silence says so

    def _hear(self, driver: Any) -> None:
        """Everything that is said until nothing was for LISTEN_SECONDS."""
        own = site.site_id()
        for notice in driver.notifies(timeout=LISTEN_SECONDS):
            sender, _, message = notice.payload.partition(":")
            if sender != own:
                self._on_ring(message)
            if self._is_over.is_set():
                return


_crier: Crier | None = None
_begin = threading.Lock()


def cry(message: str) -> None:
    """Tell the other hosts, soon, when there can be others."""
    if connection.vendor == "postgresql":
        _own().cry(message)


def rest() -> None:
    """End this process's crier, if there is one, and its connection."""
    global _crier  # noqa: PLW0603  one per process
    with _begin:
        if _crier is not None and _crier.is_mine:
            _crier.stop()
        _crier = None


def _own() -> Crier:
    """The crier of this process, made at its first ring."""
    global _crier  # noqa: PLW0603  one per process
    with _begin:
        if _crier is None or not _crier.is_mine:
            _crier = Crier()
        return _crier


def _begin_anew() -> None:
    """In a forked child: the lock may have been held by a thread that is not here."""
    global _begin, _crier
    _begin, _crier = threading.Lock(), None


os.register_at_fork(after_in_child=_begin_anew)
