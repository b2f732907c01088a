"""Draining: a worker finishes what it runs and takes no more; a group whose all are drained leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.engine import tasks
from tests.engine.rival import claim_as, holding_its_lock, registered
from tests.engine.stage import PromptDrain, Stage, node, step
from tests.processes.group import until
from workflows_app.engine import draining, lifecycle, recovery, report
from workflows_app.models import Worker

ONE, TWO, OTHER = "a1" * 16, "a2" * 16, "bb" * 16


@pytest.fixture
def rows(stage: Stage) -> list[Worker]:
    """Two workers of one group and one of another host, all of other sites, heard of just now."""
    beside = {"is_here": False, "now": stage.now}
    return [
        registered(ONE, group="g", host="east", **beside),
        registered(TWO, group="g", host="east", **beside),
        registered(OTHER, group="h", host="west", **beside),
    ]


def test_workers_are_found_by_the_beginning_of_their_id_and_by_host(stage: Stage, rows: list[Worker]) -> None:
    one, two, other = rows
    assert draining.find(["a1"], now=stage.now) == [one]
    assert draining.find([], host="east", now=stage.now) == [one, two]
    assert {worker.id for worker in draining.find(["bb", "a1a1"], host="east", now=stage.now)} == {ONE, TWO, OTHER}
    assert other in draining.find(["b"], now=stage.now)


@pytest.mark.parametrize(
    ("names", "host", "message"),
    [
        (["zz"], "", "No live worker has an id that begins with 'zz'. Live workers: "),
        (["a"], "", "2 live workers have an id that begins with 'a'. Live workers: "),
        ([], "north", "No worker lives on 'north'. Live workers: "),
    ],
)
def test_who_is_not_found_is_named_with_those_that_live(
    stage: Stage, rows: list[Worker], names: list[str], host: str, message: str
) -> None:
    with pytest.raises(draining.NoSuchWorker) as refused:
        draining.find(names, host=host, now=stage.now)
    assert str(refused.value).startswith(message) and "a1a1a1a1 (east, pid 4711)" in str(refused.value)


def test_the_dead_are_not_found(stage: Stage, rows: list[Worker]) -> None:
    with pytest.raises(draining.NoSuchWorker):
        draining.find(["bb"], now=stage.now + timedelta(hours=1))


def test_asking_twice_and_undoing_say_how_many_it_changed(stage: Stage, rows: list[Worker]) -> None:
    assert draining.request(rows[:2], now=stage.now) == 2
    assert draining.request(rows, now=stage.now) == 1
    assert draining.cancel(rows[:1]) == 1 and draining.cancel(rows[:1]) == 0
    assert not draining.is_requested(ONE) and draining.is_requested(TWO)


def test_a_drained_worker_takes_no_more_and_ends_its_stretch_of_work(stage: Stage) -> None:
    workflow = stage.start(node("a"))
    Worker.objects.filter(id=stage.worker.id).delete()
    row = registered(stage.worker.id, now=stage.now)
    draining.request([row], now=stage.now)
    drain = PromptDrain(stage.worker)
    drain.supervision._asked -= 10
    drain.supervision._ask_whether_drained()
    drain.run()
    assert step(workflow, "a").status == "PENDING"
    draining.cancel([row])
    assert stage.play(workflow).status == "COMPLETED"


def test_what_a_drained_worker_runs_it_finishes(stage: Stage) -> None:
    workflow = stage.start(node("a", "gated"), node("b", "echo", "a"))
    drain = PromptDrain(stage.worker)
    drain._commit_patiently()
    drain._dispatch()
    assert tasks.entered["a"].wait(10)
    drain.supervision.is_drained = True
    tasks.gates["a"].set()
    drain.run()
    assert (step(workflow, "a").status, step(workflow, "b").status) == ("COMPLETED", "PENDING")


def test_a_group_is_drained_when_all_of_it_are_and_nothing_runs(stage: Stage, rows: list[Worker]) -> None:
    stage.start(node("a"))
    claim_as(ONE, now=stage.now)
    draining.request(rows[:1], now=stage.now)
    assert not draining.is_group_drained("g"), "one of it may still take steps"
    draining.request(rows[:2], now=stage.now)
    assert not draining.is_group_drained("g"), "one of it runs a step"
    recovery.take_back(now=stage.now + timedelta(hours=1))
    assert draining.is_group_drained("g") and not draining.is_group_drained("h")
    assert not draining.is_group_drained("nobody")


def test_who_takes_the_place_of_a_drained_worker_is_drained_from_its_birth(stage: Stage, rows: list[Worker]) -> None:
    assert draining.born_drained("g", now=stage.now) is None
    draining.request(rows[:2], now=stage.now)
    now = stage.now
    assert draining.born_drained("g", now=now) == now
    assert draining.born_drained("h", now=stage.now) is None


def test_who_takes_the_place_of_the_only_one_is_drained_too_and_not_when_that_was_undone(stage: Stage, rows: list[Worker]) -> None:
    """The reaper may have said of the dead one that it stopped before the next registers."""
    draining.request(rows[:2], now=stage.now)
    Worker.objects.filter(group="g").update(stopped_at=stage.now)
    now = stage.now
    assert draining.born_drained("g", now=now) == now
    assert draining.is_group_drained("g")
    heir = registered("a3" * 16, group="g", host="east", is_here=False, now=stage.now)
    assert not draining.is_group_drained("g"), "the living count"
    Worker.objects.filter(pk=heir.pk).update(stopped_at=stage.now + timedelta(seconds=1))
    assert draining.born_drained("g", now=stage.now) is None, "the last of them had not been asked"


def test_the_reaper_lets_a_drained_group_leave(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[bool] = []
    monkeypatch.setattr(lifecycle, "leave", lambda: left.append(True))
    reaper = recovery.Reaper(on_frozen=lambda: None)
    row = registered(ONE, group=lifecycle.group(), now=stage.now)
    with holding_its_lock(ONE):
        reaper.tick(now=stage.now, monotonic=1000)
        assert not left
        draining.request([row], now=stage.now)
        reaper.tick(now=stage.now, monotonic=1001)
    assert left


def test_the_api_says_that_a_worker_is_draining(stage: Stage, rows: list[Worker]) -> None:
    draining.request(rows[:1], now=stage.now)
    states = {worker["id"]: worker["state"] for worker in report.workers(stage.now)}
    assert (states[ONE], states[TWO]) == ("draining", "idle")


def test_a_parked_process_comes_back_when_it_may_work_again(stage: Stage) -> None:
    """It waits inside `drain`, so that it takes no message that another would act upon."""
    import threading

    from django.db import connections

    from workflows_app.engine.loop import _park

    Worker.objects.filter(id=stage.worker.id).delete()
    row = registered(stage.worker.id, now=stage.now)
    draining.request([row], now=stage.now)
    over = threading.Event()

    def park() -> None:
        _park(stage.worker)
        connections.close_all()
        over.set()

    threading.Thread(target=park, daemon=True).start()
    assert not over.wait(0.1)
    draining.cancel([row])
    until("it goes on", over.is_set)


def test_a_drained_worker_leaves_its_share_of_the_io_slots_to_others_until_it_may_work_again(stage: Stage) -> None:
    drain = PromptDrain(stage.worker)
    assert stage.worker.io_slots > 0
    drain.supervision.is_drained = True
    drain.supervision._looked -= 10
    drain.supervision.look()
    assert stage.worker.io_slots == 0
    stage.worker.look_for_seat()
    assert stage.worker.io_slots > 0


def test_once_asked_a_worker_claims_nothing_whatever_it_believes(stage: Stage) -> None:
    """The claim itself looks: who waits for a drain may trust that nothing running means nothing to come."""
    stage.start(node("a"), node("k", concurrency_key="one", concurrency_limit=1))
    row = registered(ONE, now=stage.now)
    draining.request([row], now=stage.now)
    assert claim_as(ONE, now=stage.now) == []
    draining.cancel([row])
    assert len(claim_as(ONE, now=stage.now)) == 1
