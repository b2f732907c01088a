"""What the process tests share. Each waits for conditions, and each sees that no process stays behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import tasks
from tests.processes.group import Group, shared_database, until
from workflows_app.engine import definitions, site, start, worker
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.statuses import FINAL
from workflows_app.models import Worker, Workflow

assert tasks  # registers the tasks, so that steps know where they run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.processes)


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Group]]:
    """Start `manage.py worker` on this test's database, and wait until its workers are there."""
    groups: list[Group] = []

    def begin(**environment: str) -> Group:
        if worker._current is not None:
            worker._current.leave_seat()  # an engine test of this run may have made this process a worker, too
        group = Group(tmp_path, "worker", "--skip-checks", **{**shared_database(), **environment})
        groups.append(group)
        count = int(environment.get("MAX_PARALLEL_NODES", 2))
        until("the workers are there", lambda: group.process.poll() is not None or len(alive()) >= count)
        assert group.process.poll() is None, group.said()
        return group

    yield begin
    for group in groups:
        group.destroy()
    print(*{group.said() for group in groups})


def alive() -> list[Worker]:
    return [worker for worker in Worker.objects.filter(stopped_at__isnull=True) if site.lives(worker.id)]


def begin(*nodes: Node, name: str = "A workflow") -> Workflow:
    now = database_now()
    row = definitions.store(definition=Definition(nodes), now=now)
    return start.start(order=start.Order(definition=row, name=name), now=now)


def finished(workflow: Workflow, *, seconds: float = 30) -> Workflow:
    def is_final() -> bool:
        workflow.refresh_from_db()
        return workflow.status in FINAL

    until(f"{workflow} ends", is_final, seconds=seconds)
    return workflow
