"""A new release beside an old one: what one of them cannot run is left for the other, and costs nobody a process or a try."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.engine import oracle
from tests.engine.rival import claim_as, registered
from tests.engine.stage import NEVER, PromptDrain, Stage, log_of, node, outcomes, step
from workflows_app.actions import tasks as custom
from workflows_app.engine import definitions, endings, invariants, recovery, sub_workflows
from workflows_app.models import Definition, Step, Workflow

DEAD = "d" * 32


@pytest.fixture
def newer(stage: Stage) -> Workflow:
    """A workflow whose definition has a field that only a newer release knows."""
    workflow = stage.start(node("a", retry=NEVER), node("b", "echo", "a"))
    row = Definition.objects.get(digest=workflow.definition_id)
    row.body["nodes"][0]["from_the_future"] = True
    row.save()
    definitions.compiled.cache_clear()
    yield workflow
    definitions.compiled.cache_clear()


def updated(workflow: Workflow) -> None:
    """Now this process is the newer release."""
    row = Definition.objects.get(digest=workflow.definition_id)
    del row.body["nodes"][0]["from_the_future"]
    row.save()
    definitions.compiled.cache_clear()


def test_a_definition_of_a_newer_release_is_left_to_that_one(stage: Stage, newer: Workflow) -> None:
    neighbour = stage.start(node("n"))
    stage.drain()
    assert stage.play(neighbour).status == "COMPLETED"
    found = step(newer, "a")
    assert (found.status, found.failures, found.crashes) == ("PENDING", 0, 0)
    assert found.available_at is not None and found.available_at > stage.now
    assert "This worker cannot run the step" in log_of(newer, "a")
    updated(newer)
    stage.worker.inputs = type(stage.worker.inputs)()
    assert stage.play(newer).status == "COMPLETED"
    oracle.judge(newer)


def test_however_often_it_comes_by_it_is_never_failed_for_that(stage: Stage, newer: Workflow) -> None:
    for _ in range(15):
        stage.to_next_timer()
        stage.drain()
    assert step(newer, "a").status == "PENDING"
    assert set(outcomes(newer, "a")) == {"released"} and step(newer, "a").attempt == 15


def test_an_older_releases_reaper_leaves_such_steps_alone_and_takes_the_others(stage: Stage, newer: Workflow) -> None:
    mine = stage.start(node("n"))
    registered(DEAD, now=stage.now)
    claim_as(DEAD, now=stage.now)
    assert recovery.take_back(now=stage.now) == 1
    assert (step(newer, "a").status, step(mine, "n").status) == ("RUNNING", "FAILED")
    updated(newer)
    assert recovery.take_back(now=stage.now) == 1


def test_an_older_releases_reaper_judges_no_workflow_that_it_cannot_read(stage: Stage, newer: Workflow) -> None:
    mine = stage.start(node("n"))
    Workflow.objects.filter(pk=mine.pk).update(active_steps=0)
    found = invariants.InvariantSweep().look(now=stage.now + timedelta(minutes=1), monotonic=1)
    assert [repair.workflow for repair in found] == [mine]


def test_an_older_releases_reaper_leaves_the_answer_of_a_sub_workflow_that_it_cannot_read(stage: Stage, newer: Workflow) -> None:
    whole = stage.start(node("p"))
    Step.objects.filter(workflow=whole).update(status="WAITING_FOR_DEPENDENCY", waits_for=Step.WORKFLOW, available_at=None)
    Workflow.objects.filter(pk=newer.pk).update(
        status="FAILED", active_steps=0, ended_at=stage.now, parent_step=step(whole, "p"), metadata={sub_workflows.ATTEMPT: 0}
    )
    endings.sweep(now=stage.now)
    assert step(whole, "p").waits_for == Step.WORKFLOW
    updated(newer)
    endings.sweep(now=stage.now)
    assert step(whole, "p").waits_for is None


def test_a_task_that_this_process_does_not_know_waits_for_one_that_does(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    known = custom._REGISTRY
    task = known["echo"]
    workflow = stage.start(node("a"), node("b", "echo_thread", "a"))
    monkeypatch.delitem(known, "echo")
    drain = PromptDrain(stage.worker)
    drain.run()
    assert step(workflow, "a").status == "PENDING" and outcomes(workflow, "a") == ["released"]
    monkeypatch.setitem(known, "echo", task)
    assert stage.play(workflow).status == "COMPLETED"
    assert (step(workflow, "a").failures, step(workflow, "a").crashes) == (0, 0)
    oracle.judge(workflow)
