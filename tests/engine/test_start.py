"""Starting: all rows in one transaction, one workflow per idempotency key."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.engine.at_once import at_once
from tests.engine.stage import Stage, node
from workflows_app.engine import definitions, start
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.engine.start import Order
from workflows_app.graph.definition import Definition
from workflows_app.models import Step, Workflow

RACERS = 8


def order(stage: Stage, key: str | None = None, digest: str = "same") -> Order:
    row = definitions.store(definition=Definition((node("a"), node("b", "echo", "a"))), now=stage.now)
    return Order(definition=row, name="A workflow", idempotency_key=key, idempotency_digest=digest)


def test_a_new_workflow_is_pending_with_its_roots_due(stage: Stage) -> None:
    workflow = start.start(order=order(stage), now=stage.now)
    assert (workflow.status, workflow.total_steps, workflow.active_steps, workflow.seq) == ("PENDING", 2, 1, 1)
    assert list(workflow.steps.values_list("node_id", "status", "remaining")) == [("a", "PENDING", 0), ("b", "WAITING_FOR_DEPENDENCY", 1)]
    assert workflow.steps.get(node_id="b").available_at is None


def test_the_same_key_and_payload_answers_with_the_same_workflow(stage: Stage) -> None:
    first, again = (start.start(order=order(stage, "k"), now=stage.now) for _ in range(2))
    assert first.pk == again.pk and Step.objects.count() == 2


def test_the_same_key_with_another_payload_is_refused(stage: Stage) -> None:
    start.start(order=order(stage, "k"), now=stage.now)
    with pytest.raises(IdempotencyConflict, match="'k' was already used"):
        start.start(order=order(stage, "k", digest="other"), now=stage.now)
    assert Workflow.objects.count() == 1


def test_one_call_may_hold_the_same_key_twice(stage: Stage) -> None:
    orders = [order(stage, "k"), order(stage), order(stage, "k"), order(stage)]
    found = start.start_many(orders=orders, now=stage.now)
    assert found[0] is found[2] and len({workflow.pk for workflow in found}) == 3
    with pytest.raises(IdempotencyConflict):
        start.start_many(orders=[order(stage, "n"), order(stage, "n", digest="other")], now=stage.now)
    assert not Workflow.objects.filter(idempotency_key="n").exists()


def test_starts_at_the_same_moment_with_one_key_give_one_workflow(stage: Stage) -> None:
    the_order = order(stage, "race")
    for attempt in range(5):
        the_order = order(stage, f"race {attempt}")
        found = at_once(lambda _, o=the_order: start.start(order=o, now=stage.now), RACERS)
        assert {type(each) for each in found} == {Workflow}, found
        assert len({each.pk for each in found}) == 1  # type: ignore[attr-defined]
    assert Workflow.objects.count() == 5 and Step.objects.count() == 10


def test_a_start_that_fails_leaves_nothing(stage: Stage) -> None:
    bad = Order(definition=order(stage).definition, name="x" * 300, tags=["\ud800"])
    with pytest.raises(Exception):  # noqa: B017  a different one per database
        start.start_many(orders=[order(stage), bad, Order(definition=bad.definition, name=None)], now=stage.now)  # type: ignore[arg-type]
    assert not Workflow.objects.exists() and not Step.objects.exists()


def test_many_writers_at_once_are_never_told_that_the_database_is_locked(stage: Stage) -> None:
    orders = [order(stage) for _ in range(RACERS)]
    found = at_once(lambda number: [start.start(order=orders[number], now=stage.now) for _ in range(20)], RACERS)
    assert {type(each) for each in found} == {list} and Workflow.objects.count() == 20 * RACERS


def test_a_definition_stored_by_many_at_once_is_one_row(stage: Stage) -> None:
    found = at_once(lambda _: definitions.store(definition=Definition((node("only", config={"value": "here"}),)), now=stage.now).pk, RACERS)
    assert len(set(found)) == 1 and isinstance(found[0], str), found


def test_sqlite_is_durable(stage: Stage) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own settings")
    with connection.cursor() as cursor:
        found = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
