"""`python -m benchmarks.measure FILE`: W1 to W6 and E1 against the product on one database, as JSON into the file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import product


def main() -> None:
    """DATABASE_URL says which database; empty is SQLite in a directory of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="", help="workloads, separated by commas; empty for all")
    options = parser.parse_args()
    data_dir = product.settle_environment()
    import django

    django.setup()
    with product.running(data_dir) as instance:
        figures = measure(instance, options.repeat, set(filter(None, options.only.split(","))))
    options.file.write_text(json.dumps(figures))


def measure(instance: product.Product, repeat: int, only: set[str]) -> dict[str, Any]:
    """All figures of one run, in the shape that `make bench OUT=…` writes for one database."""
    from benchmarks import events as e
    from benchmarks import workloads as w

    commits: dict[str, float] = {}
    figures: dict[str, Any] = {}

    def run(name: str, steps: int, workload: Callable[[], dict[str, float]]) -> None:
        if only and name not in only:
            return
        workload()
        before = instance.commits()
        runs = [workload() for _ in range(repeat)]
        commits[name] = round((instance.commits() - before) / (steps * repeat), 4)
        figures[name] = {key: round(value, 3) for key, value in w.median_of(runs).items()}

    run("W1", w.CHAIN, w.one_chain)
    run("W2", w.FAN + 2, w.one_fan)
    run("W3", w.WORKFLOWS * w.SHORT, w.many)
    if not only or "W5" in only:
        time.sleep(3)
        figures["W5"] = {"pss_mib": round(instance.pss_mib(), 1)}
    run("W6", w.ELEMENTS, w.one_map)
    if not only or "W4" in only:
        latencies = w.latency()
        figures["W4"] = {"p50_ms": round(w.percentile(latencies, 0.5), 2), "p95_ms": round(w.percentile(latencies, 0.95), 2)}
    run("E1", e.EVENTS, e.burst)
    return dict(sorted(figures.items())) | {"commits_per_step": commits, **_circumstances()}


def _circumstances() -> dict[str, Any]:
    return {
        "database": _database(),
        "machine": f"{platform.machine()}, {_cores()} cores, Python {platform.python_version()}; "
        f"a commit of one page to this disk takes {_bare_commit_ms():.2f} ms",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _database() -> str:
    from django.db import connection

    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL"
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('synchronous_commit'), current_setting('fsync')")
        version, synchronous, fsync = cursor.fetchone()
    return f"PostgreSQL {version.split()[0]}, synchronous_commit={synchronous}, fsync={fsync}"


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _bare_commit_ms() -> float:
    """What the disk allows: an update of one row, committed with synchronous=FULL and nothing else."""
    with tempfile.TemporaryDirectory(prefix="hybrid-bench-") as directory:
        connection = sqlite3.connect(f"{directory}/bare.sqlite3", isolation_level=None)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(n); INSERT INTO t VALUES (0)")
        times = []
        for _ in range(300):
            began = time.perf_counter()
            connection.execute("UPDATE t SET n = n + 1")
            times.append((time.perf_counter() - began) * 1000)
        connection.close()
    return statistics.median(times)


if __name__ == "__main__":
    main()
