"""`python -m benchmarks.hosts`: one supervisor against two, four workers each, on one PostgreSQL; both runs are judged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from benchmarks.__main__ import DURABLE
from tests import with_postgres

ROOT = Path(__file__).resolve().parent.parent
WORKERS, WORKFLOWS, STEPS = 4, 100, 10
NAP_SECONDS = 0.05  # long enough that slots, not cores, are what there is too few of
RUNS = 2


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # also then, stop what was started
    with with_postgres.cluster(*DURABLE) as url:
        place = tempfile.mkdtemp(prefix="hybrid-bench-")
        os.environ.update(
            DATABASE_URL=url, DATA_DIR=f"{place}/submitter", TASK_MODULES="benchmarks.tasks", LOG_LEVEL="WARNING",
            DJANGO_SETTINGS_MODULE="hybrid_site.settings", MAX_PARALLEL_NODES=str(WORKERS),
        )  # fmt: skip
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        for action in ("nap", "noop"):
            speeds = [_speed(action, hosts, Path(place)) for hosts in (1, 2)]
            shown = " and ".join(f"{speed:,.0f} steps/s" for speed in speeds)
            print(f"{action:5} one and two supervisors: {shown}, {speeds[1] / speeds[0]:.2f}×", flush=True)
        judged = 2 * 2 * RUNS * WORKFLOWS
        print(f"exact: all {judged * STEPS:,} steps of {judged:,} workflows ran once and were judged by the tests' oracle")
        print(f"deadlocks: {_deadlocks()}; {len(os.sched_getaffinity(0))} cores for all of it, the database included")


def _speed(action: str, hosts: int, place: Path) -> float:
    """The better of the runs, the first of which warms up."""
    with _supervisors(hosts, place):
        return max(_run(action) for _ in range(RUNS))


@contextmanager
def _supervisors(count: int, place: Path) -> Iterator[None]:
    command = [sys.executable, "manage.py", "worker", "--skip-checks"]
    groups = [subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DATA_DIR": f"{place}/host{number}"}) for number in range(count)]
    try:
        _wait_for(count * WORKERS)
        yield
    finally:
        for group in groups:
            group.send_signal(signal.SIGTERM)
        for group in groups:
            group.wait(30)
        _forget_workers()


def _wait_for(workers: int) -> None:
    from workflows_app.models import Worker

    deadline = time.monotonic() + 60
    while Worker.objects.filter(stopped_at__isnull=True).count() < workers:
        if time.monotonic() > deadline:
            raise SystemExit(f"{workers} workers did not start")
        time.sleep(0.05)


def _forget_workers() -> None:
    from workflows_app.models import Worker

    Worker.objects.all().delete()


def _run(action: str) -> float:
    from benchmarks import workloads as w
    from workflows_app.engine import definitions
    from workflows_app.engine.clock import database_now
    from workflows_app.graph.definition import Definition, Node

    nodes = tuple(Node(f"s{n}", action, needs=(f"s{n - 1}",) if n else (), config={"seconds": NAP_SECONDS}) for n in range(STEPS))
    definition = definitions.store(definition=Definition(nodes), now=database_now())
    submitted = time.monotonic()
    workflows = w.run(definition, WORKFLOWS)
    speed = WORKFLOWS * STEPS / w.seconds_since(submitted, workflows)
    oracle = import_module("tests.engine.oracle")
    for workflow in workflows:
        oracle.judge(workflow)
    return speed


def _deadlocks() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
