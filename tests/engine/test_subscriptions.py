"""Steps that wait for events: each wait is answered once, and no event is lost between a claim and its subscription."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.engine.at_once import at_once
from tests.engine.rival import claim_as
from tests.engine.stage import Stage, log_of, node, outcomes, statuses, step
from workflows_app.actions.base import Listen, Wait
from workflows_app.catalog.events import receive
from workflows_app.engine import answers, effects, subscriptions
from workflows_app.engine.commit import apply, record
from workflows_app.engine.outcomes import Outcome, returned
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.engine.subscriptions import Sweeper, catch_up, deliver, digest
from workflows_app.models import Event, Step, Subscription, Workflow

ORDER = {"order": {"id": 7, "lines": [{"sku": "a"}]}, "type": "paid"}
RIVAL = "9" * 32


def wait(id: str = "wait", *needs: str, **config: Any) -> Any:
    return node(id, "wait_for_event", *needs, config=config)


def waiting(stage: Stage, **config: Any) -> Workflow:
    """A workflow whose one step waits by now."""
    workflow = stage.start(wait(**config))
    stage.drain()
    assert step(workflow, "wait").waits_for == Step.EVENT, log_of(workflow, "wait")
    return workflow


def send(stage: Stage, payload: Any = ORDER, **more: Any) -> Event:
    return receive(payload=payload, now=stage.now, **more)


def stored(stage: Stage, payload: Any = ORDER, source: str = "", *, at: Any = None) -> Event:
    """An event that was kept by somebody who died before delivering it."""
    return Event.objects.create(payload=payload, source=source, received_at=at or stage.now, is_delivered=False)


def is_waiting(workflow: Workflow, id: str = "wait") -> bool:
    return step(workflow, id).waits_for == Step.EVENT


def test_an_event_answers_the_step_that_waits_for_it(stage: Stage) -> None:
    workflow = waiting(stage)
    event = send(stage, source="shop")
    assert event.deliveries == [{"workflowId": str(workflow.uid), "stepId": "wait"}] and event.is_delivered
    stage.play(workflow)
    found = step(workflow, "wait").output
    assert (found["id"], found["source"], found["payload"]) == (str(event.uid), "shop", ORDER)
    assert workflow.status == "COMPLETED" and outcomes(workflow, "wait") == ["completed"]
    assert not Subscription.objects.exists()


def test_an_event_answers_every_step_that_waits_for_it(stage: Stage) -> None:
    several = [waiting(stage) for _ in range(3)]
    event = send(stage)
    assert {found["workflowId"] for found in event.deliveries} == {str(workflow.uid) for workflow in several}
    assert Event.objects.get().deliveries == event.deliveries


@pytest.mark.parametrize(
    ("config", "payload", "source", "is_meant"),
    [
        ({}, ORDER, "", True),
        ({"source": "shop"}, ORDER, "shop", True),
        ({"source": "shop"}, ORDER, "", False),
        ({"source": "shop"}, ORDER, "bank", False),
        ({"correlate": {"path": "order.id", "value": 7}}, ORDER, "", True),
        ({"correlate": {"path": "order.id", "value": "7"}}, ORDER, "", False),
        ({"correlate": {"path": "order.id", "value": 8}}, ORDER, "", False),
        ({"correlate": {"path": "order.no", "value": None}}, ORDER, "", False),
        ({"correlate": {"path": "order.no", "value": None}}, {"order": {"no": None}}, "", True),
        ({"correlate": {"path": "order.lines[0].sku", "value": "a"}}, ORDER, "", True),
        ({"correlate": {"path": "order.lines[-1]", "value": {"sku": "a"}}}, ORDER, "", True),
        ({"correlate": {"path": "order", "value": {"b": 1, "a": "ä"}}}, {"order": {"a": "ä", "b": 1}}, "", True),
        ({"correlate": {"path": "order.id", "value": 7}}, [7], "", False),
        ({"correlate": {"path": "order.id", "value": 7}}, "order", "", False),
        ({"match": {"==": [{"var": "type"}, "paid"]}}, ORDER, "", True),
        ({"match": {"==": [{"var": "type"}, "sent"]}}, ORDER, "", False),
        ({"match": {"*": [{"var": "order.id"}, 1e308]}}, ORDER, "", False),
        ({"match": {"==": [{"var": "type"}, "paid"]}, "correlate": {"path": "order.id", "value": 7}, "source": "s"}, ORDER, "s", True),
        ({"match": {"==": [{"var": "type"}, "sent"]}, "correlate": {"path": "order.id", "value": 7}, "source": "s"}, ORDER, "s", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["delivered", "caught up"])
def test_only_what_fits_is_taken(stage: Stage, config: Any, payload: Any, source: str, is_meant: bool, way: str) -> None:
    """The same rule for an event that comes while the step waits and for one that came before its subscription."""
    workflow = waiting(stage, **config)
    if way == "delivered":
        send(stage, payload, source=source)
    else:
        stored(stage, payload, source)
        catch_up(now=stage.now, step_ids=[step(workflow, "wait").pk])
    assert is_waiting(workflow) is not is_meant


def test_one_subscription_of_many_is_found_by_its_value(stage: Stage) -> None:
    several = [waiting(stage, correlate={"path": "order.id", "value": number}) for number in range(10)]
    send(stage)
    assert [is_waiting(workflow) for workflow in several] == [number != 7 for number in range(10)]


@pytest.mark.django_db
def test_the_digest_is_of_the_value_not_of_its_text() -> None:
    assert digest({"a": 1, "b": "ä"}) == digest(dict([("b", "ä"), ("a", 1)]))
    assert len({digest(value) for value in (1, "1", True, None, [], {}, [1], "ä", "a")}) == 9
    assert digest([7, 100]) == digest([7.0, 1e2]) != digest([7.5, 100])
    assert digest("\ud800")  # half a pair is no reason to fail


def test_an_event_of_before_the_claim_does_not_count(stage: Stage) -> None:
    stored(stage, at=stage.now - timedelta(seconds=1))
    workflow = waiting(stage)
    Sweeper().sweep(now=stage.now + timedelta(minutes=1))
    assert is_waiting(workflow)


def test_with_since_workflow_an_event_of_before_the_claim_counts(stage: Stage) -> None:
    workflow = stage.start(node("first"), wait("wait", "first", since="workflow"))
    event = send(stage)
    stage.play(workflow)
    assert step(workflow, "wait").output["id"] == str(event.uid)


def test_an_event_between_the_claim_and_the_subscription_is_not_lost(stage: Stage) -> None:
    """It was kept while nobody waited, so it counts as delivered; the step looks back when its wait is recorded."""
    workflow = stage.start(wait())
    (claim,) = claim_as(RIVAL, now=stage.now)
    event = send(stage)
    assert event.is_delivered and event.deliveries == []
    record_as_rival(stage, returned(claim, Wait(None, {"seconds": None}, "an event", answer="event", listen=Listen()), at=stage.now))
    assert Event.objects.get().deliveries == [{"workflowId": str(workflow.uid), "stepId": "wait"}]
    stage.play(workflow)
    assert step(workflow, "wait").output["id"] == str(event.uid)


def test_an_event_at_the_moment_of_the_subscription_is_not_lost(stage: Stage) -> None:
    for _ in range(15):
        workflow = stage.start(wait())
        (claim,) = claim_as(RIVAL, now=stage.now)
        outcome = returned(claim, Wait(None, {"seconds": None}, "an event", answer="event", listen=Listen()), at=stage.now)
        found = at_once(lambda n, o=outcome: send(stage) if n else record_as_rival(stage, o), 2)
        assert not [one for one in found if isinstance(one, Exception)], found
        if connection.vendor == "postgresql" and is_waiting(workflow):  # neither saw the other's row before its own was committed
            Sweeper().sweep(now=stage.now)
        assert not is_waiting(workflow)
        stage.play(workflow)


def record_as_rival(stage: Stage, outcome: Outcome) -> None:
    """As the loop does: record, commit, look back."""
    with write() as session:
        recorded = record(session, worker_id=RIVAL, outcomes=[outcome], now=stage.now)
        apply(session, recorded.deltas, now=stage.now)
    effects.committed([outcome], now=stage.now)


def test_the_oldest_event_answers(stage: Stage) -> None:
    workflow = waiting(stage)
    events = [stored(stage, {"n": n}) for n in range(3)]
    assert catch_up(now=stage.now) == 1
    stage.play(workflow)
    assert step(workflow, "wait").output["id"] == str(events[0].uid)
    assert Event.objects.get(pk=events[1].pk).deliveries == []


def test_looking_back_answers_each_wait_once_and_leaves_the_others(stage: Stage) -> None:
    first, other = waiting(stage), waiting(stage, source="bank")
    stored(stage)
    ids = [step(workflow, "wait").pk for workflow in (first, other)]
    assert catch_up(now=stage.now, step_ids=ids) == 1
    assert catch_up(now=stage.now, step_ids=ids) == 0
    assert not is_waiting(first) and is_waiting(other)


def test_two_events_at_the_same_moment_answer_once(stage: Stage) -> None:
    for _ in range(10):
        workflow = waiting(stage)
        events = [stored(stage, {"n": n}) for n in range(4)]
        taken = at_once(lambda n, events=events: deliver(events[n], now=stage.now), 4)
        assert sorted(taken) == [0, 0, 0, 1]  # type: ignore[type-var]
        stage.play(workflow)
        told = [event for event in Event.objects.filter(pk__in=[e.pk for e in events]) if event.deliveries]
        assert [str(event.uid) for event in told] == [step(workflow, "wait").output["id"]]
        assert outcomes(workflow, "wait") == ["completed"]


def test_one_event_delivered_by_two_at_the_same_moment_is_taken_once(stage: Stage) -> None:
    for _ in range(10):
        workflow = waiting(stage)
        event = stored(stage)
        taken = at_once(lambda n, event=event: deliver(Event.objects.get(pk=event.pk), now=stage.now), 3)
        assert sorted(taken) == [0, 0, 1]  # type: ignore[type-var]
        assert Event.objects.get(pk=event.pk).deliveries == [{"workflowId": str(workflow.uid), "stepId": "wait"}]
        stage.play(workflow)


def test_two_events_that_both_answer_some_steps_lose_no_note(stage: Stage) -> None:
    several = [waiting(stage) for _ in range(12)]
    events = [stored(stage, {"n": n}) for n in range(2)]
    at_once(lambda n: deliver(events[n], now=stage.now), 2)
    noted = [found["workflowId"] for event in Event.objects.all() for found in event.deliveries]
    assert sorted(noted) == sorted(str(workflow.uid) for workflow in several)


def test_an_event_after_the_time_ran_out_finds_nobody(stage: Stage) -> None:
    workflow = waiting(stage, timeout=5, on_expiry="continue")
    stage.play(workflow)
    assert step(workflow, "wait").output == {"expired": True}
    assert send(stage).deliveries == []


def test_expiry_and_event_at_the_same_moment_are_one_of_the_two(stage: Stage) -> None:
    """Whichever is first: the event is noted exactly when the step has it."""
    for _ in range(15):
        workflow = waiting(stage, timeout=5, on_expiry="continue")
        stage.to_next_timer()
        event = stored(stage)
        found = at_once(lambda n, event=event: deliver(event, now=stage.now) if n else claim_and_end(stage), 2)
        assert not [one for one in found if isinstance(one, Exception)], found
        stage.play(workflow)
        is_told = bool(Event.objects.get(pk=event.pk).deliveries)
        assert step(workflow, "wait").output.get("id") == (str(event.uid) if is_told else None)


def claim_and_end(stage: Stage) -> None:
    """A rival claims what is due and ends it with what it was told."""
    for claim in claim_as(RIVAL, now=stage.now):
        output = {"id": claim.answer["id"]} if claim.answer else {"expired": True}
        record_as_rival(stage, returned(claim, output, at=stage.now))


def test_a_stopped_workflow_takes_no_event(stage: Stage) -> None:
    workflow = waiting(stage)
    stage.stop(workflow)
    assert send(stage).deliveries == [] and statuses(workflow) == {"wait": "STOPPED"}


def test_a_deleted_workflow_leaves_no_subscription(stage: Stage) -> None:
    workflow = waiting(stage)
    Workflow.objects.filter(pk=workflow.pk).delete()
    assert not Subscription.objects.exists() and send(stage).deliveries == []


def test_a_subscription_of_an_earlier_attempt_answers_nothing(stage: Stage) -> None:
    workflow = waiting(stage)
    Subscription.objects.update(attempt=0)
    assert send(stage).deliveries == [] and is_waiting(workflow)


def test_an_event_counts_as_delivered_at_once_when_nobody_waits(stage: Stage) -> None:
    assert send(stage).is_delivered
    waiting(stage, source="bank")
    event = send(stage)
    assert Event.objects.get(pk=event.pk).is_delivered and event.deliveries == []


def test_the_sweeper_delivers_what_was_left(stage: Stage) -> None:
    """Whoever kept the event died before it was delivered."""
    workflow = waiting(stage)
    event = stored(stage)
    sweeper = Sweeper()
    Subscription.objects.update(created_at=stage.now - timedelta(hours=1))
    sweeper._swept_at = stage.now
    assert sweeper.sweep(now=stage.now) == 0, "it is left to who kept it for a moment"
    assert sweeper.sweep(now=stage.now + timedelta(seconds=3)) == 1
    assert Event.objects.get(pk=event.pk).is_delivered and not is_waiting(workflow)


def test_the_first_sweep_of_a_process_catches_up_what_was_left_however_old(stage: Stage) -> None:
    """Everything was killed between the record of the wait and the look back, and started again an hour later."""
    workflow = waiting(stage)
    event = stored(stage)
    Event.objects.update(is_delivered=True)
    assert Sweeper().sweep(now=stage.now + timedelta(hours=1)) == 1
    stage.play(workflow)
    assert step(workflow, "wait").output["id"] == str(event.uid)


def test_later_sweeps_look_back_for_new_subscriptions_only(stage: Stage) -> None:
    """On PostgreSQL an event may become visible shortly after a subscription that it could not see."""
    sweeper = Sweeper()
    sweeper.sweep(now=stage.now)
    workflow = waiting(stage)
    stored(stage)
    Event.objects.update(is_delivered=True)
    Subscription.objects.update(created_at=stage.now - timedelta(seconds=40))
    assert sweeper.sweep(now=stage.now) == 0
    Subscription.objects.update(created_at=stage.now - timedelta(seconds=20))
    assert sweeper.sweep(now=stage.now) == 1 and not is_waiting(workflow)


def test_a_sweeper_that_slept_looks_back_from_its_last_sweep(stage: Stage) -> None:
    sweeper = Sweeper()
    sweeper.sweep(now=stage.now)
    workflow = waiting(stage)
    stored(stage)
    Event.objects.update(is_delivered=True)
    assert sweeper.sweep(now=stage.now + timedelta(minutes=10)) == 1 and not is_waiting(workflow)


def test_a_sweep_with_nothing_to_do_writes_nothing_and_asks_twice(stage: Stage, django_assert_num_queries: Any) -> None:
    waiting(stage, source="bank")
    Subscription.objects.update(created_at=stage.now - timedelta(hours=1))
    send(stage)
    sweeper = Sweeper()
    sweeper.sweep(now=stage.now)
    with django_assert_num_queries(2):
        sweeper.sweep(now=stage.now)


def test_subscriptions_whose_step_waits_no_more_are_forgotten(stage: Stage) -> None:
    expired, still = waiting(stage, timeout=5, on_expiry="continue"), waiting(stage)
    stage.play(expired)
    assert Subscription.objects.filter(step__workflow=expired).exists() or Subscription.objects.count() == 1
    subscriptions.prune()
    assert list(Subscription.objects.values_list("step__workflow", flat=True)) == [still.pk]
    assert is_waiting(still)


def test_an_answer_of_another_kind_is_not_taken(stage: Stage) -> None:
    workflow = waiting(stage)
    row = step(workflow, "wait")
    assert not answers.answer(step_id=row.pk, attempt=row.attempt, kind=Step.APPROVAL, answer={}, now=stage.now)
    assert is_waiting(workflow)


def test_many_waiting_steps_are_found_without_a_scan(stage: Stage) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the plan is SQLite's")
    session = Session()
    plan = session.run(f"EXPLAIN QUERY PLAN {session.statements.awaited_paths}")
    assert not [row[3] for row in plan if row[3].startswith("SCAN") and "subscription" in row[3].lower() and "INDEX" not in row[3]]
    plan = session.run(f"EXPLAIN QUERY PLAN {session.statements.waiting_steps}", batch=[], source="", received_at=stage.now)
    assert any("subscription_by_value" in row[3] for row in plan), plan


def test_many_heavy_waits_share_the_work_of_one_and_hinder_no_other(stage: Stage) -> None:
    """Each may take a second over a long payload: thirty would keep the sender of the event for half a minute."""
    heavy = {"some": [{"var": "rows"}, {"==": [{"var": ""}, -1]}]}
    waits = [wait(f"w{number}", match={"or": [heavy, {"==": [{"var": "kind"}, "order"]}]}) for number in range(20)]
    workflow = stage.start(*waits, wait("plain", match={"==": [{"var": "kind"}, "order"]}))
    stage.drain()
    event = send(stage, {"rows": [0] * 40_000, "kind": "order"})
    assert [taken["stepId"] for taken in event.deliveries] == ["plain"]
    assert is_waiting(workflow, "w0") and not is_waiting(workflow, "plain")
