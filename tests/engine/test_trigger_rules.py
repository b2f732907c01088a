"""What runs, is skipped or is blocked, for every trigger rule and every way its needs can end."""

from __future__ import annotations

from itertools import combinations_with_replacement as mixed
from itertools import product
from typing import get_args

import pytest

from tests.engine import oracle, reference, tasks
from tests.engine.stage import Stage, node, statuses, step
from workflows_app.graph.definition import Node
from workflows_app.graph.readiness import TriggerRule
from workflows_app.models import Workflow

RULES = get_args(TriggerRule)
SKIPPED = {"==": [1, 2]}


def parent(id: str, end: str) -> Node:
    """A step that completes, fails, fails and is forgiven, is skipped, or is a branch that takes another way than `it`."""
    if end == "ruled out":
        return node(id, "branch", config={"cases": [{"condition": False, "next": "it"}, {"else": True, "next": []}]})
    if end == "skipped":
        return node(id, run_if=SKIPPED)
    if end == "completed":
        return node(id)
    return node(id, "flaky", config={"how": "fail"}, on_failure="continue" if end == "forgiven" else "fail")


FATES = {
    "completed": reference.PASSES, "failed": reference.FAILS, "forgiven": reference.FAILS, "skipped": reference.SKIPS,
    "ruled out": reference.PASSES,
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_every_combination_of_up_to_four_needs_ends_as_the_rule_says(stage: Stage, rule: TriggerRule) -> None:
    """CONTRACT.md section 7, trigger rules. Each in a workflow of its own, all in one drain; `below` sees how the step's own end
    is passed on. Of three and four needs each mixture once, of fewer in every order too."""
    mixtures = [*product(FATES, repeat=1), *product(FATES, repeat=2), *mixed(FATES, 3), *mixed(FATES, 4)]
    runs: list[tuple[Workflow, list[Node], dict[str, str], dict[str, list[str]]]] = []
    for ends in mixtures:
        parents = [parent(f"p{number}", end) for number, end in enumerate(ends)]
        nodes = [*parents, node("it", "echo", *(p.id for p in parents), trigger_rule=rule), node("below", "echo", "it")]
        fates = {f"p{number}": FATES[end] for number, end in enumerate(ends)} | dict.fromkeys(("it", "below"), reference.PASSES)
        chosen: dict[str, list[str]] = {f"p{number}": [] for number, end in enumerate(ends) if end == "ruled out"}
        runs.append((stage.start(*nodes), nodes, fates, chosen))
    assert len(runs) == 135
    stage.play(runs[-1][0])
    for workflow, nodes, fates, chosen in runs:
        expected = reference.expected(nodes, fates, chosen)
        assert statuses(workflow) == expected, [n.id for n in nodes]
        oracle.judge(workflow)
        assert workflow.status == reference.overall(expected, nodes)


def test_a_step_that_needs_one_success_does_not_wait_for_the_others(stage: Stage) -> None:
    slow = node("slow", "gated")
    workflow = stage.start(node("quick"), slow, node("it", "opens", "quick", "slow", trigger_rule="one_success", config={"gate": "slow"}))
    stage.play(workflow)
    assert workflow.status == "COMPLETED" and tasks.calls.count("it") == 1
    oracle.judge(workflow)


def test_a_later_success_does_not_start_such_a_step_again(stage: Stage) -> None:
    """The `remaining > 0` guard: the second parent ends while the step waits on a timer."""
    nodes = (node("one"), node("two", "wait_twice", config={"seconds": 10}))
    it = node("it", "wait_twice", "one", "two", trigger_rule="one_success", config={"seconds": 25})
    workflow = stage.run(*nodes, it)
    assert tasks.calls.count("it") == 3 and step(workflow, "it").output == [1, 1, 1]
    oracle.judge(workflow)


def test_a_failure_blocks_all_below_and_says_why(stage: Stage) -> None:
    workflow = stage.run(node("a", "flaky", config={"how": "fail"}), node("b", "echo", "a"), node("c", "echo", "b"), node("other"))
    assert statuses(workflow) == {"a": "FAILED", "b": "STOPPED", "c": "STOPPED", "other": "COMPLETED"}
    assert (workflow.status, workflow.error) == ("FAILED", "a: for good")
    assert step(workflow, "b").metadata["skipped"] is False and "failed" in step(workflow, "b").metadata["reason"]
    oracle.judge(workflow)


def test_a_forgiven_failure_goes_on_and_counts_as_done(stage: Stage) -> None:
    workflow = stage.run(node("a", "flaky", config={"how": "fail"}, on_failure="continue"), node("b", "echo", "a"))
    assert statuses(workflow) == {"a": "FAILED", "b": "COMPLETED"}
    assert (workflow.status, workflow.failed_steps, workflow.error) == ("COMPLETED", 1, "")
    oracle.judge(workflow)


def branch(id: str, choice: str, *targets: str, needs: tuple[str, ...] = ()) -> Node:
    cases = [{"label": target, "condition": {"==": [{"var": "params.way"}, target]}, "next": target} for target in targets]
    return node(id, "branch", *needs, config={"cases": [*cases, {"else": True, "next": []}]})


@pytest.mark.parametrize("rule", RULES)
def test_a_branch_skips_the_way_not_taken_and_the_join_follows_its_rule(stage: Stage, rule: TriggerRule) -> None:
    ways = [node("left", "echo", "way"), node("more", "echo", "left"), node("right", "echo", "way")]
    workflow = stage.run(
        branch("way", "way", "left", "right"), *ways, node("join", "echo", "more", "right", trigger_rule=rule), params={"way": "right"}
    )
    joined = "SKIPPED" if rule == "all_success" else "COMPLETED"
    assert statuses(workflow) == {"way": "COMPLETED", "left": "SKIPPED", "more": "SKIPPED", "right": "COMPLETED", "join": joined}
    assert workflow.status == "COMPLETED"
    assert step(workflow, "way").metadata == {"case": "right", "next": ["right"], "ruledOut": ["left"]}
    oracle.judge(workflow)


def test_a_branch_that_takes_no_way_skips_them_all(stage: Stage) -> None:
    workflow = stage.run(branch("way", "way", "left", "right"), node("left", "echo", "way"), node("right", "echo", "way"))
    assert set(statuses(workflow).values()) == {"COMPLETED", "SKIPPED"} and workflow.status == "COMPLETED"


def test_what_needs_a_branch_without_being_a_case_runs_anyway(stage: Stage) -> None:
    workflow = stage.run(branch("way", "way", "left"), node("left", "echo", "way"), node("always", "echo", "way"))
    assert statuses(workflow) == {"way": "COMPLETED", "left": "SKIPPED", "always": "COMPLETED"}


def test_a_branch_in_a_branch_that_was_ruled_out_is_ruled_out_too(stage: Stage) -> None:
    inner = branch("inner", "inner", "deep", needs=("outer",))
    workflow = stage.run(branch("outer", "outer", "inner", "flat"), inner, node("deep", "echo", "inner"), node("flat", "echo", "outer"),
                         params={"way": "flat"})  # fmt: skip
    assert statuses(workflow) == {"outer": "COMPLETED", "inner": "SKIPPED", "deep": "SKIPPED", "flat": "COMPLETED"}


def test_a_branch_without_a_case_that_holds_fails(stage: Stage) -> None:
    cases = [{"condition": False, "next": "b"}]
    workflow = stage.run(node("a", "branch", config={"cases": cases}), node("b", "echo", "a"))
    assert statuses(workflow) == {"a": "FAILED", "b": "STOPPED"}
