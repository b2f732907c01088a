"""R6: what happens at the same moment, again and again: every step is ready once, every moment has one story, nobody deadlocks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections

from tests.chaos import ledger
from tests.chaos.audit import Audit, auditing
from tests.chaos.ledger import Entry
from tests.engine import oracle
from tests.engine.rival import claim_as
from tests.engine.stage import NEVER, Stage, node, outcomes, statuses
from tests.engine.test_races import commit
from workflows_app.engine import control
from workflows_app.engine.claims import Claim
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.outcomes import failed, returned
from workflows_app.engine.recovery import take_back
from workflows_app.graph.definition import RetryPolicy
from workflows_app.graph.statuses import FINAL
from workflows_app.models import Attempt, Step, Workflow

LONG = {"sqlite": 500, "postgresql": 2000}
SHORT = {2: 60, 50: 6}
PATIENCE_SECONDS = 60
TWICE = RetryPolicy(retries=3)


class Crowd:
    """Threads with a connection each, which stay: every `go` lets all of them begin at one barrier."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._start, self._end = Barrier(size + 1), Barrier(size + 1)
        self._work: Callable[[int], object] | None = None
        self._found: list[object] = [None] * size
        self._threads = [Thread(target=self._serve, args=(number,), daemon=True) for number in range(size)]
        for thread in self._threads:
            thread.start()

    def go(self, work: Callable[[int], object]) -> list[object]:
        """What the calls of `work(number)` return or raise."""
        self._work = work
        self._start.wait(PATIENCE_SECONDS)
        self._end.wait(PATIENCE_SECONDS)
        return self._found[:]

    def leave(self) -> None:
        self._work = None
        self._start.wait(PATIENCE_SECONDS)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def _serve(self, number: int) -> None:
        connection.ensure_connection()
        while True:
            self._start.wait()
            if self._work is None:
                return connections.close_all()
            try:
                self._found[number] = self._work(number)
            except Exception as error:  # noqa: BLE001  handed to whoever let it go
                self._found[number] = error
            self._end.wait()


@pytest.fixture
def audit(stage: Stage) -> Iterator[Audit]:
    with auditing() as kept:
        yield kept


@pytest.fixture
def crowds(stage: Stage) -> Iterator[Callable[[int], Crowd]]:
    made: list[Crowd] = []

    def make(size: int) -> Crowd:
        made.append(Crowd(size))
        return made[-1]

    yield make
    for crowd in made:
        with suppress(Exception):
            crowd.leave()


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return Stage()


@pytest.fixture
def without_deadlocks(transactional_db: None) -> Iterator[None]:
    before = deadlocks()
    yield
    assert deadlocks() == before


def deadlocks() -> int:
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def name(number: int) -> str:
    return f"{number:032}"


def claims_of(stage: Stage, workflow: Workflow, count: int) -> list[Claim]:
    """One claim for each of `count` workers."""
    found = [claim for number in range(count) for claim in claim_as(name(number), now=stage.now, slots=1)]
    assert len(found) == count and {claim.workflow_id for claim in found} == {workflow.pk}
    return found


@pytest.mark.usefixtures("without_deadlocks")
@pytest.mark.parametrize("parents", [2, 50])
def test_parents_that_end_at_the_same_moment_make_the_joined_step_ready_once(
    stage: Stage, audit: Audit, crowds: Callable[[int], Crowd], scale: float, parents: int
) -> None:
    crowd, began = crowds(parents), time.monotonic()
    times = min(int(SHORT[parents] * scale), LONG[connection.vendor])
    ids = [f"p{number}" for number in range(parents)]
    lost = twice = 0
    for _ in range(times):
        workflow = stage.start(*(node(id) for id in ids), node("join", "echo", *ids))
        claims = claims_of(stage, workflow, parents)
        audit.fresh()
        refused = crowd.go(lambda n, claims=claims: commit(stage, name(n), returned(claims[n], n, at=stage.now)))
        join = Step.objects.get(workflow=workflow, node_id="join")
        made_ready = sum(change.row_id == join.pk and change.became == "PENDING" for change in audit.fresh())
        lost += made_ready == 0
        twice += made_ready > 1
        assert refused == [0] * parents
        assert (join.status, join.remaining) == ("PENDING", 0)
        workflow.refresh_from_db()
        assert (workflow.done_steps, workflow.active_steps, workflow.status) == (parents, 1, "RUNNING")
        (claim,) = claim_as(name(0), now=stage.now)
        assert commit(stage, name(0), returned(claim, 1, at=stage.now)) == 0
        oracle.judge(workflow)
        workflow.refresh_from_db()
        assert workflow.status == "COMPLETED"
    figures = f"{parents} parents at a barrier, {times} times"
    seconds = time.monotonic() - began
    ledger.note(
        Entry(
            "R6", f"{parents} parents", steps=times * (parents + 1), faults=times, lost=lost, twice=twice, seconds=seconds, figures=figures
        )
    )
    assert (lost, twice) == (0, 0)


