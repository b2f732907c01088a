"""Receiving events: kept once, matched against every trigger, with a reason where nothing starts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.at_once import at_once
from tests.factories import a_user, later
from workflows_app.catalog import arrivals, triggers
from workflows_app.catalog.events import receive, take
from workflows_app.catalog.publish import publish
from workflows_app.catalog.withdraw import withdraw
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.engine.report.events import receipt
from workflows_app.graph.statuses import Status
from workflows_app.models import Event, Workflow

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = {"type": "order", "order": {"id": "A-7", "amount": 20}}
IS_ORDER = {"==": [{"var": "type"}, "order"]}


def a_triggered(slug: str = "orders", trigger: Any = IS_ORDER, *, now: Any, params: Any = None, value: str = "x") -> Any:
    source = {
        "name": slug.title(),
        "tags": ["shop"],
        "trigger": trigger,
        "params": params or {"additionalProperties": True, "properties": {"order": {"type": "object"}}},
        "steps": [{"id": "show", "action": "output", "with": {"value": value}}],
    }
    return publish(slug=slug, source=json.dumps(source), now=now)


def the_match(event: Event) -> dict[str, Any]:
    (match,) = Event.objects.get(pk=event.pk).matches
    return match


def test_an_event_starts_the_template_whose_trigger_is_true_of_it(now):
    version = a_triggered(now=now)
    event = receive(payload=ORDER, source="shop", now=now)
    workflow = Workflow.objects.get()
    assert (workflow.event, workflow.template_version, workflow.params) == (event, version, ORDER)
    assert (workflow.name, workflow.tags, workflow.chain_depth, workflow.status) == ("Orders", ["shop"], 0, Status.PENDING)
    assert the_match(event) == {
        "template": "orders", "name": "Orders", "version": 1, "matched": True, "reason": None, "workflowId": str(workflow.uid),
    }  # fmt: skip
    assert event.matches == [the_match(event)]


def test_it_is_kept_as_it_came(now):
    by = a_user()
    event = Event.objects.get(pk=receive(payload={"ä": [1, None, {"x": 0.5}]}, source="shop", idempotency_key="k", by=by, now=now).pk)
    assert (event.payload, event.source, event.idempotency_key, event.received_at) == ({"ä": [1, None, {"x": 0.5}]}, "shop", "k", now)
    assert (event.received_by, event.chain_depth, event.deliveries, event.is_delivered) == (by, 0, [], True)


def test_an_event_that_matches_nothing_starts_nothing_and_says_so_of_each_template(now):
    a_triggered(now=now)
    found = the_match(receive(payload={"type": "refund"}, now=now))
    assert (found["matched"], found["reason"], found["workflowId"]) == (False, "the trigger is not true", None)
    assert not Workflow.objects.exists()


def test_templates_without_a_trigger_are_not_looked_at(now):
    a_triggered("plain", None, now=now)
    assert receive(payload=ORDER, now=now).matches == []


def test_every_template_that_matches_starts_once_and_they_are_told_by_slug(now):
    for slug in ("c", "a", "b"):
        a_triggered(slug, now=now)
    a_triggered("d", {"==": [{"var": "type"}, "refund"]}, now=now)
    event = receive(payload=ORDER, now=now)
    assert [(match["template"], match["matched"]) for match in event.matches] == [("a", True), ("b", True), ("c", True), ("d", False)]
    started = {match["workflowId"]: match["template"] for match in event.matches if match["workflowId"]}
    assert {str(w.uid): w.template_version.template.slug for w in Workflow.objects.all()} == started


def test_a_trigger_that_cannot_be_computed_does_not_match_and_says_why(now):
    a_triggered(trigger={"*": [{"var": "order.amount"}, 1e308]}, now=now)
    a_triggered("good", now=now)
    event = receive(payload=ORDER, now=now)
    bad = next(match for match in event.matches if match["template"] == "orders")
    assert not bad["matched"] and bad["reason"].startswith("the trigger cannot be computed: ") and bad["workflowId"] is None
    assert Workflow.objects.count() == 1


def test_a_payload_that_does_not_fit_matches_but_starts_nothing_and_says_which_field(now):
    a_triggered(params={"properties": {"type": {}, "order": {"properties": {"id": {"type": "integer"}}}}}, now=now)
    event = receive(payload=ORDER, now=now)
    assert the_match(event)["matched"] and the_match(event)["workflowId"] is None
    assert the_match(event)["reason"] == "the payload does not fit: order.id: 'A-7' is not of type 'integer'"
    assert not Workflow.objects.exists()


def test_defaults_of_the_schema_are_filled_in(now):
    a_triggered(params={"additionalProperties": True, "properties": {"note": {"type": "string", "default": "none"}}}, now=now)
    receive(payload=ORDER, now=now)
    assert Workflow.objects.get().params == {**ORDER, "note": "none"}


@pytest.mark.parametrize("payload", [[1, 2], "text", 7, None, True, {}, []], ids=repr)
def test_any_json_is_an_event_but_parameters_are_an_object(now, payload):
    a_triggered(trigger={"==": [1, 1]}, params={"additionalProperties": True}, now=now)
    event = receive(payload=payload, now=now)
    assert Event.objects.get().payload == payload
    if payload == {}:
        assert the_match(event)["workflowId"]
    else:
        assert the_match(event)["reason"] == "the payload does not fit: params: must be a JSON object"


@pytest.mark.parametrize(("depth", "starts"), [(0, True), (10, True), (11, False), (32_767, False)])
def test_a_chain_of_events_ends_at_the_limit(now, depth, starts):
    """A workflow that sends events cannot run away."""
    a_triggered(now=now)
    event = receive(payload=ORDER, chain_depth=depth, now=now)
    assert Workflow.objects.exists() is starts
    assert the_match(event)["reason"] == (None if starts else f"chain depth {depth} is above 10")
    assert event.chain_depth == depth
    if starts:
        assert Workflow.objects.get().chain_depth == depth


def test_the_limit_of_a_chain_is_a_setting(now, settings):
    a_triggered(now=now)
    settings.ENV = settings.ENV.model_copy(update={"max_event_chain": 0})
    receive(payload=ORDER, chain_depth=1, now=now)
    assert not Workflow.objects.exists()
    receive(payload=ORDER, chain_depth=0, now=now)
    assert Workflow.objects.exists()


def test_of_a_template_that_does_not_match_the_chain_is_no_matter(now):
    a_triggered(now=now)
    assert the_match(receive(payload={}, chain_depth=99, now=now))["reason"] == "the trigger is not true"


def test_the_same_key_and_payload_give_the_earlier_event_and_start_nothing(now):
    a_triggered(now=now)
    first = receive(payload=ORDER, source="shop", idempotency_key="k", now=now)
    again = receive(payload=dict(reversed(ORDER.items())), source="shop", idempotency_key="k", now=later(60))
    assert again == first and again.matches == first.matches
    assert Event.objects.count() == Workflow.objects.count() == 1


def test_the_same_key_with_another_payload_is_a_conflict(now):
    a_triggered(now=now)
    receive(payload=ORDER, idempotency_key="k", now=now)
    with pytest.raises(IdempotencyConflict, match="'k'"):
        receive(payload={**ORDER, "more": 1}, idempotency_key="k", now=now)
    assert Event.objects.count() == Workflow.objects.count() == 1


def test_a_key_belongs_to_its_source(now):
    a_triggered(now=now)
    for source in ("", "shop", "bank"):
        receive(payload=ORDER, source=source, idempotency_key="k", now=now)
    assert Event.objects.count() == Workflow.objects.count() == 3


def test_without_a_key_every_event_is_another(now):
    a_triggered(now=now)
    assert receive(payload=ORDER, now=now) != receive(payload=ORDER, now=now)
    assert Workflow.objects.count() == 2


def test_a_new_version_a_withdrawal_and_a_return_count_from_the_next_event_on(now):
    """What is kept of templates never hides a change, whichever process made it."""
    a_triggered(now=now)
    assert the_match(receive(payload=ORDER, now=now))["version"] == 1
    a_triggered(trigger={"==": [{"var": "type"}, "refund"]}, now=now)
    found = the_match(receive(payload=ORDER, now=now))
    assert (found["version"], found["matched"]) == (2, False)
    a_triggered(trigger=None, now=now)
    assert receive(payload=ORDER, now=now).matches == []
    a_triggered(now=now)
    withdraw(slug="orders", now=now)
    assert receive(payload=ORDER, now=now).matches == []
    a_triggered(now=now)
    assert the_match(receive(payload=ORDER, now=now))["version"] == 5


def test_templates_are_read_once_while_they_do_not_change(now, django_assert_num_queries):
    for number in range(20):
        a_triggered(f"t{number}", now=now)
    assert len(triggers.triggered()) == 20
    with django_assert_num_queries(0):  # one statement past the ORM
        assert len(triggers.triggered()) == 20


def test_what_is_kept_is_not_more_than_there_is(now):
    for _ in range(5):
        a_triggered(now=now)
        triggers.triggered()
    assert len(triggers._known) == 1


@pytest.mark.parametrize("many", [1, 30])
def test_an_event_costs_the_same_few_statements_whatever_it_starts(now, many, statements):
    for number in range(many):
        a_triggered(f"t{number}", now=now)
    receive(payload=ORDER, now=now)
    statements.clear()
    receive(payload=ORDER, now=now)
    assert len(statements) <= 7, statements  # begin, triggers, event, workflows, steps, matches, commit


@pytest.fixture
def statements():
    """Every statement that this thread's connection runs."""
    from django.db import connection

    seen: list[str] = []
    connection.ensure_connection()
    if connection.vendor != "sqlite":
        pytest.skip("the driver's trace is SQLite's")
    connection.connection.set_trace_callback(seen.append)
    yield seen
    connection.connection.set_trace_callback(None)


