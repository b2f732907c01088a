"""What is older than it is kept goes, whole, and nothing else does."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import InterfaceError, connection

from tests import factories
from tests.factories import NOW
from workflows_app.engine import control, definitions, start
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.retention import Pruner, Pruning, count_old
from workflows_app.engine.retention.pace import Interrupted, Pace
from workflows_app.engine.sql.tables import REMOVED
from workflows_app.graph.definition import Definition as Graph
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import (
    Attempt,
    Definition,
    Event,
    Layout,
    LogLine,
    Notification,
    NotificationRead,
    Repair,
    Step,
    Subscription,
    Template,
    TemplateVersion,
    Worker,
    Workflow,
)  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = (Workflow, Step, Attempt, LogLine, Subscription, Notification, NotificationRead)
ONE = Node("a", "echo")


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def ended(days: float, *nodes: Node, template: Template | None = None, lines: int = 2, **changes: Any) -> Workflow:
    """A completed workflow that ended so many days ago, with all that may hang on one."""
    nodes = nodes or (ONE,)
    statuses = {node.id: Status.COMPLETED for node in nodes}
    workflow = factories.a_workflow(*nodes, statuses=statuses, template=template, **{"ended_at": ago(days), **changes})
    for step in workflow.steps.all():
        factories.an_attempt(step)
        LogLine.objects.bulk_create(LogLine(step=step, attempt=1, at=NOW, message=str(n)) for n in range(lines))
        Subscription.objects.create(step=step, attempt=1, since=NOW, created_at=NOW)
    notice = Notification.objects.create(title="Done", workflow=workflow, created_at=ago(days))
    NotificationRead.objects.create(notification=notice, user=factories.a_user(), read_at=NOW)
    return workflow


def prune(days: int = 90, **pace: Any) -> Counter[str]:
    return Pruning(Pace(**pace)).run(now=NOW, days=days).counts


def left() -> set[int]:
    return set(Workflow.objects.values_list("pk", flat=True))


def whole() -> None:
    """No row refers to one that is gone."""
    connection.check_constraints()
    assert not Step.objects.exclude(workflow__in=Workflow.objects.all()).exists()
    assert not LogLine.objects.exclude(step__in=Step.objects.all()).exists()


def test_what_ended_long_ago_goes_with_everything_it_recorded() -> None:
    old, young = ended(91), ended(89)
    active = factories.a_workflow(ONE, created_at=ago(500))
    assert prune() == {"workflow": 1, "step": 1, "attempt": 1, "logline": 2, "subscription": 1, "notification": 1}
    assert left() == {young.pk, active.pk}
    assert [model.objects.count() for model in TABLES] == [2, 2, 1, 2, 1, 1, 1]
    whole()
    assert not Workflow.objects.filter(pk=old.pk).exists()


def test_zero_days_mean_for_ever() -> None:
    ended(40_000)
    assert not prune(0) and Workflow.objects.count() == 1


def a_template(slug: str, days: int | None) -> Template:
    template = factories.a_template(slug, definition=factories.a_definition(ONE))
    TemplateVersion.objects.filter(template=template).update(retention_days=days)
    template.refresh_from_db()
    return template


def test_a_template_says_otherwise_for_its_own() -> None:
    quick, usual, eternal = a_template("quick", 2), a_template("usual", None), a_template("eternal", 0)
    kept = [ended(1, template=quick), ended(50, template=usual), ended(5_000, template=eternal), ended(50)]
    for days, template in ((3, quick), (91, usual), (91, None)):
        ended(days, template=template)
    assert prune()["workflow"] == 3 and left() == {workflow.pk for workflow in kept}
    ended(3, template=quick)
    assert prune(0)["workflow"] == 1, "what a template says does not depend on the setting"
    whole()


def test_the_parts_of_a_workflow_go_with_it_and_never_before_it() -> None:
    root, active = ended(10), factories.a_workflow(ONE)
    part = ended(100, root=active, parent=active, parent_step=active.steps.get(), depth=1)
    old = ended(100)
    nested = ended(101, root=old, parent=old, parent_step=old.steps.get(), depth=1)
    ended(102, root=old, parent=nested, parent_step=nested.steps.get(), depth=2)
    assert prune()["workflow"] == 3 and left() == {root.pk, active.pk, part.pk}
    whole()


def test_a_workflow_with_an_active_part_stays_until_that_has_ended() -> None:
    old = ended(100)
    part = factories.a_workflow(ONE, root=old, parent=old, depth=1)
    assert not prune()["workflow"] and left() == {old.pk, part.pk}


def test_what_was_started_from_it_forgets_it() -> None:
    old = ended(100)
    again = factories.a_workflow(ONE, parent=old)
    repair = Repair.objects.create(at=NOW, kind="counters", workflow=old, detail="x")
    prune()
    again.refresh_from_db()
    repair.refresh_from_db()
    assert (again.parent_id, repair.workflow_id) == (None, None)


def test_one_with_more_than_a_transaction_takes_goes_bit_by_bit() -> None:
    nodes = [Node("m", "map", body=ONE), *(Node(f"n{n}", "echo") for n in range(40))]
    big = ended(100, *nodes, lines=30)
    parent = big.steps.get(node_id="m")
    Step.objects.bulk_create(
        Step(workflow=big, parent=parent, node_id=f"m[{n}]", position=n, status="COMPLETED", ended_at=NOW) for n in range(40)
    )
    young = ended(1)
    counts = prune(size=10)
    assert (counts["step"], counts["logline"], counts["workflow"]) == (81, 41 * 30, 1) and left() == {young.pk}
    whole()


class Budget:
    """Lets so many transactions through, then the process leaves."""

    def __init__(self, count: int) -> None:
        self.count = count

    def is_over(self) -> bool:
        self.count -= 1
        return self.count < 0


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 9])
def test_after_any_number_of_transactions_nothing_is_broken_and_the_next_pass_goes_on(count: int) -> None:
    big = ended(100, *(Node(f"n{n}", "echo") for n in range(30)), lines=3)
    part = ended(100, *(Node(f"n{n}", "echo") for n in range(20)), root=big, parent=big, parent_step=big.steps.first(), depth=1)
    with pytest.raises(Interrupted):
        prune(size=10, is_over=Budget(count).is_over)
    whole()
    assert Workflow.objects.filter(pk=big.pk).exists(), "the row of the whole goes last"
    assert prune(size=10)["workflow"] + (not Workflow.objects.filter(pk=part.pk).exists()) >= 1 and not left()
    whole()


def test_what_is_being_removed_cannot_be_begun_again() -> None:
    big = ended(100, *(Node(f"n{n}", "echo") for n in range(30)))
    with pytest.raises(Interrupted):
        prune(size=10, is_over=Budget(2).is_over)
    big.refresh_from_db()
    assert big.metadata[REMOVED]
    for verb in (control.rerun, control.resume, lambda **how: control.retry(**how, from_step="n1")):
        with pytest.raises(NotAllowed):
            verb(uid=big.uid, now=NOW)
    control.delete(uid=big.uid)
    assert not left()


def test_one_that_was_begun_again_since_it_was_found_stays() -> None:
    old = ended(100)

    def begin_again() -> bool:
        Workflow.objects.filter(pk=old.pk).update(status="RUNNING", ended_at=None, done_steps=0)
        return False

    assert not prune(is_over=begin_again)["workflow"] and old.steps.count() == 1


def test_old_events_go_but_not_those_whose_workflow_is_kept() -> None:
    def event(days: float, **changes: Any) -> Event:
        return Event.objects.create(payload={}, received_at=ago(days), **{"is_delivered": True, **changes})

    gone, undelivered, young, used = event(100), event(100, is_delivered=False), event(80), event(100)
    ended(10, event=used)
    assert prune()["event"] == 1
    assert set(Event.objects.values_list("pk", flat=True)) == {undelivered.pk, young.pk, used.pk} and gone.pk


def test_old_notifications_and_repairs_of_nobody_go() -> None:
    for days in (100, 10):
        notice = Notification.objects.create(title="x", created_at=ago(days))
        NotificationRead.objects.create(notification=notice, user=factories.a_user(), read_at=NOW)
        Repair.objects.create(at=ago(days), kind="counters", detail="x")
    assert prune() == {"notification": 1, "repair": 1}
    assert Notification.objects.count() == NotificationRead.objects.count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="on SQLite all workers are of this host, and idle ones do not write")
def test_workers_of_hosts_that_are_long_gone_are_forgotten() -> None:
    factories.a_worker("a" * 32, heartbeat_at=ago(100))
    kept = factories.a_worker("b" * 32, heartbeat_at=ago(10))
    assert prune() == {"worker": 1} and Worker.objects.get() == kept


def test_definitions_that_nothing_uses_go_and_one_that_is_used_again_just_then_comes_back() -> None:
    unused = factories.a_definition(Node("unused", "echo"))
    kept = [ended(1).definition, a_template("t", None).current.definition]  # type: ignore[union-attr]
    fresh = definitions.store(definition=Graph((Node("fresh", "echo"),)), now=NOW)
    for drawn in (unused, kept[0]):
        Layout.objects.create(definition=drawn, variant="LR", body={}, created_at=NOW)
    Definition.objects.exclude(pk=fresh.pk).update(created_at=ago(2))
    assert prune() == {"definition": 1}
    assert set(Definition.objects.values_list("pk", flat=True)) == {kept[0].pk, kept[1].pk, fresh.pk}
    assert Layout.objects.get().definition == kept[0]
    workflow = start.start(order=start.Order(definition=unused, name="Just then"), now=NOW)
    assert workflow.steps.get().node_id == "unused"
    whole()


def test_those_who_stay_are_not_looked_at_again_before_it_looks_from_the_start() -> None:
    pruning, old = Pruning(Pace()), ended(100)
    part = factories.a_workflow(ONE, root=old, parent=old, depth=1)
    assert not pruning.run(now=NOW, days=90).counts
    Workflow.objects.filter(pk=part.pk).update(status="COMPLETED", active_steps=0, done_steps=1, ended_at=ago(100))
    younger = ended(99)
    assert pruning.run(now=NOW, days=90).counts["workflow"] == 1 and not Workflow.objects.filter(pk=younger.pk).exists()
    pruning.from_start()
    assert pruning.run(now=NOW, days=90).counts["workflow"] == 2


def test_the_size_of_a_transaction_follows_the_time_it_takes() -> None:
    pace = Pace(size=100)
    pace._learn(0.2)
    assert pace.size == 50
    for _ in range(20):
        pace._learn(0.001)
    assert pace.size == 5_000


def test_a_count_says_what_would_go() -> None:
    ended(100, lines=3)
    ended(1)
    assert count_old(now=NOW, days=90) == {"workflow": 1, "step": 1, "logline": 3}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [RuntimeError, InterfaceError])
def test_the_pruner_outlives_any_error_and_says_so(error: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise error("odd")

    pruner = Pruner()
    pruner.look = fail
    pruner._look_patiently()
    assert "The pruner could not go on" in caplog.text
