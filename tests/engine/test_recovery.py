"""Steps of dead or silent workers come back; what lives is left alone; a frozen group is ended."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.engine import oracle
from tests.engine.rival import claim_as, holding_its_lock, registered
from tests.engine.stage import Stage, log_of, node, outcomes, step
from workflows_app.engine import liveness, recovery, site
from workflows_app.graph.definition import RetryPolicy
from workflows_app.models import Attempt, Step, Worker

OTHER = "d" * 32
LEASE = settings.ENV.worker_heartbeat_timeout
TWICE = RetryPolicy(retries=1)


class Frozen(Exception):
    """The group is ended."""


def end_group() -> None:
    raise Frozen


@pytest.fixture
def reaper() -> recovery.Reaper:
    """Not started: the test says when it looks, and what the clocks say then."""
    found = recovery.Reaper(on_frozen=end_group)
    found._steady_since = 0.0
    return found


def test_the_steps_of_a_dead_process_beside_us_come_back_at_once(stage: Stage) -> None:
    workflow = stage.start(node("a", retry=TWICE), node("b", "echo", "a"))
    registered(OTHER, now=stage.now)
    claim_as(OTHER, now=stage.now)
    assert recovery.take_back(now=stage.now, trust_leases=False) == 1
    found = step(workflow, "a")
    assert (found.status, found.attempt, found.crashes, found.failures) == ("PENDING", 1, 1, 0)
    stage.play(workflow)
    assert (workflow.status, outcomes(workflow, "a")) == ("COMPLETED", ["crashed", "completed"])
    assert "Attempt 1 ended: The worker process died" in log_of(workflow, "a")
    oracle.judge(workflow)


def test_the_steps_of_a_living_process_are_left_alone_until_their_lease_ends(stage: Stage) -> None:
    stage.start(node("a", retry=TWICE))
    registered(OTHER, now=stage.now)
    claim_as(OTHER, now=stage.now)
    with holding_its_lock(OTHER):
        assert recovery.take_back(now=stage.now + timedelta(seconds=LEASE - 1)) == 0
        assert recovery.take_back(now=stage.now + timedelta(seconds=LEASE + 1)) == 1


@pytest.mark.parametrize("is_known", [True, False])
def test_of_a_worker_elsewhere_only_the_lease_tells(stage: Stage, is_known: bool) -> None:
    workflow = stage.start(node("a", retry=TWICE))
    if is_known:
        registered(OTHER, now=stage.now, is_here=False)
    claim_as(OTHER, now=stage.now)
    late = stage.now + timedelta(seconds=LEASE + 1)
    assert recovery.take_back(now=stage.now) == 0
    assert recovery.take_back(now=late, trust_leases=False) == 0
    assert recovery.take_back(now=late) == 1
    assert "fell silent and its lease ran out" in log_of(workflow, "a")


def test_a_worker_that_is_heard_of_between_the_look_and_the_deed_keeps_its_steps(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its heartbeat came after the reaper had seen the old lease: the lease is looked at again under the lock."""
    stage.start(node("a", retry=TWICE))
    claim_as(OTHER, now=stage.now)
    late = stage.now + timedelta(seconds=LEASE + 1)
    load = recovery.Inputs.load

    def heartbeat(inputs: recovery.Inputs, session: object, claims: list[object]) -> None:
        load(inputs, session, claims)
        Step.objects.update(lease_expires_at=late + timedelta(seconds=LEASE))

    monkeypatch.setattr(recovery.Inputs, "load", heartbeat)
    assert recovery.take_back(now=late) == 0
    assert step_is_running() and Step.objects.get().crashes == 0


