"""A paused queue: nothing is claimed by any way, what runs goes on, nobody is woken in vain, and nobody takes it for a frozen one."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.engine import tasks
from tests.engine.rival import claim_as, registered
from tests.engine.stage import PromptDrain, Stage, node, statuses, step
from tests.engine.test_concurrency_keys import keyed, take
from tests.engine.test_invariants import look
from tests.engine.test_recovery import Frozen, end_group
from tests.factories import NOW, a_user
from workflows_app.engine import broker, doorbell, pausing, recovery
from workflows_app.engine.claims import is_due
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.sql.transaction import Session
from workflows_app.graph.definition import Node
from workflows_app.models import QueuePause, Step

OTHER = "d" * 32


def test_nothing_is_claimed_while_paused_and_everything_after(stage: Stage) -> None:
    workflow = stage.start(node("a"), node("b", "echo", "a"), node("t", "echo_thread"), keyed("k", limit=1))
    pausing.pause(now=stage.now)
    stage.drain()
    assert set(statuses(workflow).values()) == {"PENDING", "WAITING_FOR_DEPENDENCY"} and tasks.calls == []
    pausing.resume()
    assert stage.play(workflow).status == "COMPLETED" and len(tasks.calls) == 4


def test_neither_the_plain_claim_nor_that_of_keyed_steps_takes_anything(stage: Stage) -> None:
    stage.start(node("a"), node("t", "echo_thread"), keyed("k", limit=1))
    pausing.pause(now=stage.now)
    assert claim_as(OTHER, now=stage.now) == [] and take(OTHER, now=stage.now) == []
    session = Session()
    batch = [{"key": key} for key in Step.objects.values_list("pk", flat=True)]
    lease = stage.now + timedelta(seconds=30)
    assert session.run(session.statements.claim_these, worker=OTHER, now=stage.now, lease=lease, batch=batch) == []
    pausing.resume()
    assert len(claim_as(OTHER, now=stage.now)) == 2 and len(take(OTHER, now=stage.now)) == 1


def test_the_elements_of_a_map_stay_too(stage: Stage) -> None:
    body = Node("each", "echo")
    workflow = stage.start(Node("each", "map", config={"items": [1, 2, 3]}, body=body))
    assert len(claim_as(OTHER, now=stage.now)) == 1
    recovery.take_back(now=stage.now + timedelta(hours=1))
    pausing.pause(now=stage.now)
    stage.drain()
    assert statuses(workflow) == {"each": "PENDING"}
    pausing.resume()
    assert stage.play(workflow).status == "COMPLETED"


def test_what_runs_goes_on_and_what_follows_from_it_waits(stage: Stage) -> None:
    workflow = stage.start(node("a", "gated"), node("b", "echo", "a"))
    drain = PromptDrain(stage.worker)
    drain._commit_patiently()
    drain._dispatch()
    assert tasks.entered["a"].wait(10)
    pausing.pause(now=stage.now)
    tasks.gates["a"].set()
    drain.run()
    assert statuses(workflow) == {"a": "COMPLETED", "b": "PENDING"}


def test_a_timer_that_ends_meanwhile_goes_on_after(stage: Stage) -> None:
    workflow = stage.start(node("nap", "delay", config={"seconds": 60}))
    stage.drain()
    pausing.pause(now=stage.now)
    due_at = step(workflow, "nap").available_at
    stage.to_next_timer()
    stage.drain()
    assert step(workflow, "nap").available_at == due_at
    pausing.resume()
    assert stage.play(workflow).status == "COMPLETED"


def test_nothing_is_due_while_paused_so_that_nobody_is_woken(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.start(node("a"), keyed("k", limit=1))
    pausing.pause(now=stage.now)
    session = Session()
    assert not is_due(session, now=stage.now)
    found = broker.StepBroker.__new__(broker.StepBroker)
    found._bell = doorbell.Bell()
    waited: list[float] = []
    monkeypatch.setattr(found._bell, "wait", waited.append)
    assert [found._next() for _ in range(3)] == [None, None, None]
    assert waited == [broker.LOOK_SECONDS] * 3, "it rests as with an empty queue"
    found._bell.close()
    pausing.resume()
    assert is_due(session, now=stage.now)


def test_a_paused_queue_is_not_taken_for_a_frozen_one(stage: Stage) -> None:
    stage.start(node("a"))
    reaper = recovery.Reaper(on_frozen=end_group)
    pausing.pause(now=stage.now)
    for second in (1, 100, 200):
        reaper._watch(stage.now, second)
    pausing.resume()
    reaper._watch(stage.now, 300)
    reaper._watch(stage.now, 329)
    with pytest.raises(Frozen):
        reaper._watch(stage.now, 331)


def test_there_is_nothing_to_mend_in_a_paused_queue(stage: Stage) -> None:
    stage.start(node("a"), node("b", "echo", "a"), keyed("k", limit=1))
    pausing.pause(now=stage.now)
    assert look(stage) == []


def test_the_steps_of_a_dead_worker_come_back_and_wait(stage: Stage) -> None:
    workflow = stage.start(node("a"))
    registered(OTHER, now=stage.now)
    claim_as(OTHER, now=stage.now)
    pausing.pause(now=stage.now)
    assert recovery.take_back(now=stage.now) == 1
    stage.drain()
    assert tasks.calls == [] and step(workflow, "a").status in {"PENDING", "FAILED"}


@pytest.mark.django_db(transaction=True)
def test_it_is_paused_once_and_resumed_once_with_words_for_who_is_late(caplog: pytest.LogCaptureFixture) -> None:
    ana = a_user("ana")
    with caplog.at_level(logging.WARNING):
        pausing.pause(by=ana, reason="  the warehouse moves  ", now=NOW)
    words = "by ana since 2026-11-21 12:00:00 UTC (the warehouse moves)"
    assert words in caplog.text and pausing.told(pausing.current()) == words
    with pytest.raises(NotAllowed, match="The queue is paused already: by ana since"):
        pausing.pause(now=NOW)
    pausing.resume(by=ana)
    assert "resumed by ana" in caplog.text and pausing.current() is None
    with pytest.raises(NotAllowed, match="The queue is not paused"):
        pausing.resume()


@pytest.mark.django_db
def test_a_pause_outlives_who_made_it_and_a_long_reason_is_cut() -> None:
    ana = a_user("ana")
    pausing.pause(by=ana, reason="x" * 500, now=NOW)
    ana.delete()
    found = pausing.current()
    assert (found.by, len(found.reason)) == (None, pausing.MAX_REASON)
    assert pausing.told(found).startswith("since 2026-11-21")


@pytest.mark.django_db
def test_the_database_takes_no_second_pause() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        QueuePause.objects.create(pk=2, since=NOW)
