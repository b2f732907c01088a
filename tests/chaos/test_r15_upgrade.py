"""R15: two hundred workflows in flight under an earlier release end under this one; both releases work side by side."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.chaos import kept_rows, release_tasks
from tests.chaos.ledger import Entry, note
from tests.chaos.scratch import migrate_to, scratch_database
from tests.engine import oracle
from tests.processes import group
from tests.processes.group import ROOT, Group, shared_database, until
from workflows_app.engine import definitions
from workflows_app.engine.clock import database_now
from workflows_app.engine.start import Order, start_many
from workflows_app.graph.definition import Definition, Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import Attempt, Step, Worker, Workflow

assert release_tasks  # registers the tasks
SCHEMAS = ("0001", "0003", "0004", "0005")
SHORT_FORM = ("0001", "0005")
WORKFLOWS, SECONDS = 200, 60
NEXT_SCHEMA, MIXED = "workflows_app/migrations/0005*", 60
FEW = {"MAX_PARALLEL_IO": "8"}


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: Any, tmp_path: Path) -> Iterator[Path]:
    with django_db_blocker.unblock(), scratch_database(tmp_path):
        yield tmp_path


@pytest.mark.parametrize("schema", SCHEMAS)
def test_workflows_in_flight_under_an_earlier_release_end_under_this_one(scratch: Path, schema: str, scale: float) -> None:
    if scale <= 1 and schema not in SHORT_FORM:
        pytest.skip("the short form takes the first and the last schema")
    kept_rows.load(migrate_to(schema), schema, database_now() - timedelta(minutes=1))
    migrate_to("")
    before = attempts()
    unfinished = Workflow.objects.active().count()
    steps = Step.objects.filter(ended_at=None).count()
    workers = Group(scratch, "worker", "--skip-checks", **shared_database(), TASK_MODULES="tests.chaos.release_tasks")
    try:
        until("all have ended", lambda: answer() or not Workflow.objects.active().exists(), seconds=SECONDS)
    finally:
        workers.destroy()
        print(workers.said())
    lost = WORKFLOWS - Workflow.objects.filter(parent=None, status=Status.COMPLETED).count()
    figures = f"{unfinished} of {WORKFLOWS} workflows in flight, {steps} steps open"
    note(Entry("R15", f"rows of schema {schema}", steps=Step.objects.count(), faults=1, lost=lost, figures=figures))
    for workflow in Workflow.objects.all():
        oracle.judge(workflow)
    assert not lost and before <= attempts(), "history was lost"


def test_an_earlier_release_works_on_beside_this_one_and_leaves_it_the_rest(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/upgrading.md says: migrate, start the new beside the old, end the old. Migrations only add what the old need not know."""
    earlier = release_before(NEXT_SCHEMA, scratch / "earlier")
    migrate_to("")
    groups: list[Group] = []
    try:
        with monkeypatch.context() as patched:
            patched.setattr(group, "ROOT", earlier)
            (scratch / "old").mkdir()
            groups.append(Group(scratch / "old", "worker", "--skip-checks", **shared_database(), TASK_MODULES="release_tasks", **FEW))
        begin_mixed(MIXED)
        until("the old one works", lambda: Attempt.objects.filter(outcome="completed").exists())
        groups.append(Group(scratch, "worker", "--skip-checks", **shared_database(), TASK_MODULES="tests.chaos.release_tasks", **FEW))
        until("the new one is there", lambda: len(of_this_release()) == 2)
        begin_mixed(MIXED)
        groups[0].process.send_signal(signal.SIGTERM)
        assert groups[0].ended() == 0, groups[0].said()
        until("all have ended", lambda: not Workflow.objects.active().exists(), seconds=SECONDS)
    finally:
        for each in groups:
            each.destroy()
            print(each.said())
    lost = 2 * MIXED - Workflow.objects.filter(status=Status.COMPLETED).count()
    shares = Attempt.objects.filter(worker_id__in=of_this_release(), outcome="completed").count()
    figures = f"{shares} of {Step.objects.count()} steps by this release, the others by the earlier one"
    note(Entry("R15", "an earlier release beside this one", steps=Step.objects.count(), faults=1, lost=lost, figures=figures))
    for workflow in Workflow.objects.all():
        oracle.judge(workflow)
    assert not lost and 0 < shares < Step.objects.count()
    assert not any(word in each.said() for each in groups for word in ("Traceback", "column"))


def begin_mixed(count: int) -> None:
    now = database_now()
    pause = {"seconds": 0.05}
    middle = [Node(f"m{place}", "slow", needs=("first",), config=pause) for place in range(4)]
    nodes = [Node("first", "shaky", retry=RetryPolicy(retries=4, initial_delay=0.1)), *middle]
    last = Node("last", "slow", needs=tuple(node.id for node in middle), config=pause)
    row = definitions.store(definition=Definition((*nodes, last)), now=now)
    start_many(orders=[Order(row, "mixed")] * count, now=now)


def of_this_release() -> list[str]:
    """Earlier ones do not write the group."""
    return list(Worker.objects.exclude(group="").values_list("id", flat=True))


def release_before(path: str, place: Path) -> Path:
    """A copy of the last commit without this file; skips where the history is not there."""
    git = shutil.which("git")
    asked = [str(git), "-C", str(ROOT), "log", "--format=%H", "--diff-filter=A", "--", path]
    found = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.split() if git else []
    archive = [str(git), "-C", str(ROOT), "archive", f"{found[-1]}^"] if found else ["false"]
    taken = subprocess.run(archive, check=False, capture_output=True)
    if taken.returncode:
        pytest.skip("there is no git history to take the earlier release from")
    place.mkdir()
    subprocess.run(["tar", "x", "-C", str(place)], check=True, input=taken.stdout)
    shutil.copy(release_tasks.__file__, place / "release_tasks.py")
    return place


def attempts() -> set[tuple[int, int, str]]:
    return set(Attempt.objects.values_list("step_id", "number", "outcome"))


def answer() -> None:
    """Approve what is to be approved, and send the events that are waited for."""
    client = Client(headers={"host": "localhost"})
    for step in Step.objects.filter(waits_for=Step.APPROVAL).select_related("workflow"):
        client.post(f"/api/workflows/{step.workflow.uid}/steps/{step.node_id}/approve", "{}", content_type="application/json")
    for step in Step.objects.filter(waits_for=Step.EVENT).select_related("workflow"):
        client.post("/api/events", {"id": step.workflow.name}, content_type="application/json")