def test_two_reapers_take_a_step_back_once_and_neither_is_called_late(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = stage.start(node("a", retry=RetryPolicy(retries=5)))
    registered(OTHER, now=stage.now)
    claim_as(OTHER, now=stage.now)
    load, now = recovery.Inputs.load, stage.now

    def faster_one(inputs: recovery.Inputs, session: object, claims: list[object]) -> None:
        load(inputs, session, claims)
        monkeypatch.setattr(recovery.Inputs, "load", load)
        assert recovery.take_back(now=now) == 1

    monkeypatch.setattr(recovery.Inputs, "load", faster_one)
    assert recovery.take_back(now=now) == 0
    assert outcomes(workflow, "a") == ["crashed"] and step(workflow, "a").crashes == 1
    assert Attempt.objects.get().late_result == "" and "late result" not in log_of(workflow, "a")


def test_a_step_that_crashes_its_workers_too_often_fails_with_the_reason(stage: Stage) -> None:
    workflow = stage.start(node("a", retry=TWICE), node("b", "echo", "a"), node("c", "echo", "a", trigger_rule="all_done"))
    for number in (1, 2):
        registered(str(number) * 32, now=stage.now)
        claim_as(str(number) * 32, now=stage.now)
        assert recovery.take_back(now=stage.now) == 1
    found = step(workflow, "a")
    assert (found.status, found.crashes, found.attempt) == ("FAILED", 2, 2)
    assert found.error == "The worker process died; that happened 2 times, so the step is not tried again"
    stage.play(workflow)
    assert outcomes(workflow, "a") == ["crashed", "crashed"] and step(workflow, "c").status == "COMPLETED"
    oracle.judge(workflow)


def test_a_crash_while_it_was_woken_keeps_what_the_action_had_kept(stage: Stage) -> None:
    workflow = stage.start(node("a", "wait_twice", retry=TWICE))
    stage.drain()
    stage.to_next_timer()
    registered(OTHER, now=stage.now)
    (claim,) = claim_as(OTHER, now=stage.now)
    assert (claim.attempt, claim.resume) == (1, [1])
    recovery.take_back(now=stage.now)
    stage.play(workflow)
    assert step(workflow, "a").output == [1, 2, 2]
    oracle.judge(workflow)


def test_the_workflow_shows_that_its_step_was_taken_back(stage: Stage) -> None:
    workflow = stage.start(node("a", retry=TWICE))
    registered(OTHER, now=stage.now)
    claim_as(OTHER, now=stage.now)
    workflow.refresh_from_db()
    before = workflow.seq
    recovery.take_back(now=stage.now)
    workflow.refresh_from_db()
    assert workflow.seq > before
    oracle.recount(workflow)


def test_leases_are_not_trusted_for_one_lease_after_the_reaper_slept(stage: Stage, reaper: recovery.Reaper) -> None:
    """A reaper that slept through an outage would take live steps: their workers slept through it as well."""
    now = claim_elsewhere(stage)
    reaper.tick(now=now, monotonic=1000)
    slept = LEASE * 3
    reaper.tick(now=now + timedelta(seconds=slept), monotonic=1000 + slept)
    assert step_is_running()
    for second in range(1, int(LEASE) + 2):
        assert step_is_running()
        reaper.tick(now=now + timedelta(seconds=slept + second), monotonic=1000 + slept + second)
    assert not step_is_running()


def test_a_reaper_that_could_not_look_since_it_began_trusts_no_lease(stage: Stage, reaper: recovery.Reaper) -> None:
    """It was started while the database was away: no worker could extend a lease either."""
    now = claim_elsewhere(stage)
    reaper.tick(now=now + timedelta(seconds=LEASE * 3), monotonic=1000)
    assert step_is_running()


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_was_set_ends_no_lease(stage: Stage, reaper: recovery.Reaper, hours: int) -> None:
    now = claim_elsewhere(stage)
    reaper.tick(now=now, monotonic=1000)
    reaper.tick(now=now + timedelta(hours=hours, seconds=1), monotonic=1001)
    assert step_is_running()


def test_a_reaper_that_looks_every_second_trusts_leases(stage: Stage, reaper: recovery.Reaper) -> None:
    now = claim_elsewhere(stage)
    for second in range(int(LEASE) + 2):
        reaper.tick(now=now + timedelta(seconds=second), monotonic=1000 + second)
    assert not step_is_running()


def claim_elsewhere(stage: Stage) -> datetime:
    stage.start(node("a", retry=RetryPolicy(retries=9)))
    registered(OTHER, now=stage.now, is_here=False)
    claim_as(OTHER, now=stage.now)
    return stage.now


def step_is_running() -> bool:
    return Step.objects.get().status == "RUNNING"


def test_work_that_nobody_claims_for_long_ends_the_group(stage: Stage, reaper: recovery.Reaper) -> None:
    stage.start(node("a"))
    for second in range(int(recovery.FROZEN_SECONDS) + 1):
        reaper.tick(now=stage.now + timedelta(seconds=second), monotonic=1000 + second)
    with pytest.raises(Frozen):
        reaper.tick(now=stage.now + timedelta(seconds=60), monotonic=1060)


def test_a_group_that_works_is_not_ended(stage: Stage, reaper: recovery.Reaper) -> None:
    stage.start(node("a"), node("b"))
    with holding_its_lock(OTHER):
        registered(OTHER, now=stage.now)
        claim_as(OTHER, now=stage.now, slots=1, lease_seconds=9999)
        for second in range(100):
            reaper.tick(now=stage.now + timedelta(seconds=second), monotonic=1000 + second)


def test_a_reaper_that_fails_unforeseen_ends_its_group(stage: Stage, reaper: recovery.Reaper) -> None:
    """Without one, the steps of dead workers would stay theirs for ever, and nobody would know."""
    reaper.tick = lambda **_: 1 / 0  # type: ignore[method-assign]
    with pytest.raises(Frozen):
        reaper.run()


def test_a_worker_lives_while_its_process_does(stage: Stage) -> None:
    registered(OTHER, now=stage.now)
    with holding_its_lock(OTHER) as process:
        assert [worker.id for worker in liveness.live_workers(now=stage.now)] == [OTHER]
        recovery.look_after_workers(now=stage.now)
        assert Worker.objects.get().stopped_at is None
        process.kill()
        process.wait()
        assert liveness.live_workers(now=stage.now) == []
        recovery.look_after_workers(now=stage.now)
        assert Worker.objects.get().stopped_at and not (site.run_directory() / f"{OTHER}.worker").exists()


def test_a_worker_elsewhere_lives_while_its_heart_beats(stage: Stage) -> None:
    registered(OTHER, now=stage.now, is_here=False)
    assert len(liveness.live_workers(now=stage.now + timedelta(seconds=LEASE - 1))) == 1
    assert liveness.live_workers(now=stage.now + timedelta(seconds=LEASE + 1)) == []
    recovery.look_after_workers(now=stage.now)
    assert Worker.objects.get().stopped_at is None


def test_workers_of_other_days_are_forgotten(stage: Stage) -> None:
    registered(OTHER, now=stage.now, stopped_at=stage.now - timedelta(days=2))
    registered("e" * 32, now=stage.now, stopped_at=stage.now - timedelta(hours=2))
    recovery.look_after_workers(now=stage.now)
    assert [worker.id for worker in Worker.objects.all()] == ["e" * 32]


def plan(query: str) -> str:
    """How the database would run it; PostgreSQL is told that scans cost much, on small tables it prefers them, and what earlier tests
    left of its statistics is out of the way."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("TRUNCATE workflows_app_step CASCADE")
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{query}")
        rows = cursor.fetchall()
        transaction.set_rollback(True)
        return "\n".join(str(row[-1]) for row in rows)


def test_no_look_reads_the_steps_of_what_has_ended(stage: Stage, reaper: recovery.Reaper) -> None:
    """There may be millions of them, and it looks every second."""
    with CaptureQueriesContext(connection) as queries:
        reaper.tick(now=stage.now, monotonic=1.0)
    looks = [query["sql"] for query in queries if re.match(r'\W*SELECT ((?! FROM ).)* FROM "workflows_app_step"', query["sql"])]
    assert len(looks) >= 4
    for query in looks:
        used = re.findall(r"(?:SCAN|SEARCH|Seq Scan on|INDEX|Scan using|Bitmap Index Scan on) (step_\w+|workflows_app_step\b)", plan(query))
        assert set(used) - {"workflows_app_step"} <= {"step_claimable", "step_claimable_by_key", "step_leases", "step_waits"}, query
        assert set(used) != {"workflows_app_step"}, query
