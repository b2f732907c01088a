"""What should be impossible is found, mended under the workflow's lock, and reported; what is in order is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.engine import oracle, tasks
from tests.engine.rival import claim_as
from tests.engine.stage import PromptDrain, Stage, log_of, node, statuses, step
from workflows_app.engine import invariants, recovery, report
from workflows_app.engine.claims import Slots
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import Repair, Step, Workflow

DIAMOND = (node("a"), node("b", "echo", "a"), node("c", "echo", "a"), node("d", "echo", "b", "c"))


def look(stage: Stage, sweep: invariants.InvariantSweep | None = None) -> list[tuple[str, str]]:
    """What a look a minute from now mends: kinds, and details without the workflow's name."""
    sweep = sweep or invariants.InvariantSweep()
    found = sweep.look(now=stage.now + timedelta(minutes=1), monotonic=sweep._next)
    return [(repair.kind, repair.detail.split(": ", 1)[1]) for repair in found]


def break_steps(workflow: Workflow, *ids: str, **changes: object) -> None:
    """A hand in the database."""
    assert Step.objects.filter(workflow=workflow, node_id__in=ids).update(**changes) == len(ids)


def after_first(stage: Stage, *nodes: Node) -> Workflow:
    """A workflow whose first step has been recorded and whose second wave is due."""
    workflow = stage.start(*nodes)
    (claimed,) = claim_as(stage.worker.id, now=stage.now, slots=1)
    drain = PromptDrain(stage.worker)
    drain.claimed = [claimed]
    drain._dispatch()
    drain._gather(wait_seconds=10)
    drain._free_slots = Slots
    drain._commit(is_again=False)
    return workflow


def test_a_workflow_in_order_is_left_alone_and_not_looked_at_twice(stage: Stage) -> None:
    after_first(stage, *DIAMOND)
    sweep = invariants.InvariantSweep()
    assert look(stage, sweep) == []
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert look(stage, sweep) == []
    assert len(queries) == 2, "leftovers, and which workflows are quiet"
    assert not Repair.objects.exists()


@pytest.mark.parametrize(("remaining", "succeeded"), [(0, 1), (1, 0)])
def test_a_step_whose_dependencies_are_all_done_and_that_nobody_woke_runs(stage: Stage, remaining: int, succeeded: int) -> None:
    workflow = after_first(stage, *DIAMOND)
    break_steps(workflow, "b", status="WAITING_FOR_DEPENDENCY", available_at=None, remaining=remaining, succeeded_needs=succeeded)
    kinds = [kind for kind, _ in look(stage)]
    assert kinds == ["lost_wake_up"]
    assert step(workflow, "b").status == "PENDING"
    stage.worker.clock.set(stage.now + timedelta(minutes=2))
    assert stage.play(workflow).status == "COMPLETED"
    oracle.judge(workflow)


def test_counts_that_would_lose_a_wake_up_later_are_put_right_now(stage: Stage) -> None:
    workflow = after_first(stage, *DIAMOND)
    break_steps(workflow, "d", remaining=7, succeeded_needs=1)
    ((kind, detail),) = look(stage)
    assert kind == "lost_wake_up" and detail.startswith("d was ")
    assert (step(workflow, "d").remaining, step(workflow, "d").succeeded_needs) == (2, 0)
    stage.worker.clock.set(stage.now + timedelta(minutes=2))
    assert stage.play(workflow).status == "COMPLETED"


def test_what_a_failure_or_a_skip_decided_is_decided_down_the_graph(stage: Stage) -> None:
    workflow = stage.start(node("a", "flaky", config={"how": "fail"}), node("b", "echo", "a"), node("c", "echo", "b"), node("z", "gated"))
    drain = PromptDrain(stage.worker)
    drain._commit_patiently()
    drain._dispatch()
    assert tasks.entered["z"].wait(10)
    while not step(workflow, "a").ended_at:
        drain._gather(wait_seconds=1)
        drain._commit(is_again=False)
    break_steps(workflow, "b", "c", status="WAITING_FOR_DEPENDENCY", ended_at=None, remaining=1, failed_needs=0)
    assert [kind for kind, _ in look(stage)] == ["lost_wake_up", "lost_wake_up"]
    assert statuses(workflow) == {"a": "FAILED", "b": "STOPPED", "c": "STOPPED", "z": "RUNNING"}
    tasks.gates["z"].set()
    drain.run()
    workflow.refresh_from_db()
    assert workflow.status == "FAILED"
    oracle.judge(workflow)


