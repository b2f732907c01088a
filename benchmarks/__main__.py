"""`python -m benchmarks`: run W1 to W6 against the product, print the table, write JSON."""

from __future__ import annotations

import argparse
import json
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

GOALS = {
    "W1": "≤ 0.6 ms/hop", "W2": "≥ 8,000 steps/s", "W3": "≥ 6,000 steps/s", "W4": "p50 ≤ 3, p95 ≤ 6 ms", "W5": "≤ 160 MiB",
    "W6": "≥ 300 elements/s", "E1": "≥ 500 events/s",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write the figures as JSON to this file")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each workload after a warm-up; the median counts")
    options = parser.parse_args()
    data_dir = product.settle_environment()
    import django

    django.setup()
    with product.running(data_dir) as instance:
        figures = measure(instance, options.repeat)
    _print(figures)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=2) + "\n")


def measure(instance: product.Product, repeat: int) -> dict[str, Any]:
    """All figures of one run, in the shape that `--out` writes."""
    from benchmarks import events as e
    from benchmarks import workloads as w

    commits: dict[str, float] = {}

    def run(name: str, steps: int, workload: Callable[[], dict[str, float]]) -> dict[str, float]:
        workload()
        before = instance.commits()
        runs = [workload() for _ in range(repeat)]
        commits[name] = round((instance.commits() - before) / (steps * repeat), 4)
        return {key: round(value, 3) for key, value in w.median_of(runs).items()}

    figures: dict[str, Any] = {
        "W1": run("W1", w.CHAIN, w.one_chain),
        "W2": run("W2", w.FAN + 2, w.one_fan),
        "W3": run("W3", w.WORKFLOWS * w.SHORT, w.many),
    }
    time.sleep(3)
    figures["W5"] = {"pss_mib": round(instance.pss_mib(), 1)}
    figures["W6"] = run("W6", w.ELEMENTS, w.one_map)
    latencies = w.latency()
    figures["W4"] = {"p50_ms": round(w.percentile(latencies, 0.5), 2), "p95_ms": round(w.percentile(latencies, 0.95), 2)}
    figures["E1"] = run("E1", e.EVENTS, e.burst)
    return dict(sorted(figures.items())) | {"commits_per_step": commits, **_circumstances()}


def _circumstances() -> dict[str, Any]:
    return {
        "database": f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL",
        "machine": f"{platform.machine()}, {_cores()} cores, Python {platform.python_version()}; "
        f"a commit of one page to this disk takes {_bare_commit_ms():.2f} ms",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _cores() -> int:
    import os

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


def _print(figures: dict[str, Any]) -> None:
    print(f"{'':4} {'measured':34} {'commits/step':>12}  goal")
    for name, goal in GOALS.items():
        shown = ", ".join(f"{key} {value:,}" for key, value in figures[name].items())
        print(f"{name:4} {shown:34} {figures['commits_per_step'].get(name, ''):>12}  {goal}")
    print(f"{figures['database']}; {figures['machine']}; {figures['date']}")


if __name__ == "__main__":
    main()
