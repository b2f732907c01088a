"""The attempt is the fencing token: what an earlier holder of a step brings late is refused, said and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import timedelta

import pytest
from django.db import OperationalError

from tests.engine import oracle, tasks
from tests.engine.rival import claim_as
from tests.engine.stage import PromptDrain, Stage, log_of, node, outcomes, statuses, step
from workflows_app.engine import control, recovery, report
from workflows_app.engine.claims import Claim
from workflows_app.engine.commit import Delta, apply, record
from workflows_app.engine.outcomes import Outcome, crashed, failed, released, returned
from workflows_app.engine.sql.transaction import write
from workflows_app.graph.definition import RetryPolicy
from workflows_app.models import Attempt, Workflow

RIVAL = "r" * 32


def bring(stage: Stage, worker_id: str, *results: Outcome) -> list[Outcome]:
    """Record results as this worker; those that were refused."""
    with write() as session:
        recorded = record(session, worker_id=worker_id, outcomes=results, now=stage.now)
        apply(session, recorded.deltas, now=stage.now)
    return recorded.refused


def taken_back(stage: Stage, *claims: Claim) -> None:
    assert recovery.take_back(now=stage.now + timedelta(hours=1)) == len(claims)


@pytest.mark.parametrize("late", [returned, failed, released, crashed], ids=lambda make: make.__name__)
def test_a_late_result_is_refused_whatever_it_is(stage: Stage, late: Callable[..., Outcome]) -> None:
    workflow = stage.start(node("a", retry=RetryPolicy(retries=3)), node("b", "echo", "a"))
    (old,) = claim_as(RIVAL, now=stage.now)
    taken_back(stage, old)
    stage.worker.clock.set(stage.now + timedelta(hours=2))
    result = late(old, at=stage.now) if late is released else late(old, "late", at=stage.now)
    before = list(workflow.steps.order_by("id").values()), Workflow.objects.values().get()
    assert bring(stage, RIVAL, result) == [result]
    assert (list(workflow.steps.order_by("id").values()), Workflow.objects.values().get()) == before
    assert "A late result of attempt 1" in log_of(workflow, "a")
    (told,) = report.step(workflow.uid, "a")["attemptHistory"]
    assert (told["outcome"], told["lateResult"]) == ("crashed", result.recorded)
    stage.play(workflow)
    assert outcomes(workflow, "a") == ["crashed", "completed"]
    oracle.judge(workflow)


def test_a_worker_that_comes_back_cancels_what_was_taken_from_it_and_says_so(stage: Stage) -> None:
    workflow = stage.start(node("a", "gated", retry=RetryPolicy(retries=3)))
    drain = PromptDrain(stage.worker)
    drain._commit_patiently()
    drain._dispatch()
    assert tasks.entered["a"].wait(10)
    assert recovery.take_back(now=stage.now + timedelta(hours=1)) == 1
    drain.supervision._drop_lost()
    tasks.gates["a"].set()
    assert not drain.running
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.late_result) == ("crashed", "cancelled")
    assert "was still running when its worker came back" in log_of(workflow, "a")


def test_a_step_that_was_stopped_is_not_called_superseded(stage: Stage) -> None:
    workflow = stage.start(node("a", "gated"))
    drain = PromptDrain(stage.worker)
    drain._commit_patiently()
    drain._dispatch()
    assert tasks.entered["a"].wait(10)
    stage.stop(workflow)
    drain.supervision._drop_lost()
    tasks.gates["a"].set()
    assert (Attempt.objects.get().outcome, Attempt.objects.get().late_result) == ("stopped", "")
    assert "came back" not in log_of(workflow, "a")


def test_a_superseded_attempt_is_refused_while_the_next_one_runs(stage: Stage) -> None:
    """Also when the next attempt is the same worker's: only the number tells them apart."""
    workflow = stage.start(node("a", retry=RetryPolicy(retries=3)))
    (old,) = claim_as(RIVAL, now=stage.now)
    taken_back(stage, old)
    stage.worker.clock.set(stage.now + timedelta(hours=2))
    (new,) = claim_as(RIVAL, now=stage.now)
    assert (old.attempt, new.attempt) == (1, 2)
    late = returned(old, "late", at=stage.now)
    assert bring(stage, RIVAL, late) == [late] and step(workflow, "a").status == "RUNNING"
    assert bring(stage, RIVAL, returned(new, "in time", at=stage.now)) == []
    assert step(workflow, "a").output == "in time"
    oracle.judge(workflow)