@pytest.mark.parametrize("changes", [{"active_steps": 9}, {"done_steps": 0}, {"failed_steps": 3}, {"active_steps": 0}])
def test_counters_that_drifted_are_counted_again(stage: Stage, changes: dict[str, int]) -> None:
    workflow = after_first(stage, *DIAMOND)
    Workflow.objects.filter(pk=workflow.pk).update(**changes)
    assert [kind for kind, _ in look(stage)] == ["counters"]
    oracle.recount(workflow)
    stage.worker.clock.set(stage.now + timedelta(minutes=2))
    assert stage.play(workflow).status == "COMPLETED"
    oracle.judge(workflow)


@pytest.mark.parametrize("failed", [False, True])
def test_a_workflow_without_a_live_step_ends(stage: Stage, failed: bool) -> None:
    workflow = stage.run(node("a"), node("b", "echo", "a") if not failed else node("b", "flaky", "a", config={"how": "fail"}))
    Workflow.objects.filter(pk=workflow.pk).update(status=Status.RUNNING, ended_at=None)
    assert [kind for kind, _ in look(stage)] == ["stalled_workflow"]
    workflow.refresh_from_db()
    assert (workflow.status, workflow.active_steps) == ("FAILED" if failed else "COMPLETED", 0)
    assert workflow.ended_at is not None
    oracle.judge(workflow)


def test_a_step_in_the_middle_of_an_attempt_that_waits_for_nobody_goes_on(stage: Stage) -> None:
    workflow = stage.start(node("a", "wait_twice"))
    stage.drain()
    break_steps(workflow, "a", available_at=None)
    assert look(stage) == [("lost_wake_up", "a waited for nobody")]
    assert "Nothing would have woken this step" in log_of(workflow, "a")
    stage.worker.clock.set(stage.now + timedelta(minutes=2))
    assert stage.play(workflow).status == "COMPLETED"
    oracle.judge(workflow)


def a_map(limit: int = 0) -> Node:
    body = Node("m", "gated", retry=RetryPolicy(retries=0))
    return node("m", "map", config={"items": [1, 2, 3], "limit": limit} if limit else {"items": [1, 2, 3]}, body=body)


def test_a_map_that_miscounts_its_elements_counts_again_and_goes_on(stage: Stage) -> None:
    workflow = stage.start(a_map())
    for index in range(3):
        tasks.gates[f"m[{index}]"].set()
    drain = PromptDrain(stage.worker)
    drain._commit_patiently()
    drain._dispatch()
    drain._gather(wait_seconds=5)
    drain._commit_patiently()
    break_steps(workflow, "m", open_elements=9)
    assert look(stage) == [("elements", "m counted 9 open elements")]
    assert step(workflow, "m").open_elements == 3
    drain._dispatch()
    drain.run()
    assert stage.play(workflow).status == "COMPLETED"
    oracle.judge(workflow)


def test_elements_that_all_wait_for_their_turn_get_one(stage: Stage) -> None:
    workflow = stage.start(a_map(limit=1))
    for index in range(3):
        tasks.gates[f"m[{index}]"].set()
    drain = PromptDrain(stage.worker)
    drain._free_slots = _slots(drain, 1)
    drain._commit_patiently()
    drain._dispatch()
    drain._gather(wait_seconds=5)
    drain._free_slots = _slots(drain, 0)
    drain._commit_patiently()
    break_steps(workflow, "m[0]", status="WAITING_FOR_DEPENDENCY", waits_for=Step.TURN, available_at=None)
    assert [kind for kind, _ in look(stage)] == ["elements"]
    assert step(workflow, "m[0]").status == "PENDING"
    stage.worker.clock.set(stage.now + timedelta(minutes=2))
    assert stage.play(workflow).status == "COMPLETED"


