"""Several hosts on one PostgreSQL, here as several data directories: they wake each other and share the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from tests.processes.conftest import begin, finished
from tests.processes.group import QUICK, Group, until
from tests.processes.test_kills import judge, started
from workflows_app.engine import control, crier, site
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Node
from workflows_app.models import Worker

Workers = Callable[..., Group]
pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite means one host")


@pytest.fixture
def elsewhere(workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Group]:
    """Start workers with a data directory of their own."""
    from tests.processes import conftest

    monkeypatch.setattr(conftest, "alive", lambda: list(Worker.objects.filter(stopped_at__isnull=True)))

    def begin(name: str, **environment: str) -> Group:
        return workers(DATA_DIR=str(tmp_path / name), **environment)

    return begin


def is_heard() -> bool:
    """Whether somebody listens."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE query LIKE %s AND state = 'idle'", [f"LISTEN {crier.CHANNEL}%"])
        return bool(cursor.fetchone())


def test_workers_of_another_host_begin_at_once_what_is_started_here(elsewhere: Callable[..., Group], tmp_path: Path) -> None:
    """They look by themselves once a minute only, so it is the notification that wakes them, five times."""
    elsewhere("a", TASK_MODULES=f"{QUICK['TASK_MODULES']},tests.processes.slow_polls")
    until("somebody listens", is_heard)
    for number in range(5):
        workflow = begin(Node("a", "mark"), name=str(number))
        until("it begins", lambda number=number: len(started(tmp_path)) > number, seconds=10)
        assert finished(workflow, seconds=10).status == "COMPLETED"
        judge(workflow, tmp_path)
    assert {worker.site for worker in Worker.objects.all()}.isdisjoint({site.site_id()})


def test_a_stop_reaches_the_worker_of_another_host(elsewhere: Callable[..., Group], tmp_path: Path) -> None:
    elsewhere("a")
    workflow = begin(Node("a", "hold_async"), Node("b", "mark", needs=("a",)))
    until("it runs", lambda: started(tmp_path))
    control.stop(uid=workflow.uid, now=database_now())
    assert finished(workflow).status == "STOPPED"
    again = begin(Node("c", "mark"))
    assert finished(again, seconds=10).status == "COMPLETED"
