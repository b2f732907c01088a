"""What a dead worker had begun costs a try; what it had only claimed costs nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.engine import oracle
from tests.engine.rival import claim_as, holding_its_lock, registered
from tests.engine.stage import NEVER, Stage, log_of, node, outcomes, step
from workflows_app.engine import recovery, site
from workflows_app.engine.begun import Begun, had_begun
from workflows_app.graph.definition import RetryPolicy

DEAD = "e" * 32


@pytest.fixture
def begun() -> Begun:
    yield Begun(DEAD, 4)
    site.forget(DEAD)


def test_what_was_begun_and_not_yet_recorded_is_known_to_others(begun: Begun) -> None:
    begun.add(11)
    begun.add(12)
    begun.remove(11)
    assert had_begun(DEAD, [11, 12, 13]) == {12}


def test_places_are_used_again_and_again(begun: Begun) -> None:
    for number in range(1, 100):
        begun.add(number)
        begun.remove(number)
    begun.add(1000)
    assert had_begun(DEAD, list(range(1, 1001))) == {1000}


def test_more_than_there_are_places_for_count_as_begun(begun: Begun) -> None:
    for number in range(1, 7):
        begun.add(number)
    assert had_begun(DEAD, [1, 6, 99]) == {1, 6, 99}


def test_removing_what_was_never_added_changes_nothing(begun: Begun) -> None:
    begun.remove(5)
    begun.add(6)
    assert had_begun(DEAD, [5, 6]) == {6}


def test_of_a_worker_that_left_no_page_everything_counts_as_begun() -> None:
    assert had_begun("f" * 32, [1, 2]) == {1, 2}


def test_nothing_was_begun_by_a_worker_that_died_before_its_first_step(begun: Begun) -> None:
    assert had_begun(DEAD, [1, 2]) == set()


def test_a_step_that_may_not_be_tried_twice_survives_a_worker_that_died_before_it_began(stage: Stage, begun: Begun) -> None:
    workflow = stage.start(node("a", retry=NEVER), node("b", "echo", "a"))
    registered(DEAD, now=stage.now)
    claim_as(DEAD, now=stage.now)
    assert recovery.take_back(now=stage.now, trust_leases=False) == 1
    found = step(workflow, "a")
    assert (found.status, found.crashes, found.failures) == ("PENDING", 0, 0)
    assert "died before the step began" in log_of(workflow, "a")
    assert stage.play(workflow).status == "COMPLETED"
    assert outcomes(workflow, "a") == ["released", "completed"]
    oracle.judge(workflow)


def test_a_claim_that_a_living_worker_never_heard_of_costs_nothing(stage: Stage, begun: Begun) -> None:
    """Its commit reached the database, and the connection broke before the answer came: the lease runs out."""
    workflow = stage.start(node("a", retry=NEVER), node("b", retry=NEVER))
    registered(DEAD, now=stage.now)
    claims = {claim.node_id: claim for claim in claim_as(DEAD, now=stage.now)}
    begun.add(claims["b"].step_id)
    with holding_its_lock(DEAD):
        assert recovery.take_back(now=stage.now) == 0
        assert recovery.take_back(now=stage.now + timedelta(hours=1)) == 2
    assert (outcomes(workflow, "a"), step(workflow, "a").crashes) == (["released"], 0)
    assert (outcomes(workflow, "b"), step(workflow, "b").status) == (["crashed"], "FAILED")
    assert "its lease ran out before the step began" in log_of(workflow, "a")


def test_only_the_one_that_had_begun_is_charged(stage: Stage, begun: Begun) -> None:
    workflow = stage.start(node("a", retry=RetryPolicy(retries=5)), node("b", retry=NEVER))
    registered(DEAD, now=stage.now)
    claims = {claim.node_id: claim for claim in claim_as(DEAD, now=stage.now)}
    begun.add(claims["a"].step_id)
    assert recovery.take_back(now=stage.now, trust_leases=False) == 2
    assert (step(workflow, "a").crashes, step(workflow, "b").crashes) == (1, 0)
    stage.play(workflow)
    assert (outcomes(workflow, "a"), outcomes(workflow, "b")) == (["crashed", "completed"], ["released", "completed"])
    oracle.judge(workflow)


def test_a_worker_writes_down_what_it_begins_until_that_is_recorded(stage: Stage) -> None:
    seen = []

    class Watching(type(stage.worker.begun)):  # type: ignore[misc]
        def remove(self, step_id: int) -> None:
            seen.append((step_id, had_begun(stage.worker.id, [step_id])))
            super().remove(step_id)

    stage.worker.begun.__class__ = Watching
    try:
        workflow = stage.run(node("a"), node("b", "echo_thread", "a"))
    finally:
        stage.worker.begun.__class__ = Begun
    ids = [step(workflow, id).pk for id in "ab"]
    assert seen == [(id, {id}) for id in ids]
    assert had_begun(stage.worker.id, ids) == set()


def test_the_files_of_a_dead_worker_go_when_it_holds_nothing_any_more(stage: Stage, begun: Begun) -> None:
    stage.start(node("a"))
    registered(DEAD, now=stage.now)
    claim_as(DEAD, now=stage.now)
    recovery.look_after_workers(now=stage.now)
    assert site.path(DEAD, "begun").exists(), "who takes the steps back has to know which had begun"
    recovery.take_back(now=stage.now)
    recovery.look_after_workers(now=stage.now)
    assert not site.path(DEAD, "begun").exists()