def test_the_same_key_at_the_same_moment_starts_one_workflow(now):
    a_triggered(now=now)
    for turn in range(10):
        found = at_once(lambda n, turn=turn: receive(payload=ORDER, idempotency_key=f"k{turn}", now=now).pk, 8)
        assert len(set(found)) == 1, found
    assert Event.objects.count() == Workflow.objects.count() == 10


def test_the_same_key_with_two_payloads_at_the_same_moment_is_kept_once_and_refused_once(now):
    a_triggered(now=now)
    for turn in range(10):
        found = at_once(lambda n, turn=turn: receive(payload={**ORDER, "n": n}, idempotency_key=f"k{turn}", now=now), 2)
        assert sorted(type(one).__name__ for one in found) == ["Event", "IdempotencyConflict"]
    assert Event.objects.count() == Workflow.objects.count() == 10


def test_events_that_arrive_together_are_all_kept_and_each_starts_its_own(now):
    a_triggered(now=now)
    found = at_once(lambda n: [receive(payload={**ORDER, "n": [n, i]}, now=now) for i in range(20)], 8)
    events = [event for some in found for event in some]
    assert len({event.pk for event in events}) == 160
    for event in events:
        workflow = Workflow.objects.get(event=event)
        assert workflow.params == event.payload and event.matches[0]["workflowId"] == str(workflow.uid)


