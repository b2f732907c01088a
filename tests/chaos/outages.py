"""The whole product on a PostgreSQL of its own, which the test may stop, and clients that ask it all the time."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

import psycopg
from django.core.management import call_command
from django.db import connection

from tests import with_postgres
from tests.processes.test_up import Product
from workflows_app.engine import crier

READS = ("/workflows", "/api/workflows", "/api/health", "/workers", "/api/queue", "/static/staticfiles.json")
START = "/api/workflows/from-template?template_id=data_processing"


@contextmanager
def own_server() -> Iterator[with_postgres.Server]:
    """A PostgreSQL that the ORM of this process uses, with the tables in it, until the block ends."""
    before = dict(connection.settings_dict)
    with with_postgres.server() as server:
        address = psycopg.conninfo.conninfo_to_dict(server.url)
        try:
            _turn_to(NAME=address["dbname"], USER=address["user"], PASSWORD="", HOST=address["host"], PORT=address["port"])
            call_command("migrate", verbosity=0, interactive=False)
            yield server
        finally:
            _turn_to(**before)


def _turn_to(**where: object) -> None:
    crier.rest()
    connection.close()
    connection.settings_dict.update(where)


class Clients:
    """A few that read pages and the API, and one that starts workflows, each at once again. Counts what they were answered."""

    def __init__(self, product: Product, readers: int = 2) -> None:
        self._product, self._is_over = product, threading.Event()
        self.statuses: Counter[str] = Counter()
        self.accepted: list[str] = []
        self._turn = threading.Lock()
        self._threads = [threading.Thread(target=self._read, args=(number,)) for number in range(readers)]
        self._threads.append(threading.Thread(target=self._start))

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(60)

    def bad(self) -> dict[str, int]:
        """Answers that are neither good nor 503, and connections that were refused or broken off."""
        return {answer: count for answer, count in self.statuses.items() if answer not in ("200", "503")}

    def _read(self, number: int) -> None:
        for path in itertools.islice(itertools.cycle(READS), number, None):
            if self._is_over.wait(0.03):
                return
            self._ask("GET", path)

    def _start(self) -> None:
        while not self._is_over.wait(0.2):
            status, location = self._ask("POST", START)
            if status == "200":
                self.accepted.append(location)

    def _ask(self, method: str, path: str) -> tuple[str, str]:
        talk = HTTPConnection("127.0.0.1", int(self._product.port), timeout=30)
        try:
            talk.request(method, path, body="{}" if method == "POST" else None, headers={"Content-Type": "application/json"})
            answer = talk.getresponse()
            body, status = answer.read().decode(), str(answer.status)
        except (OSError, HTTPException) as error:
            body, status = "", f"{type(error).__name__} at {path}"
        finally:
            talk.close()
        with self._turn:
            self.statuses[status if status in ("200", "503") else f"{status} {method} {path}"] += 1
        return status, body.partition('"id"')[2].split('"')[1] if status == "200" and method == "POST" else ""


def cut_all(server: with_postgres.Server) -> int:
    """Terminate every connection but this one; how many there were."""
    with psycopg.connect(server.url, autocommit=True) as other:
        row = other.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(row[0]) if row else 0
