"""Maps, sub-workflows and events at the same moment as claims, stops, retries and each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections

from tests.engine import oracle
from tests.engine.rival import claim_as
from tests.engine.stage import NEVER, Stage, node, outcomes, step
from tests.engine.test_concurrency_keys import take
from tests.engine.test_races import commit
from tests.engine.test_sub_workflows import calling, child_of, child_template
from workflows_app.actions.base import Spread
from workflows_app.engine import admission, control, endings, stopping, subscriptions
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.locking import locked
from workflows_app.engine.outcomes import failed, returned
from workflows_app.engine.sql.transaction import write
from workflows_app.graph.conditions import holds
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Event, Step, Subscription, Workflow

RIVAL = "9" * 32
LONG = node("long", "delay", config={"seconds": 600})
with_several_writers = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")


@contextmanager
def aside() -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Calls in a thread with a connection of its own, while this thread is in the middle of something."""
    with ThreadPoolExecutor(1) as pool:

        def call(work: Callable[[], Any]) -> Future[Any]:
            def run() -> Any:
                try:
                    return work()
                finally:
                    connections.close_all()

            return pool.submit(run)

        yield call


def until_somebody_waits_for_a_lock() -> None:
    with connection.cursor() as cursor:
        for _ in range(100_000):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits for a lock")


def stored(stage: Stage, payload: Any) -> Event:
    return Event.objects.create(payload=payload, received_at=stage.now, is_delivered=False)


def listening(stage: Stage, *more: Node) -> Workflow:
    return stage.start(node("wait", "wait_for_event", *(other.id for other in more)), *more)


def test_of_two_events_for_one_step_the_later_takes_no_other_steps_subscription(stage: Stage) -> None:
    """SQLite gives the number of a deleted row to the next: what one event has found may be somebody else's when it deletes it."""
    first = listening(stage)
    stage.drain()
    slow = stored(stage, {"n": 1})
    found = subscriptions._waiting(slow)
    subscriptions.deliver(stored(stage, {"n": 2}), now=stage.now)
    stage.play(first)
    second = listening(stage)
    stage.drain()
    Subscription.objects.update(id=found[0].subscription_id)
    assert subscriptions._answer(slow, found, stage.now) == 0
    assert Subscription.objects.get().step == step(second, "wait")
    subscriptions.deliver(stored(stage, {"n": 3}), now=stage.now)
    assert stage.play(second).status == Status.COMPLETED


def test_steps_that_catch_up_lock_their_workflows_in_the_order_in_which_all_do(stage: Stage) -> None:
    older = listening(stage, node("first", "delay", config={"seconds": 1}))
    newer = listening(stage)
    stage.drain()
    stage.to_next_timer()
    stage.drain()
    assert list(Subscription.objects.order_by("pk").values_list("step__workflow", flat=True)) == [newer.pk, older.pk]
    Subscription.objects.update(since=stage.now)
    event = stored(stage, {"n": 1})
    assert subscriptions.catch_up(now=stage.now) == 2
    event.refresh_from_db()
    assert [taken["workflowId"] for taken in event.deliveries] == [str(older.uid), str(newer.uid)]