def _slots(drain: PromptDrain, count: int):  # type: ignore[no-untyped-def]
    return lambda: Slots(count, 0)


@pytest.mark.parametrize("is_running", [True, False])
def test_a_step_that_outlived_its_workflow_is_stopped_and_its_result_refused(stage: Stage, is_running: bool) -> None:
    workflow = stage.start(node("a", "gated"), node("b", "echo", "a"))
    if is_running:
        claim_as("x" * 32, now=stage.now)
    Workflow.objects.filter(pk=workflow.pk).update(status=Status.STOPPED, ended_at=stage.now, active_steps=0)
    assert look(stage) == [("step_of_ended_workflow", f"{workflow}: 1 steps were left".split(": ", 1)[1])]
    assert step(workflow, "a").status == "STOPPED"
    assert claim_as("y" * 32, now=stage.now + timedelta(hours=1)) == []
    assert look(stage) == []


def test_what_is_being_held_or_was_only_submitted_or_changed_just_now_is_not_looked_at(stage: Stage) -> None:
    for status, awaits in (("WAITING_FOR_DEPENDENCY", False), ("PENDING", True)):
        held = stage.start(node("a"))
        break_steps(held, "a", status="WAITING_FOR_DEPENDENCY", available_at=None)
        Workflow.objects.filter(pk=held.pk).update(status=status, awaits_trigger=awaits)
    assert look(stage) == []
    just_now = stage.start(node("a"))
    break_steps(just_now, "a", status="WAITING_FOR_DEPENDENCY", available_at=None)
    sweep = invariants.InvariantSweep()
    assert sweep.look(now=stage.now, monotonic=0) == []


def test_all_are_looked_at_in_turn(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants, "MOST_WORKFLOWS", 2)
    workflows = [stage.start(node("a")) for _ in range(5)]
    for workflow in workflows:
        break_steps(workflow, "a", status="WAITING_FOR_DEPENDENCY", available_at=None)
    sweep = invariants.InvariantSweep()
    assert [len(look(stage, sweep)) for _ in range(3)] == [2, 2, 1]


def test_it_looks_every_ten_seconds_and_takes_a_twentieth_of_the_time_at_most(stage: Stage) -> None:
    clock = iter((0.0, 0.1, 5.0, 8.0))
    sweep = invariants.InvariantSweep(clock=lambda: next(clock))
    sweep.look(now=stage.now, monotonic=100)
    assert sweep._next == 110
    sweep.look(now=stage.now, monotonic=109.9)
    sweep.look(now=stage.now, monotonic=200)
    assert sweep._next == 260


def test_the_reaper_sweeps_and_the_health_page_tells(stage: Stage) -> None:
    workflow = after_first(stage, *DIAMOND)
    break_steps(workflow, "b", status="WAITING_FOR_DEPENDENCY", available_at=None, remaining=1, succeeded_needs=0)
    recovery.Reaper(on_frozen=lambda: None).tick(now=stage.now + timedelta(minutes=1), monotonic=1000)
    assert step(workflow, "b").status == "PENDING"
    scheduler = report.health(stage.now)["components"]["scheduler"]
    assert scheduler["repairs"] == 1 and "1 impossible states were found and mended" in scheduler["message"]
    assert Repair.objects.get().workflow == workflow


def test_one_that_cannot_be_judged_is_in_the_way_of_no_other(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody's hand took a step away."""
    odd, other = stage.start(*DIAMOND), stage.start(node("a"))
    Step.objects.filter(workflow=odd, node_id="c").delete()
    Workflow.objects.filter(pk=other.pk).update(active_steps=0)
    sweep = invariants.InvariantSweep()
    assert [kind for kind, _ in look(stage, sweep)] == ["counters"]
    assert f"Workflow {odd.pk} cannot be judged" in caplog.text
    assert look(stage, sweep) == []
