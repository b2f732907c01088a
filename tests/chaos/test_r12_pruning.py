"""R12, its pruning: a long history goes while workers run, in short transactions; kill -9 in the middle breaks nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from tests.chaos.ledger import Entry, note
from tests.engine import oracle
from tests.factories import a_definition
from tests.processes.conftest import begin, finished
from tests.processes.group import ROOT, Group, shared_database, until
from workflows_app.engine.clock import database_now
from workflows_app.engine.retention import Pruning, count_old
from workflows_app.engine.retention.pace import Pace
from workflows_app.engine.sql.tables import REMOVED
from workflows_app.graph.definition import Node
from workflows_app.models import Attempt, LogLine, Step, Workflow

Workers = Callable[..., Group]
LOCK_SECONDS = 0.05
SETTINGS = {"DJANGO_SETTINGS_MODULE": "hybrid_site.settings"}
CHAIN = [Node("n0", "mark"), *(Node(f"n{n}", "mark", needs=(f"n{n - 1}",)) for n in range(1, 40))]


def history(workflows: int, *, steps: int = 10, lines: int = 2, days: int = 100) -> None:
    """Completed workflows that ended long ago, each with so many steps, an attempt and some log lines of each."""
    at = database_now() - timedelta(days=days)
    definition = a_definition(*(Node(f"n{n}", "echo") for n in range(steps)))
    values = {"total_steps": steps, "done_steps": steps, "status": "COMPLETED", "created_at": at, "updated_at": at, "ended_at": at}
    made = Workflow.objects.bulk_create((Workflow(name="Old", definition=definition, **values) for _ in range(workflows)), batch_size=500)
    rows = (
        Step(workflow=workflow, node_id=f"n{n}", position=n, action="echo", status="COMPLETED", attempt=1, output={"n": n}, ended_at=at)
        for workflow in made
        for n in range(steps)
    )
    for step in (found := Step.objects.bulk_create(rows, batch_size=500)):
        assert step.pk
    Attempt.objects.bulk_create(
        (Attempt(step=step, number=1, worker_id="w", outcome="completed", started_at=at, ended_at=at) for step in found), batch_size=1000
    )
    said = (LogLine(step=step, attempt=1, at=at, message=f"line {n} " + "x" * 60) for step in found for n in range(lines))
    LogLine.objects.bulk_create(said, batch_size=1000)


def assert_whole() -> None:
    """No row refers to one that is gone, and no workflow is half there but for one that is marked."""
    connection.check_constraints()
    for workflow in Workflow.objects.exclude(metadata__has_key=REMOVED):
        assert workflow.steps.filter(parent__isnull=True).count() == workflow.total_steps


@contextmanager
def pruning_beside(share: float) -> Iterator[Pace]:
    """One pass in a thread of its own, begun at once and ended before this is left."""
    pace, failures = Pace(share=share), list[BaseException]()

    def prune() -> None:
        try:
            Pruning(pace).run(now=database_now(), days=90)
        except BaseException as error:  # noqa: BLE001  told to the test's own thread
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=prune)
    thread.start()
    yield pace
    thread.join(120)
    assert not thread.is_alive() and not failures, failures


def seconds_of(workflows: int) -> float:
    began = time.monotonic()
    runs = [begin(*CHAIN, name=f"Work {number}") for number in range(workflows)]
    for run in runs:
        assert finished(run, seconds=60).status == "COMPLETED"
        oracle.judge(run)
    return time.monotonic() - began


def test_a_long_history_goes_while_workers_run(workers: Workers, scale: float) -> None:
    workers()
    count = int(500 * scale)
    history(count)
    history(1, steps=int(2_000 * scale), lines=5)
    old = count_old(now=database_now(), days=90)
    seconds_of(2)
    undisturbed = seconds_of(4)
    with pruning_beside(share=0.5) as pace:
        disturbed = seconds_of(4)
    assert count_old(now=database_now(), days=90).total() == 0
    assert_whole()
    held = sorted(pace.held_seconds)
    p95, size = held[len(held) * 95 // 100], f"{old['workflow']:,} workflows, {old['step']:,} steps, {old['logline']:,} log lines"
    figures = f"{size}; a transaction p95 {p95 * 1000:.0f} ms, at most {held[-1] * 1000:.0f} ms"
    note(Entry("R12", "pruned while workers run", 160, faults=1, seconds=disturbed, undisturbed_seconds=undisturbed, figures=figures))
    assert p95 <= LOCK_SECONDS
    assert disturbed <= 1.5 * undisturbed + 1


@pytest.mark.parametrize("kills", [3])
def test_killed_in_the_middle_it_breaks_nothing_and_goes_on(transactional_db: None, tmp_path: Path, kills: int, scale: float) -> None:
    history(int(100 * scale))
    history(2, steps=1_000, lines=3)
    kept = begin(Node("a", "mark"))
    for _ in range(kills):
        before = LogLine.objects.count() + Step.objects.count()
        process = subprocess.Popen([sys.executable, "manage.py", "prune"], cwd=ROOT, env={**os.environ, **shared_database(), **SETTINGS})
        until("it removes", lambda before=before: LogLine.objects.count() + Step.objects.count() < before)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert_whole()
    left = count_old(now=database_now(), days=90)
    Pruning(Pace()).run(now=database_now(), days=90)
    assert_whole()
    assert list(Workflow.objects.all()) == [kept] and Step.objects.count() == 1 and not LogLine.objects.exists()
    figures = f"{left['workflow']:,} workflows were left to the next pass"
    note(Entry("R12", "kill -9 while it prunes", 1, faults=kills, figures=figures))