def test_steps_that_ask_the_same_are_caught_up_by_one_look_at_each_event(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reaper does this every second: at a look for each step and event a busy minute would keep it from everything else."""
    looks: list[Any] = []
    monkeypatch.setattr(subscriptions, "holds", lambda *asked, **limit: looks.append(asked) or holds(*asked, **limit))
    body = Node("each", "wait_for_event", config={"match": {"==": [{"var": "n"}, 7]}}, retry=NEVER)
    workflow = stage.start(Node("each", "map", config={"items": list(range(20))}, body=body, retry=NEVER))
    stage.drain()
    for number in range(9):
        stored(stage, {"n": number})
    assert subscriptions.catch_up(now=stage.now) == 20
    assert len(looks) == 8
    assert stage.play(workflow).status == Status.COMPLETED


@with_several_writers
def test_a_step_claimed_while_a_stop_begins_has_that_attempt_in_its_history(stage: Stage) -> None:
    workflow = stage.start(node("a"))
    with aside() as call:
        with write():
            assert len(claim_as(RIVAL, now=stage.now)) == 1
            stop = call(lambda: stage.stop(workflow))
            until_somebody_waits_for_a_lock()
        stop.result(10)
    assert outcomes(workflow, "a") == ["stopped"]
    oracle.judge(workflow)


@with_several_writers
def test_an_element_claimed_while_its_map_ends_has_that_attempt_in_its_history(stage: Stage) -> None:
    do = Node("each", "echo", retry=NEVER, concurrency_key="k", concurrency_limit=1)
    workflow = stage.start(Node("each", "map", config={"items": [1, 2]}, body=do, retry=NEVER))
    (spreading,) = claim_as(RIVAL, now=stage.now)
    commit(stage, RIVAL, returned(spreading, Spread([1, 2], limit=0, stop_on_failure=True), at=stage.now))
    Step.objects.filter(pk=spreading.step_id).update(available_at=stage.now)
    (gathering,) = claim_as(RIVAL, now=stage.now)
    with aside() as call:
        with write():
            (element,) = take(RIVAL, now=stage.now)
            end = call(lambda: commit(stage, RIVAL, failed(gathering, "an element failed", at=stage.now)))
            until_somebody_waits_for_a_lock()
        assert end.result(10) == 0
    assert outcomes(workflow, element.node_id) == ["stopped"]
    assert {step(workflow, f"each[{index}]").status for index in range(2)} == {"STOPPED"}


@with_several_writers
def test_a_workflow_that_is_locked_may_be_started_again(stage: Stage) -> None:
    """A new workflow names the old one as its parent. To wait for its row, while holding the count of places, is a deadlock."""
    workflow = stage.run(node("a"))
    with aside() as call, locked(workflow.uid):
        again = call(lambda: control.rerun(uid=workflow.uid, now=stage.now)).result(10)
    assert again.parent_id == workflow.pk


@with_several_writers
def test_starting_a_part_of_a_workflow_does_not_wait_for_those_who_count_places(stage: Stage, settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_concurrent_workflows": 5})
    child_template(LONG)
    workflow = stage.start(calling())
    with aside() as call, write():
        admission.free_places()
        call(stage.drain).result(10)
    assert child_of(workflow).status == Status.RUNNING


def test_a_resume_before_the_parts_were_stopped_leaves_no_old_part_running(stage: Stage) -> None:
    child_template(LONG)
    workflow = stage.start(calling())
    stage.drain()
    old = child_of(workflow)
    stopping.stop(uid=workflow.uid, now=stage.now)  # and the process dies before it stops the child
    control.resume(uid=workflow.uid, now=stage.now)
    stage.drain()
    endings.sweep(now=stage.now)
    old.refresh_from_db()
    assert old.status == Status.STOPPED
    assert stage.play(workflow).status == Status.COMPLETED and outcomes(workflow, "call") == ["stopped", "completed"]


def test_a_stop_that_is_late_with_the_parts_leaves_the_new_one_of_a_resume_alone(stage: Stage) -> None:
    child_template(LONG)
    workflow = stage.start(calling())
    stage.drain()
    stopping.stop(uid=workflow.uid, now=stage.now)
    control.resume(uid=workflow.uid, now=stage.now)
    stage.drain()
    endings.after_stop([workflow.pk], now=stage.now)
    assert list(Workflow.objects.filter(parent=workflow).order_by("id").values_list("status", flat=True)) == ["STOPPED", "RUNNING"]


def test_an_end_of_before_a_retry_is_not_told_again_every_second(stage: Stage, django_assert_max_num_queries: Any) -> None:
    """The sweep leaves the write lock alone while there is nothing to tell."""
    child_template(LONG)
    do = calling(id="each")
    workflow = stage.run(Node("each", "map", config={"items": list(range(8))}, body=do, retry=NEVER))
    control.retry(uid=workflow.uid, now=stage.now, from_step="each")
    stage.drain()
    with django_assert_max_num_queries(8):
        endings.sweep(now=stage.now)
    assert stage.play(workflow).status == Status.COMPLETED


@pytest.mark.parametrize("verb", [control.retry, control.resume])
def test_a_part_that_nobody_waits_for_any_more_is_not_opened_again(stage: Stage, verb: Any) -> None:
    """The sweep would stop it a second later."""
    child_template(node("bad", "flaky", config={"how": "fail"}) if verb is control.retry else LONG)
    workflow = stage.start(calling())
    stage.drain()
    if verb is control.resume:
        stage.stop(workflow)
    with pytest.raises(NotAllowed, match=f"a part of workflow {workflow.uid}, whose step 'call' does not wait"):
        verb(uid=child_of(workflow).uid, now=stage.now)


def test_a_workflow_is_not_deleted_from_above_a_part_that_runs(stage: Stage) -> None:
    """It would run on by itself."""
    child_template(LONG)
    workflow = stage.play(stage.start(calling(timeout_seconds=30)))
    with pytest.raises(NotAllowed, match="still runs"):
        control.delete(uid=workflow.uid)
    endings.sweep(now=stage.now)
    control.delete(uid=workflow.uid)
    assert Workflow.objects.get().status == Status.STOPPED
