"""Threads let go together, each with a connection of its own, made before: making one takes longer than most races."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, connections


def at_once(work: Callable[[int], object], count: int) -> list[object]:
    """What `count` calls of `work(number)` return or raise."""
    barrier = threading.Barrier(count)

    def run(number: int) -> object:
        connection.ensure_connection()
        barrier.wait(10)
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(run, number) for number in range(count)]
    return [future.exception() or future.result() for future in futures]