def test_who_waits_for_the_turn_is_taken_along(now):
    """While one holds the turn, the others gather: they share one transaction."""
    a_triggered(now=now)
    kept: list[int] = []
    original = arrivals._keep
    try:
        arrivals._keep = lambda batch: kept.append(len(batch)) or original(batch)
        with arrivals._turn:
            import threading

            threads = [threading.Thread(target=_receive_and_close, args=(n, now)) for n in range(6)]
            for thread in threads:
                thread.start()
            while len(arrivals._queue) < 6:
                threading.Event().wait(0.001)
        for thread in threads:
            thread.join(20)
    finally:
        arrivals._keep = original
    assert kept == [6] and Workflow.objects.count() == 6


def _receive_and_close(number, now):
    from django.db import connections

    receive(payload={**ORDER, "n": number}, now=now)
    connections.close_all()


def test_one_that_cannot_be_kept_is_told_and_the_others_are_kept(now, refusing_events):
    """They share a transaction, not its failure."""
    a_triggered(now=now)
    for _ in range(5):
        found = at_once(lambda n: receive(payload={**ORDER, "n": n, "word": refusing_events if n == 3 else "fine"}, now=now), 8)
        failed = [n for n, one in enumerate(found) if isinstance(one, Exception)]
        assert failed == [3]
    assert Event.objects.count() == Workflow.objects.count() == 35
    assert not arrivals._queue