def test_another_workers_claim_cannot_be_finished_under_its_number(stage: Stage) -> None:
    workflow = stage.start(node("a"))
    (theirs,) = claim_as(RIVAL, now=stage.now)
    stolen = returned(theirs, "stolen", at=stage.now)
    assert bring(stage, "x" * 32, stolen) == [stolen] and step(workflow, "a").status == "RUNNING"


def test_a_refused_result_does_not_hold_up_the_rest_of_its_batch(stage: Stage) -> None:
    workflow = stage.start(node("a"), node("b"), node("z", "echo", "a", "b", trigger_rule="all_done"))
    first, second = sorted(claim_as(RIVAL, now=stage.now), key=lambda claim: claim.node_id)
    other = copy(first)
    other.attempt = 9
    late, good = returned(other, 1, at=stage.now), returned(second, 2, at=stage.now)
    assert bring(stage, RIVAL, late, good) == [late]
    assert statuses(workflow) == {"a": "RUNNING", "b": "COMPLETED", "z": "WAITING_FOR_DEPENDENCY"}
    oracle.recount(workflow)


def test_a_result_is_recorded_once_however_often_it_is_brought(stage: Stage) -> None:
    workflow = stage.start(node("a"), node("b", "echo", "a"), node("c", "echo", "a", "b"))
    (claim,) = claim_as(RIVAL, now=stage.now)
    result = returned(claim, 1, at=stage.now)
    assert bring(stage, RIVAL, result) == [] and bring(stage, RIVAL, result) == [result]
    assert step(workflow, "b").status == "PENDING" and step(workflow, "c").remaining == 1
    assert Attempt.objects.filter(step__node_id="a").count() == 1
    oracle.recount(workflow)


def test_a_lost_answer_to_a_commit_is_not_taken_for_a_lost_lease(stage: Stage) -> None:
    """The transaction was committed, its answer was lost: brought again, the result counts as recorded, not as late."""

    class Deaf(PromptDrain):
        """Does not hear the first answer to a commit that brings a result."""

        lost = 0

        def _forget(self, batch, recorded):  # type: ignore[no-untyped-def]
            if batch and not self.lost:
                self.lost = 1
                raise OperationalError("the answer was lost")
            super()._forget(batch, recorded)

    workflow = stage.start(node("a"), node("b", "echo", "a"))
    drain = Deaf(stage.worker)
    drain.run()
    assert drain.lost and outcomes(workflow, "a") == ["completed"] and "late" not in log_of(workflow, "a")
    assert stage.play(workflow).status == "COMPLETED"
    oracle.judge(workflow)


def test_what_is_stopped_and_resumed_is_fenced_off_from_what_ran_before(stage: Stage) -> None:
    workflow = stage.start(node("a"))
    (old,) = claim_as(RIVAL, now=stage.now)
    stage.stop(workflow)
    control.resume(uid=workflow.uid, now=stage.now)
    late = returned(old, "late", at=stage.now)
    assert bring(stage, RIVAL, late) == [late]
    stage.play(workflow)
    assert step(workflow, "a").output == "a" and outcomes(workflow, "a") == ["stopped", "completed"]
    assert tasks.calls == ["a"]
    oracle.judge(workflow)


def test_claims_never_overlap_and_never_exceed_the_slots(stage: Stage) -> None:
    stage.start(*(node(f"n{number}", priority=(0, 5, 9)[number % 3]) for number in range(30)))
    first, second = claim_as("a" * 32, now=stage.now, slots=8), claim_as("b" * 32, now=stage.now, slots=100)
    assert (len(first), len(second)) == (8, 22)
    assert not {claim.step_id for claim in first} & {claim.step_id for claim in second}
    assert claim_as("c" * 32, now=stage.now) == []


def test_nothing_is_claimed_before_its_time(stage: Stage) -> None:
    stage.start(node("a", "delay", config={"seconds": 60}))
    stage.drain()
    assert claim_as(RIVAL, now=stage.now + timedelta(seconds=59)) == []
    assert len(claim_as(RIVAL, now=stage.now + timedelta(seconds=61))) == 1


def test_what_is_noted_late_does_not_open_an_ended_workflow(stage: Stage) -> None:
    """A worker shows a claim on its workflow, or a step's progress, a moment after the operator stopped it."""
    workflow = stage.start(node("a"))
    stage.stop(workflow)
    before = Workflow.objects.values().get()
    with write() as session:
        assert apply(session, {workflow.pk: Delta()}, now=stage.now) == []
    assert Workflow.objects.values().get() == before
