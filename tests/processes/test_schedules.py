"""Schedules with real worker groups: each time once, however many look and whatever is killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from tests.factories import a_template
from tests.processes.conftest import finished
from tests.processes.group import Group, until
from workflows_app.engine import definitions
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Definition, Node
from workflows_app.models import Schedule, Workflow

Workers = Callable[..., Group]


def due_soon(count: int, cron: str = "* * * * *") -> list[Schedule]:
    """Schedules whose first time is now."""
    now = database_now()
    stored = definitions.store(definition=Definition((Node("a", "mark"),)), now=now)
    template = a_template("minutely", definition=stored)
    values = {"template": template, "cron": cron, "created_at": now, "updated_at": now}
    at = now.replace(second=0, microsecond=0)
    return [Schedule.objects.create(name=f"s{number}", next_at=at, **values) for number in range(count)]


def times() -> Counter[tuple[int, str]]:
    return Counter(Workflow.objects.values_list("schedule", "metadata__scheduledFor"))


def test_a_running_group_fires_what_is_due_and_runs_it(workers: Workers) -> None:
    (row,) = due_soon(1, cron="0 0 29 2 *")  # one of every minute might fire a second time before we look
    workers()
    workflow = until("it fired", lambda: Workflow.objects.filter(schedule=row).first())
    assert finished(workflow).status == "COMPLETED"
    row.refresh_from_db()
    assert row.next_at is not None and row.next_at > database_now() + timedelta(minutes=1)
    assert (row.last_workflow, row.last_error) == (workflow, "")


def test_groups_that_are_killed_in_the_middle_of_firing_start_each_time_once(workers: Workers) -> None:
    rows = due_soon(400)
    for share in (0.1, 0.4, 0.7):
        group = workers()
        until("some have fired", lambda share=share: len(times()) >= share * len(rows))  # type: ignore[misc]
        group.destroy()
        assert set(times().values()) == {1}
    workers()
    until("all have fired", lambda: not Schedule.objects.due(database_now()).exists())
    assert set(times().values()) == {1}
    assert {key for key, _ in times()} == {row.pk for row in rows}
    fired = Schedule.objects.exclude(last_workflow=None).values_list("last_workflow__metadata__scheduledFor", "last_at")
    assert all(planned == last_at.isoformat() for planned, last_at in fired)


def test_two_groups_beside_each_other_share_and_never_double(workers: Workers) -> None:
    first, second = workers(MAX_PARALLEL_NODES="1"), workers(MAX_PARALLEL_NODES="1")
    rows = due_soon(200)
    until("all have fired", lambda: {key for key, _ in times()} == {row.pk for row in rows})
    assert first.process.poll() is None and second.process.poll() is None
    assert set(times().values()) == {1}
