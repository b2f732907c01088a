"""What happens at the same moment: several results that one step waited for, a stop between two claims."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections, transaction

from tests.engine import oracle
from tests.engine.at_once import at_once
from tests.engine.rival import claim_as
from tests.engine.stage import Stage, node, outcomes, statuses, step
from workflows_app.engine import control
from workflows_app.engine.claims import Claim
from workflows_app.engine.commit import apply, record
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.outcomes import Outcome, failed, returned
from workflows_app.engine.sql.transaction import write
from workflows_app.models import Workflow


def commit(stage: Stage, worker_id: str, *results: Outcome) -> int:
    """Record these and go on with what became ready, as a drain does; how many were refused."""
    with write() as session:
        recorded = record(session, worker_id=worker_id, outcomes=results, now=stage.now)
        apply(session, recorded.deltas, now=stage.now)
    return len(recorded.refused)


def claims_of_rivals(stage: Stage, count: int) -> list[Claim]:
    """One claim for each of `count` workers."""
    return [claim_as(f"{number:032}", now=stage.now, slots=1)[0] for number in range(count)]


@pytest.mark.parametrize(("parents", "times"), [(2, 25), (10, 8)])
def test_a_step_whose_needs_end_at_the_same_moment_is_ready_once(stage: Stage, parents: int, times: int) -> None:
    for _ in range(times):
        ids = [f"p{number}" for number in range(parents)]
        workflow = stage.start(*(node(id) for id in ids), node("join", "echo", *ids), node("any", "echo", *ids, trigger_rule="one_success"))
        claims = claims_of_rivals(stage, parents)
        found = at_once(lambda n, claims=claims: commit(stage, f"{n:032}", returned(claims[n], n, at=stage.now)), parents)
        assert found == [0] * parents
        assert {step(workflow, id).status for id in ("join", "any")} == {"PENDING"}
        oracle.recount(workflow)
        stage.play(workflow)
        assert outcomes(workflow, "join") == outcomes(workflow, "any") == ["completed"]
        oracle.judge(workflow)


def test_a_success_and_a_failure_at_the_same_moment_are_decided_together(stage: Stage) -> None:
    for _ in range(15):
        below = [node(rule, "echo", "good", "bad", trigger_rule=rule) for rule in ("all_success", "none_failed", "all_done", "one_success")]
        workflow = stage.start(node("good"), node("bad"), *below)
        claims = {claim.node_id: claim for claim in claims_of_rivals(stage, 2)}
        results = [returned(claims["good"], 1, at=stage.now), failed(claims["bad"], "no", at=stage.now)]
        workers = {id(claim): number for number, claim in enumerate(claims.values())}
        at_once(lambda n, r=results, w=workers: commit(stage, f"{w[id(r[n].claim)]:032}", r[n]), 2)
        stage.play(workflow)
        expected = {"all_success": "STOPPED", "none_failed": "STOPPED", "all_done": "COMPLETED", "one_success": "COMPLETED"}
        assert statuses(workflow) == {"good": "COMPLETED", "bad": "FAILED", **expected}
        oracle.judge(workflow)


def test_workers_that_claim_at_the_same_moment_share_and_never_double(stage: Stage) -> None:
    stage.start(*(node(f"n{number}") for number in range(60)))
    found = at_once(lambda n: [claim.step_id for claim in claim_as(f"{n:032}", now=stage.now, slots=10)], 6)
    taken = [step_id for claims in found for step_id in claims]  # type: ignore[attr-defined]
    assert len(taken) == len(set(taken)) and all(len(claims) <= 10 for claims in found)  # type: ignore[arg-type]


def test_a_stop_at_the_moment_of_a_result_leaves_one_story(stage: Stage) -> None:
    for _ in range(15):
        workflow = stage.start(node("a"), node("b", "echo", "a"))
        (claim,) = claims_of_rivals(stage, 1)
        verbs = [lambda c=claim: commit(stage, f"{0:032}", returned(c, 1, at=stage.now)), lambda w=workflow: stage.stop(w) and "stopped"]
        refused, stopped = at_once(lambda n, verbs=verbs: verbs[n](), 2)
        assert stopped == "stopped" and refused in (0, 1)
        assert outcomes(workflow, "a") == (["stopped"] if refused else ["completed"])
        assert step(workflow, "b").status == "STOPPED"
        oracle.judge(workflow)


def test_verbs_at_the_same_moment_are_done_once(stage: Stage) -> None:
    for _ in range(8):
        workflow = stage.start(node("a"))
        found = at_once(lambda _, w=workflow: control.stop(uid=w.uid, now=stage.now), 4)
        assert sorted(type(each).__name__ for each in found) == [NotAllowed.__name__] * 3 + [Workflow.__name__]
        found = at_once(lambda _, w=workflow: control.resume(uid=w.uid, now=stage.now), 4)
        assert sorted(type(each).__name__ for each in found) == [NotAllowed.__name__] * 3 + [Workflow.__name__]
        assert stage.play(workflow).status == "COMPLETED"
        oracle.judge(workflow)


def test_crossing_workflows_do_not_deadlock(stage: Stage) -> None:
    """Each worker ends steps of both workflows while the other does, and an operator stops a third."""
    for _ in range(10):
        flows = [stage.start(*(node(f"n{number}") for number in range(8))) for _ in range(2)]
        doomed = stage.start(*(node(f"d{number}") for number in range(8)))
        halves = [claim_as(f"{number:032}", now=stage.now, slots=12) for number in range(2)]

        def work(number: int, halves=halves, doomed=doomed) -> object:  # type: ignore[no-untyped-def]
            if number == 2:
                return stage.stop(doomed).status
            results = [returned(claim, 1, at=stage.now) for claim in halves[number][:: 1 - 2 * number]]
            return commit(stage, f"{number:032}", *results)

        found = at_once(work, 3)
        assert not [each for each in found if isinstance(each, Exception) and not isinstance(each, NotAllowed)], found
        for workflow in (*flows, doomed):
            oracle.judge(workflow)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no lock to take at the beginning")
def test_who_reads_and_then_writes_in_one_transaction_is_never_told_that_the_database_is_locked(stage: Stage) -> None:
    """SQLite refuses to let a transaction write that read before another one wrote: so each takes the lock when it begins."""
    workflow = stage.start(node("a"))
    wrote = threading.Event()

    def write_between() -> None:
        with transaction.atomic():
            Workflow.objects.filter(pk=workflow.pk).update(description="between")
        connections.close_all()
        wrote.set()

    with transaction.atomic():
        assert Workflow.objects.get(pk=workflow.pk).description == ""
        threading.Thread(target=write_between, daemon=True).start()
        wrote.wait(0.3)
        Workflow.objects.filter(pk=workflow.pk).update(name="written")
    assert wrote.wait(20)
    workflow.refresh_from_db()
    assert (workflow.name, workflow.description) == ("written", "between")


@pytest.mark.parametrize("scans", ["enable_indexscan", "enable_seqscan"])
def test_no_plan_of_the_database_claims_more_than_there_are_slots(stage: Stage, scans: str) -> None:
    """PostgreSQL may run a subquery again for every row that it is compared with, and each time it takes others."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs it once")
    for _ in range(6):
        stage.start(*(node(f"n{number}") for number in range(5)))
    with connection.cursor() as cursor:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize", "bitmapscan"):
            cursor.execute(f"SET enable_{way} = off")
        cursor.execute(f"SET {scans} = off")
    try:
        assert len(claim_as("o" * 32, now=stage.now, slots=2)) == 2
    finally:
        connection.close()