def stop_against_last_result(stage: Stage, crowd: Crowd) -> Workflow:
    workflow = stage.start(node("a"))
    (claim,) = claims_of(stage, workflow, 1)
    verbs = [lambda: commit(stage, name(0), returned(claim, 1, at=stage.now)), lambda: control.stop(uid=workflow.uid, now=stage.now)]
    refused, stopped = crowd.go(lambda n: verbs[n]())
    workflow.refresh_from_db()
    if isinstance(stopped, NotAllowed):
        assert (refused, workflow.status, outcomes(workflow, "a")) == (0, "COMPLETED", ["completed"])
    else:
        assert (refused, workflow.status, outcomes(workflow, "a")) == (1, "STOPPED", ["stopped"])
    return workflow


def retry_against_result(stage: Stage, crowd: Crowd) -> Workflow:
    """Of a step above, while the last result of a workflow that fails comes in: too early it is refused, else all of it runs again."""
    workflow = stage.start(node("a"), node("bad", retry=NEVER), node("z", "echo", "a", "bad"))
    claims = {claim.node_id: claim for claim in claim_as(name(0), now=stage.now)}
    commit(stage, name(0), returned(claims["a"], 1, at=stage.now))

    failure = failed(claims["bad"], "no", at=stage.now)
    verbs = [lambda: commit(stage, name(0), failure), lambda: control.retry(uid=workflow.uid, now=stage.now)]
    refused, retried = crowd.go(lambda n: verbs[n]())
    assert refused == 0
    workflow.refresh_from_db()
    assert workflow.status == ("FAILED" if isinstance(retried, NotAllowed) else "RUNNING"), retried
    if workflow.status not in FINAL:
        finish_all(stage)
        assert statuses(workflow) == {"a": "COMPLETED", "bad": "COMPLETED", "z": "COMPLETED"}
    return workflow


def two_claimers_for_one_step(stage: Stage, crowd: Crowd) -> Workflow:
    workflow = stage.start(node("a"))
    found = crowd.go(lambda n: [claim.attempt for claim in claim_as(name(n), now=stage.now)])
    assert sorted(map(str, found)) == ["[1]", "[]"]
    finish_all(stage)
    return workflow


def reaper_against_result(stage: Stage, crowd: Crowd) -> Workflow:
    workflow = stage.start(node("a", retry=TWICE), node("b", "echo", "a"))
    (claim,) = claims_of(stage, workflow, 1)
    late = stage.now + timedelta(hours=1)
    verbs = [lambda: commit(stage, name(0), returned(claim, 1, at=stage.now)), lambda: take_back(now=late)]
    refused, taken = crowd.go(lambda n: verbs[n]())
    assert (refused, taken) in {(0, 0), (1, 1)}
    assert outcomes(workflow, "a") == (["crashed"] if taken else ["completed"])
    stage.worker.clock.set(late)
    finish_all(stage)
    assert outcomes(workflow, "a")[-1] == "completed" and outcomes(workflow, "b") == ["completed"]
    return workflow


def two_reapers(stage: Stage, crowd: Crowd) -> Workflow:
    workflow = stage.start(node("a", retry=TWICE), node("b", retry=TWICE))
    claims_of(stage, workflow, 2)
    late = stage.now + timedelta(hours=1)
    taken = crowd.go(lambda n: take_back(now=late))
    assert sum(taken) == 2, taken  # type: ignore[arg-type]
    assert list(workflow.steps.values_list("status", "crashes", "attempt")) == [("PENDING", 1, 1)] * 2
    assert Attempt.objects.filter(step__workflow=workflow).count() == 2
    stage.worker.clock.set(late)
    finish_all(stage)
    return workflow


def finish_all(stage: Stage) -> None:
    """Whoever holds a step brings its result, and what follows is run too."""
    for running in Step.objects.running():
        take_back(now=stage.now + timedelta(hours=9))
        assert running
    while claims := claim_as(name(7), now=stage.now + timedelta(hours=9)):
        assert commit(stage, name(7), *(returned(claim, 1, at=stage.now + timedelta(hours=9)) for claim in claims)) == 0


RACES = [stop_against_last_result, retry_against_result, two_claimers_for_one_step, reaper_against_result, two_reapers]


@pytest.mark.usefixtures("without_deadlocks")
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_of_two_at_the_same_moment_one_story_is_told(
    stage: Stage, crowds: Callable[[int], Crowd], scale: float, race: Callable[[Stage, Crowd], Workflow]
) -> None:
    crowd, began = crowds(2), time.monotonic()
    times = min(int(SHORT[2] / 2 * scale), LONG[connection.vendor])
    ended: Counter[Any] = Counter()
    for _ in range(times):
        workflow = race(stage, crowd)
        oracle.judge(workflow)
        ended[workflow.status] += 1
        stage.worker.clock.set(stage.now + timedelta(hours=10))
    figures = ", ".join(f"{count} {status}" for status, count in ended.items())
    ledger.note(Entry("R6", race.__name__.replace("_", " "), steps=times, faults=times, seconds=time.monotonic() - began, figures=figures))