@pytest.fixture
def refusing_events(transactional_db):
    """A word in a payload that the database will not take."""
    from django.db import connection

    word, table = "poison", "workflows_app_event"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            refuse = f"WHEN NEW.payload LIKE '%{word}%' BEGIN SELECT RAISE(ABORT, 'refused by the test'); END"
            cursor.execute(f"CREATE TRIGGER refuse_event BEFORE INSERT ON {table} {refuse}")
            undo = "DROP TRIGGER refuse_event"
        else:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT refuse_event CHECK (payload::text NOT LIKE '%{word}%')")
            undo = f"ALTER TABLE {table} DROP CONSTRAINT refuse_event"
    yield word
    with connection.cursor() as cursor:
        cursor.execute(undo)


def test_workflows_over_the_limit_wait_for_a_place(now, settings):
    a_triggered(now=now)
    settings.ENV = settings.ENV.model_copy(update={"max_concurrent_workflows": 1})
    for _ in range(2):
        receive(payload=ORDER, now=now)
    assert sorted(Workflow.objects.values_list("status", flat=True)) == [Status.PENDING, Status.WAITING_FOR_DEPENDENCY]


def test_many_heavy_triggers_take_no_longer_than_one_and_starve_no_other(now):
    """A second for each of a hundred templates would keep the sender for minutes."""
    heavy = {"some": [{"var": "rows"}, {"==": [{"var": ""}, -1]}]}
    payload = {"rows": [0] * 40_000, "type": "order"}
    a_triggered("heavy", heavy, now=now)
    assert the_match(receive(payload=payload, now=now))["reason"] == "the trigger is not true"
    for number in range(19):
        a_triggered(f"heavy-{number}", heavy, now=now)
    a_triggered("orders", now=now)
    told = {match["template"]: match for match in receive(payload=payload, now=now).matches}
    assert told.pop("orders")["workflowId"]
    assert len(told) == 20 and all("too much work" in match["reason"] for match in told.values())


def test_an_event_waits_four_times_for_postgresql(now, exchanges):
    """Clock and triggers; event; workflows; steps and commit."""
    a_triggered(now=now)
    take(payload=ORDER)
    exchanges.clear()
    taken = take(payload=ORDER)
    assert [workflow.params for workflow in taken.started] == [ORDER]
    assert len(exchanges) == 4 and Workflow.objects.count() == 2, exchanges


@pytest.fixture
def exchanges(monkeypatch):
    """What each exchange with PostgreSQL carried."""
    from django.db import connection

    if connection.vendor == "sqlite":
        pytest.skip("SQLite has nobody to wait for")
    from workflows_app.engine.sql import wire

    seen: list[Any] = []
    original = wire.exchange
    monkeypatch.setattr(wire, "exchange", lambda driver, requests: seen.append(requests) or original(driver, requests))
    return seen


def test_what_is_taken_tells_the_workflows_that_it_started_just_now(now):
    a_triggered(now=now)
    first, again = take(payload=ORDER, idempotency_key="k"), take(payload=ORDER, idempotency_key="k")
    assert [workflow.pk for workflow in first.started] == [Workflow.objects.get().pk]
    assert again.event == first.event and not again.started
    assert receipt(first.event, first.started) == receipt(again.event)
