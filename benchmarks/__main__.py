"""`python -m benchmarks`: run the workloads on SQLite and on a PostgreSQL of our own, print one table, write JSON."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import big_workflow, open_pages, pages
from tests import with_postgres

GOALS = {
    "sqlite": {
        "W1": "≤ 0.6 ms/hop", "W2": "≥ 8,000 steps/s", "W3": "≥ 6,000 steps/s", "W4": "p50 ≤ 3, p95 ≤ 6 ms", "W5": "≤ 160 MiB",
        "W6": "≥ 300 elements/s", "E1": "≥ 500 events/s",
    },
    "postgres": {
        "W1": "≤ 1.3 ms/hop", "W2": "≥ 6,000 steps/s", "W3": "≥ 5,000 steps/s", "W4": "p50 ≤ 4, p95 ≤ 6 ms", "W5": "≤ 160 MiB",
        "W6": "≥ 300 elements/s", "E1": "≥ 500 events/s",
    },
}  # fmt: skip
PAGES = {"pages": pages, "open_pages": open_pages, "big_workflow": big_workflow}
DURABLE = ("-c", "fsync=on", "-c", "synchronous_commit=on")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # also then, stop what was started
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=[*GOALS], help="only this one; without it, PostgreSQL too where there is one")
    parser.add_argument("--out", type=Path, help="write the figures as JSON to this file: SQLite's, and PostgreSQL's under `postgres`")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each workload after a warm-up; the median counts")
    parser.add_argument("--only", default="", help="workloads such as W1,W3, pages, open_pages, big_workflow; without it, all")
    options = parser.parse_args()
    figures = {name: _measure(name, options.repeat, options.only) for name in _chosen(options.database)}
    for name, found in figures.items():
        _print(found, GOALS[name])
        for part, module in PAGES.items():
            if part in found:
                module.show(found[part], found["database"])
    if options.out:
        options.out.write_text(json.dumps(_shape(figures), indent=2) + "\n")


def _chosen(database: str | None) -> list[str]:
    if database:
        return [database]
    return [name for name in GOALS if name != "postgres" or with_postgres.binaries()]


def _shape(figures: dict[str, Any]) -> dict[str, Any]:
    """SQLite's where they have always been."""
    first: dict[str, Any] = figures.get("sqlite", {})
    return first | {name: found for name, found in figures.items() if name != "sqlite"}


def _measure(database: str, repeat: int, only: str) -> dict[str, Any]:
    with _address(database) as url:
        found = _run("measure", url, "--repeat", str(repeat), "--only", only)
        wanted = [part for part in PAGES if (big_workflow.CHROMIUM or part != "big_workflow") and (not only or part in only.split(","))]
        return found | {part: _run(part, url) for part in wanted}


def _run(module: str, url: str, *options: str) -> dict[str, Any]:
    """In a process of its own: Django knows one database."""
    with tempfile.TemporaryDirectory(prefix="hybrid-bench-") as directory:
        file = Path(directory) / "figures"
        command = [sys.executable, "-m", f"benchmarks.{module}", str(file), *options]
        subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=True)
        found: dict[str, Any] = json.loads(file.read_text())
        return found


@contextmanager
def _address(database: str) -> Iterator[str]:
    if database == "sqlite":
        yield ""
    else:
        with with_postgres.cluster(*DURABLE) as url:
            yield url


def _print(figures: dict[str, Any], goals: dict[str, str]) -> None:
    print(f"\n{'':4} {'measured':34} {'commits/step':>12}  goal")
    for name, goal in goals.items():
        if name in figures:
            shown = ", ".join(f"{key} {value:,}" for key, value in figures[name].items())
            print(f"{name:4} {shown:34} {figures['commits_per_step'].get(name, ''):>12}  {goal}")
    print(f"{figures['database']}; {figures['machine']}; {figures['date']}")


if __name__ == "__main__":
    main()
