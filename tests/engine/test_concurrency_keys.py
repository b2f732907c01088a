"""Concurrency keys: at most `limit` steps with one key run at once, counted from live leases (CONTRACT.md section 7)."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections

from tests.engine import tasks
from tests.engine.rival import claim_as, registered
from tests.engine.stage import Stage, node, outcomes, statuses
from tests.processes.group import until
from workflows_app.engine.claims import Claim, Slots, claim_limited, is_due
from workflows_app.engine.recovery import take_back
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

OTHER, THIRD = "d" * 32, "e" * 32


def keyed(id: str, *, key: str = "warehouse", limit: int = 2, action: str = "echo", **changes: object) -> Node:
    return node(id, action, concurrency_key=key, concurrency_limit=limit, **changes)


def take(worker_id: str, *, now: datetime, slots: int = 100, lease_seconds: float = 30) -> list[Claim]:
    with write() as session:
        lease = now + timedelta(seconds=lease_seconds)
        return claim_limited(session, worker_id=worker_id, slots=Slots(slots, slots), now=now, lease=lease)


def test_a_claim_takes_no_more_than_the_limit(stage: Stage) -> None:
    stage.start(*(keyed(f"s{number}") for number in range(5)))
    assert len(take(OTHER, now=stage.now)) == 2
    assert take(THIRD, now=stage.now) == [], "the limit is over all workers"


def test_steps_of_all_workflows_share_a_key(stage: Stage) -> None:
    for _ in range(3):
        stage.start(keyed("s", limit=1))
    assert len(take(OTHER, now=stage.now)) == 1


def test_the_next_follow_when_one_has_ended(stage: Stage) -> None:
    workflow = stage.run(*(keyed(f"s{number}", limit=1) for number in range(5)))
    assert workflow.status == Status.COMPLETED and len(tasks.calls) == 5


def test_keys_do_not_hold_each_other_up(stage: Stage) -> None:
    stage.start(keyed("a1", key="a", limit=1), keyed("a2", key="a", limit=1), keyed("b1", key="b", limit=1), node("free"))
    assert sorted(claimed.node_id for claimed in take(OTHER, now=stage.now)) == ["a1", "b1"]
    assert [claimed.node_id for claimed in claim_as(THIRD, now=stage.now)] == ["free"]


def test_each_step_keeps_to_its_own_limit(stage: Stage) -> None:
    stage.start(keyed("wide1", limit=3), keyed("wide2", limit=3), keyed("narrow", limit=1), keyed("wide3", limit=3))
    found = [claimed.node_id for claimed in take(OTHER, now=stage.now)]
    assert found == ["wide1", "wide2", "wide3"], "the narrow one needs the key for itself"


def test_the_urgent_comes_first(stage: Stage) -> None:
    stage.start(keyed("low", limit=1, priority=9), keyed("high", limit=1, priority=0))
    assert [claimed.node_id for claimed in take(OTHER, now=stage.now)] == ["high"]


def test_no_more_are_claimed_than_slots_are_free(stage: Stage) -> None:
    stage.start(
        *(keyed(f"s{number}", limit=50) for number in range(5)), *(keyed(f"t{number}", action="echo_thread") for number in range(2))
    )
    with write() as session:
        lease = stage.now + timedelta(seconds=30)
        found = claim_limited(session, worker_id=OTHER, slots=Slots(loop=2, thread=0), now=stage.now, lease=lease)
    assert [claimed.node_id for claimed in found] == ["s0", "s1"]


def test_a_slot_of_one_kind_is_no_slot_of_the_other(stage: Stage) -> None:
    stage.start(keyed("l1", limit=50), keyed("l2", limit=50), keyed("t1", limit=50, action="echo_thread"))
    with write() as session:
        lease = stage.now + timedelta(seconds=30)
        found = claim_limited(session, worker_id=OTHER, slots=Slots(loop=1, thread=2), now=stage.now, lease=lease)
    assert sorted(claimed.node_id for claimed in found) == ["l1", "t1"]


def test_a_dead_holder_frees_its_place_with_its_lease(stage: Stage) -> None:
    stage.start(keyed("a", limit=1), keyed("b", limit=1))
    take(OTHER, now=stage.now, lease_seconds=30)
    assert take(THIRD, now=stage.now + timedelta(seconds=29)) == []
    assert len(take(THIRD, now=stage.now + timedelta(seconds=31))) == 1


def test_a_holder_that_died_beside_us_frees_its_place_at_once(stage: Stage) -> None:
    workflow = stage.start(keyed("a", limit=1, retry=RetryPolicy(retries=1)), keyed("b", limit=1))
    registered(OTHER, now=stage.now)
    take(OTHER, now=stage.now)
    assert take_back(now=stage.now) == 1
    assert stage.play(workflow).status == Status.COMPLETED
    assert outcomes(workflow, "a") == ["crashed", "completed"]


def test_a_step_that_waits_for_a_time_holds_no_place(stage: Stage) -> None:
    workflow = stage.start(keyed("nap", limit=1, action="delay", config={"seconds": 60}), keyed("work", limit=1))
    stage.drain()
    assert statuses(workflow) == {"nap": "WAITING_FOR_DEPENDENCY", "work": "COMPLETED"}


def test_a_key_without_room_is_not_due_so_that_nobody_is_woken_for_it(stage: Stage) -> None:
    stage.start(keyed("a", limit=1), keyed("b", limit=1))
    session = Session()
    assert is_due(session, now=stage.now)
    take(OTHER, now=stage.now)
    assert not is_due(session, now=stage.now)
    assert is_due(session, now=stage.now + timedelta(seconds=31))


def test_timers_of_limited_steps_are_timers_too(stage: Stage) -> None:
    stage.start(keyed("nap", limit=1, action="delay", config={"seconds": 60}))
    stage.drain()
    session = Session()
    ((soonest,),) = session.run(session.statements.next_due, now=stage.now)
    assert soonest is not None


def test_steps_without_a_key_go_on_beside_a_large_backlog_of_one(stage: Stage) -> None:
    stage.start(*(keyed(f"s{number}", limit=1) for number in range(300)))
    workflow = stage.start(node("free"))
    take(OTHER, now=stage.now)
    stage.drain()
    workflow.refresh_from_db()
    assert workflow.status == Status.COMPLETED
    assert Step.objects.filter(status=Status.RUNNING).count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_two_who_count_at_once_take_turns(stage: Stage) -> None:
    from tests.engine.at_once import at_once

    for round in range(10):
        stage.start(*(keyed(f"s{number}", key=f"k{round}", limit=3) for number in range(20)))
        found = at_once(lambda number: take(str(number) * 32, now=stage.now), 4)
        assert sum(map(len, found)) == 3  # type: ignore[arg-type]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_who_counts_while_another_has_not_committed_waits_for_that(stage: Stage) -> None:
    """Else it would count what it cannot see yet, and take as many again."""
    stage.start(*(keyed(f"s{number}", limit=3) for number in range(20)))
    later: list[int] = []

    def take_too() -> None:
        later.append(len(take(THIRD, now=stage.now)))
        connections.close_all()

    rival = threading.Thread(target=take_too, daemon=True)
    with write() as session:
        lease = stage.now + timedelta(seconds=30)
        first = claim_limited(session, worker_id=OTHER, slots=Slots(10, 10), now=stage.now, lease=lease)
        rival.start()
        until("the other waits for the key, or has counted", lambda: later or _waiting_for_a_key())
    rival.join(20)
    assert (len(first), later) == (3, [0])


def _waiting_for_a_key() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])
