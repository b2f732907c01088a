"""`python -m benchmarks.open_pages FILE`: a thousand open pages at the pace they are told, with W3 beside them and without, as JSON.

Every page asks over HTTP on loopback, logged in, as `static/live.js` does; some show lists that change all the time, some a workflow that
waits, some the workers. Wrong answers end the program."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks import product

MOST_CORES, LEAST_RATIO = 0.2, 0.85
PAGES, SECONDS, SETTLE_SECONDS, JITTER, MOST_SECONDS = 1_000, 60, 40, 0.1, 60.0
LISTS = ("/workflows", "/workflows?status=failed", "/workflows?status=running", "/workflows?since=24h", "/")
MIX = ((60, "list"), (25, "workflow"), (10, "workers"), (5, "notifications"))  # of a hundred
POLL = re.compile(r'data-poll="(\d+)"')


@dataclass
class Tally:
    """What the pages were answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stretch: float = 1.0

    @property
    def answered(self) -> int:
        return sum(self.statuses.values())

    def figures(self) -> dict[str, float]:
        unchanged, slowest = self.statuses[304] / max(1, self.answered), sorted(self.seconds)[int(len(self.seconds) * 0.95)]
        return {"part_304": unchanged, "poll_p95_ms": slowest * 1000, "stretch": self.stretch}


def main() -> None:
    """DATABASE_URL says which database; empty is SQLite in a directory of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    options = parser.parse_args()
    data_dir = product.settle_environment()
    os.environ["MODE"] = "server"
    import django

    django.setup()
    with product.running(data_dir) as instance:
        found = measure(instance, options.pages, options.seconds)
    options.file.write_text(json.dumps(found))


def measure(instance: product.Product, pages: int, seconds: int) -> dict[str, float]:
    """Half of the time without pages comes before they are open and half of it after, so that a drift of the machine does not count."""
    from benchmarks.pages import session_cookie

    web, addresses, cookie = _web_processes(instance), _addresses(pages), session_cookie()
    _w3(3)
    alone = _w3(seconds / 2)
    with _open(instance.port, addresses, cookie) as tally:
        time.sleep(SETTLE_SECONDS)
        quiet = _share(web, lambda: time.sleep(seconds))
        polls, began, beside = tally.answered, time.monotonic(), list[float]()
        busy = _share(web, lambda: beside.extend(_w3(seconds)))
        polls_per_s = (tally.answered - polls) / (time.monotonic() - began)
    alone += _w3(seconds / 2)
    if tally.errors:
        raise SystemExit(f"{len(tally.errors)} polls failed: {tally.errors[:3]}")
    speeds = {"w3_alone": statistics.median(alone), "w3_beside": statistics.median(beside)}
    shares = {"cores_quiet": quiet, "cores_beside_w3": busy, "w3_ratio": speeds["w3_beside"] / speeds["w3_alone"]}
    return {key: round(value, 3) for key, value in (speeds | shares | {"polls_per_s": polls_per_s} | tally.figures()).items()}


def show(found: Mapping[str, float], database: str, say: Callable[[str], None] = print) -> None:
    """One line, with what is over its goal marked."""
    over = "  OVER" if found["cores_beside_w3"] > MOST_CORES or found["w3_ratio"] < LEAST_RATIO or found["cores_quiet"] > MOST_CORES else ""
    shown = ", ".join(f"{key} {value:,}" for key, value in found.items())
    say(f"{database}: open pages: {shown}; no errors; goal: ≤ {MOST_CORES} cores, W3 ≥ {LEAST_RATIO:.0%}{over}")


def _addresses(pages: int) -> list[str]:
    waiting = [f"/workflows/{uid}" for uid in _waiting(20)]
    kinds = [kind for parts, kind in MIX for _ in range(parts)]
    found: list[str] = []
    for number in range(pages):
        kind = kinds[number % len(kinds)]
        found.append({"list": LISTS[number % len(LISTS)], "workflow": waiting[number % len(waiting)]}.get(kind, f"/{kind}"))
    return found


def _waiting(count: int) -> list[Any]:
    """Workflows that wait for an hour."""
    from workflows_app.engine import definitions
    from workflows_app.engine.clock import database_now
    from workflows_app.engine.start import Order, start_many
    from workflows_app.graph.definition import Definition, Node

    now = database_now()
    stored = definitions.store(definition=Definition((Node("pause", "delay", config={"seconds": 3600}),)), now=now)
    return [workflow.uid for workflow in start_many(orders=[Order(stored, "waits")] * count, now=now)]


def _w3(seconds: float) -> list[float]:
    """Steps a second of each run of W3 within this time, one run at least."""
    from benchmarks import workloads as w

    end, found = time.monotonic() + seconds, list[float]()
    while not found or time.monotonic() < end:
        found.append(w.many()["steps_per_s"])
    return found


def _web_processes(instance: product.Product) -> list[psutil.Process]:
    """The one that listens and its children."""
    for child in psutil.Process(instance.process.pid).children():
        if any(c.laddr.port == instance.port and c.status == psutil.CONN_LISTEN for c in child.net_connections("inet")):
            return [child, *child.children(recursive=True)]
    raise SystemExit("No process of the product listens")


def _share(processes: list[psutil.Process], during: Callable[[], object]) -> float:
    """How many cores they used while it ran."""
    began, before = time.monotonic(), _cpu(processes)
    during()
    return (_cpu(processes) - before) / (time.monotonic() - began)


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


@contextmanager
def _open(port: int, addresses: list[str], cookie: str) -> Iterator[Tally]:
    """The pages, in a thread with a loop of its own, until the block ends."""
    tally, loop = Tally(), asyncio.new_event_loop()
    over = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(_all(port, addresses, cookie, tally, over)))
    thread.start()
    try:
        yield tally
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def _all(port: int, addresses: list[str], cookie: str, tally: Tally, over: asyncio.Event) -> None:
    pages = [asyncio.create_task(_page(port, address, cookie, tally)) for address in addresses]
    await over.wait()
    for page in pages:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)


async def _page(port: int, address: str, cookie: str, tally: Tally) -> None:
    """People open their pages within some seconds, not at once."""
    await asyncio.sleep(random.uniform(0, SETTLE_SECONDS / 2))
    tag, interval = "", 1.5
    while interval:
        try:
            status, headers, body = await _ask(port, address, cookie, tag, tally)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            tally.errors.append(f"{address}: {error!r}")
            return
        tally.statuses[status] += 1
        if status not in {200, 304} or (status == 200 and not POLL.search(body)):
            tally.errors.append(f"{address}: {status} {body[:200]}")
            return
        tag = headers.get("hx-ptag", "")
        interval = int(POLL.search(body)[1]) / 1000 if status == 200 else interval  # type: ignore[index]
        tally.stretch = float(headers["poll-stretch"])
        await asyncio.sleep(min(MOST_SECONDS, interval * tally.stretch) * random.uniform(1 - JITTER, 1 + JITTER))


async def _ask(port: int, address: str, cookie: str, tag: str, tally: Tally) -> tuple[int, dict[str, str], str]:
    """One request on a connection of its own: at this pace none is kept open until the next."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {address} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Cookie: {cookie}", "HX-Request: true", "HX-Request-Type: partial"]
    writer.write("\r\n".join([*lines, *([f"HX-PTag: {tag}"] if tag else []), "Connection: close", "", ""]).encode())
    head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    writer.close()
    tally.seconds.append(time.monotonic() - began)
    first, *rest = head.decode().split("\r\n")
    return int(first.split()[1]), {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}, body.decode()


if __name__ == "__main__":
    main()
