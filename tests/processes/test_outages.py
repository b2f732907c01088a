"""The database goes away for a while: what was done meanwhile is kept, and nothing runs again because of it."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from tests.processes.conftest import begin, finished
from tests.processes.group import Group, until
from tests.processes.test_kills import all_final, has_begun, judge, started
from workflows_app.graph.definition import Node
from workflows_app.models import Attempt

Workers = Callable[..., Group]
only_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no server to lose")


def chain(length: int, action: str = "nap", **config: object) -> list[Node]:
    return [Node(f"c{n}", action, needs=(f"c{n - 1}",) if n else (), config=config) for n in range(length)]


def nothing_ran_twice() -> bool:
    return not Attempt.objects.exclude(outcome="completed").exists()


@only_postgres
def test_connections_cut_again_and_again_under_load_cost_no_attempt(workers: Workers, tmp_path: Path) -> None:
    workers()
    runs = [begin(*chain(25, "nap", seconds=0.05), name=str(number)) for number in range(10)]
    for count in range(6):
        until("more began", lambda count=count: len(started(tmp_path)) > 30 * count or all_final(runs))
        cut_all_others()
    for workflow in runs:
        assert finished(workflow, seconds=60).status == "COMPLETED"
        judge(workflow, tmp_path)
    assert nothing_ran_twice()


@only_postgres
def test_connections_cut_while_steps_only_run_cost_no_attempt(workers: Workers, tmp_path: Path) -> None:
    """Nothing is recorded meanwhile: it is the look at stopped steps and the heartbeat that find the connection gone."""
    workers()
    ids = [f"n{number}" for number in range(5)]
    workflow = begin(*(Node(id, "nap", config={"seconds": 3}) for id in ids), Node("z", "mark", needs=tuple(ids)))
    until("all run", lambda: has_begun(tmp_path, *ids))
    for _ in range(6):
        cut_all_others()
        time.sleep(0.3)
    assert finished(workflow).status == "COMPLETED"
    assert nothing_ran_twice()
    judge(workflow, tmp_path)


@only_postgres
def test_a_server_that_is_away_for_longer_than_a_lease_costs_no_attempt(workers: Workers, tmp_path: Path) -> None:
    """Frozen, not stopped: connections neither work nor break, and every lease runs out meanwhile."""
    workers(WORKER_HEARTBEAT_TIMEOUT="2")
    workflow = begin(Node("a", "nap", config={"seconds": 1.5}), Node("b", "mark", needs=("a",)))
    until("it runs", lambda: has_begun(tmp_path, "a"))
    server = server_pids()
    for pid in server:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(4)
    for pid in reversed(server):
        os.kill(pid, signal.SIGCONT)
    assert finished(workflow).status == "COMPLETED"
    assert nothing_ran_twice()
    judge(workflow, tmp_path)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's write lock")
def test_another_program_that_holds_sqlites_lock_delays_and_breaks_nothing(workers: Workers, tmp_path: Path) -> None:
    workers()
    workflow = begin(*chain(30, "mark"))
    until("it runs", lambda: len(started(tmp_path)) > 3)
    with sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(3)
        other.execute("ROLLBACK")
    assert finished(workflow).status == "COMPLETED"
    assert nothing_ran_twice()
    judge(workflow, tmp_path)


def cut_all_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def server_pids() -> list[int]:
    """The server and what it forked; only when it runs on this host, as the one of `tests.with_postgres` does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
    stat = Path(f"/proc/{backend}/stat")
    if not stat.exists() or "postgres" not in stat.read_text():
        pytest.skip("the server is not on this host")
    server = int(stat.read_text().rpartition(")")[2].split()[1])
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [server, *map(int, children)]
