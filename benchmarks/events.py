"""The workload E1: events over HTTP, a fifth of them with a key that came before, each key starting one workflow."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Iterator

from workflows_app.catalog.publish import publish
from workflows_app.engine.clock import database_now
from workflows_app.models import Event, Workflow

EVENTS, REPEATED, CONNECTIONS, PATIENCE_SECONDS = 5_000, 0.2, 16, 120
TEMPLATE = {
    "name": "Orders of the benchmark",
    "trigger": {"==": [{"var": "type"}, "order"]},
    "params": {"additionalProperties": True},
    "steps": [{"id": "shape", "action": "transform", "with": {"value": {"id": "{{ params.order.id }}"}}}],
}


def burst() -> dict[str, float]:
    """Events a second, from the first byte sent to the last answer read."""
    publish(slug="benchmark-orders", source=json.dumps(TEMPLATE), now=database_now())
    run, keys = uuid.uuid4().hex, _keys()
    began = time.monotonic()
    seconds = post_all(port=int(os.environ["PORT"]), run=run, keys=keys)
    took = time.monotonic() - began
    _see_one_workflow_for_each(run, set(keys))
    return {"events_per_s": len(keys) / took, "p99_ms": sorted(seconds)[int(len(seconds) * 0.99)] * 1000}


def _keys() -> list[str]:
    different = [f"k{number}" for number in range(int(EVENTS * (1 - REPEATED)))]
    keys = different + random.sample(different, EVENTS - len(different))
    random.shuffle(keys)
    return keys


def post_all(*, port: int, run: str, keys: list[str]) -> list[float]:
    """From several threads, each with one connection that it keeps; the seconds each event took. Ends the program if one is not taken."""
    queue, turn, seconds, failed = iter(keys), threading.Lock(), list[float](), list[BaseException]()

    def work() -> None:
        try:
            with _Connection(port) as connection:
                for key in _shared(queue, turn):
                    began = time.monotonic()
                    connection.post(run, key)
                    seconds.append(time.monotonic() - began)
        except Exception as error:  # noqa: BLE001  told by the main thread
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"An event was not taken: {failed[0]!r}")
    return seconds


def _shared(queue: Iterator[str], turn: threading.Lock) -> Iterator[str]:
    while True:
        with turn:
            key = next(queue, None)
        if key is None:
            return
        yield key


class _Connection:
    """HTTP by hand: a client library would take as much time as the server."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> _Connection:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._socket.close()

    def post(self, source: str, key: str) -> None:
        body = json.dumps({"type": "order", "order": {"id": key, "amount": 20}})
        lines = [f"POST /api/events?source={source} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", "Content-Type: application/json"]
        lines += [f"Idempotency-Key: {key}", f"Content-Length: {len(body)}", "", body]
        self._socket.sendall("\r\n".join(lines).encode())
        status, length = self._reader.readline(), 0
        while (line := self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        answer = self._reader.read(length)
        if b" 200 " not in status:
            raise RuntimeError(f"{status!r} {answer!r}")


def _see_one_workflow_for_each(run: str, keys: set[str]) -> None:
    workflows = Workflow.objects.filter(event__source=run)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while workflows.active().exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"The workflows of {len(keys)} events did not end within {PATIENCE_SECONDS} s")
        time.sleep(0.05)
    started = [str(key) for key in workflows.values_list("event__idempotency_key", flat=True)]
    if sorted(started) != sorted(keys) or Event.objects.filter(source=run).count() != len(keys):
        raise SystemExit(f"{len(keys)} keys started {len(started)} workflows")
    if not all(status == "COMPLETED" for status in workflows.values_list("status", flat=True)):
        raise SystemExit("A workflow did not complete")
