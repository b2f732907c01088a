"""One statement tells whether anything that pages show may have changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from tests.factories import NOW, a_log_line, a_template, a_user, a_worker, a_workflow
from workflows_app.engine.report.pulse import Glance, glance, one_pulse, pulse
from workflows_app.engine.sql.transaction import Session
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import (
    BacklogSample,
    Event,
    Notification,
    NotificationRead,
    QueuePause,
    SavedView,
    Schedule,
    Step,
    Worker,
    Workflow,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


def asks() -> int:
    a_workflow(Node("ask", "approval"))
    waiting = {"status": Status.WAITING_FOR_DEPENDENCY, "available_at": None, "waits_for": Step.APPROVAL}
    return Step.objects.filter(node_id="ask").update(attempt=1, **waiting)


def fire() -> int:
    """One of two, the other of which is due much later."""
    return Schedule.objects.filter(name="nightly").update(next_at=LATER, last_at=NOW)


def another_asks_instead() -> None:
    """Just as many wait, and their keys and tries add up to the same."""
    before = Step.objects.get(waits_for=Step.APPROVAL)
    a_workflow(Node("ask", "approval"))
    Step.objects.filter(pk=before.pk).update(waits_for=None, attempt=1)
    Step.objects.exclude(pk=before.pk).filter(node_id="ask").update(
        status=Status.WAITING_FOR_DEPENDENCY, available_at=None, waits_for=Step.APPROVAL
    )


CHANGES: list[tuple[set[str], Callable[[], object]]] = [
    ({"workflows"}, a_workflow),
    ({"workflows"}, lambda: Workflow.objects.update(seq=F("seq") + 1)),
    ({"workflows"}, lambda: Workflow.objects.update(updated_at=LATER)),
    ({"attention", "workflows"}, asks),
    ({"attention", "workflows"}, another_asks_instead),
    ({"attention"}, lambda: Notification.objects.create(title="Look", created_at=NOW)),
    ({"attention"}, lambda: NotificationRead.objects.create(notification=Notification.objects.get(), user=a_user(), read_at=NOW)),
    ({"workers"}, lambda: a_worker("v" * 32, heartbeat_at=LATER)),
    ({"workers"}, lambda: Worker.objects.update(drain_requested_at=NOW)),
    ({"workers"}, lambda: Worker.objects.update(stopped_at=NOW)),
    ({"workers"}, lambda: QueuePause.objects.create(pk=1, since=NOW)),
    ({"workers"}, lambda: BacklogSample.objects.create(at=NOW, due=1, running=0)),
    ({"events"}, lambda: Event.objects.create(payload={}, received_at=NOW, is_delivered=False)),
    ({"events"}, lambda: Event.objects.update(is_delivered=True)),
    ({"schedules"}, lambda: Schedule.objects.create(
        template=a_template(), name="nightly", cron="0 3 * * *", next_at=NOW, created_at=NOW, updated_at=NOW)),
    ({"schedules"}, lambda: Schedule.objects.create(
        template=a_template(), name="yearly", cron="0 3 1 1 *", next_at=LATER + timedelta(days=99), created_at=NOW, updated_at=NOW)),
    ({"schedules"}, fire),
    ({"schedules"}, lambda: Schedule.objects.update(next_at=None, updated_at=LATER)),
    ({"views"}, lambda: SavedView.objects.create(owner=a_user(), name="mine", created_at=NOW)),
    ({"views"}, lambda: SavedView.objects.update(is_shared=True)),
]  # fmt: skip


def test_each_part_changes_with_what_it_is_named_after_and_with_nothing_else() -> None:
    for parts, change in CHANGES:
        before = pulse()
        assert pulse() == before
        change()
        after = pulse()
        changed = {name for name in before.__slots__ if getattr(before, name) != getattr(after, name)}
        assert changed == parts


def test_a_glance_at_a_workflow_tells_its_steps_and_the_last_line_of_one() -> None:
    workflow, _other = a_workflow(Node("a", "delay"), Node("b", "delay")), a_workflow(Node("a", "delay"))
    Workflow.objects.filter(pk=workflow.pk).update(seq=7)
    lines = {id: a_log_line(Step.objects.get(workflow=workflow, node_id=id), f"of {id}").pk for id in ("a", "b")}
    assert glance(workflow.uid) == Glance(7, workflow.status, 0)
    assert glance(workflow.uid, "a") == Glance(7, workflow.status, lines["a"])
    assert glance(workflow.uid, "b") == Glance(7, workflow.status, lines["b"])
    assert glance(workflow.uid, "c") == glance(workflow.uid)
    assert glance(uuid.uuid4(), "a") is None


def test_all_who_ask_for_one_pulse_cost_one_statement_and_the_next_ask_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    run = Session.run
    monkeypatch.setattr(Session, "run", lambda self, statement, *rest: asked.append(statement) or run(self, statement, *rest))
    with one_pulse():
        before = pulse()
        a_workflow()
        asked.clear()
        assert pulse() == before and asked == []
    assert pulse() != before
    with one_pulse():
        assert pulse() != before


def test_the_newest_workflow_is_read_from_the_end_of_an_index() -> None:
    """PostgreSQL takes an output column of the same name for the one to sort by, and would sort all history as texts."""
    session = Session()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {session.statements.pulse}")
            plan = "\n".join(row[3] for row in cursor.fetchall())
            assert "workflow_newest" in plan and "TEMP B-TREE" not in plan
        else:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {session.statements.pulse}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "workflow_newest" in plan and "Sort" not in plan
