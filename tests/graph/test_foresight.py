"""What will run of a workflow that has not begun."""

from __future__ import annotations

import pytest

from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.foresight import Foreseen, foresee

IS_EU = {"==": [{"var": "params.region"}, "EU"]}
BIG = {">": [{"var": "fetch.output.rows"}, 10]}


def verdicts(*nodes: Node, **params) -> dict[str, str]:
    return {id: found.verdict for id, found in foresee(Definition(nodes), params).items()}


def n(id: str, *needs: str, **changes) -> Node:
    return Node(id, changes.pop("action", "transform"), needs=needs, **changes)


@pytest.mark.parametrize(("region", "verdict"), [("EU", "runs"), ("US", "skipped")])
@pytest.mark.parametrize("name", ["params.region", "input.region", "payload.region"])
def test_a_condition_on_parameters_is_known_before(region, verdict, name):
    assert verdicts(n("a", run_if={"==": [{"var": name}, "EU"]}), region=region) == {"a": verdict}


@pytest.mark.parametrize("logic", [BIG, {"==": [{"var": "workflow.id"}, 1]}, {"var": {"var": "params.which"}}, {"nonsense": [1]}])
def test_a_condition_that_reads_more_or_cannot_be_computed_is_unknown(logic):
    assert verdicts(n("fetch"), n("a", "fetch", run_if=logic), region="EU")["a"] == "unknown"


def test_a_step_named_input_is_read_under_that_name():
    logic = {"==": [{"var": "input.region"}, "EU"]}
    assert verdicts(n("input"), n("a", "input", run_if=logic), region="US")["a"] == "unknown"


def test_what_is_skipped_skips_what_needs_it_and_says_because_of_what():
    found = foresee(Definition((n("a", run_if=IS_EU), n("b", "a"), n("c", "b"))), {"region": "US"})
    assert found == {"a": Foreseen("skipped"), "b": Foreseen("skipped", "a"), "c": Foreseen("skipped", "b")}


@pytest.mark.parametrize(
    ("rule", "verdict"), [("all_success", "skipped"), ("none_failed", "runs"), ("one_success", "runs"), ("all_done", "runs")]
)
def test_where_one_arm_is_skipped_the_trigger_rule_decides(rule, verdict):
    assert verdicts(n("a", run_if=IS_EU), n("b"), n("join", "a", "b", trigger_rule=rule), region="US")["join"] == verdict


@pytest.mark.parametrize(
    ("rule", "verdict"), [("all_success", "unknown"), ("none_failed", "runs"), ("one_success", "runs"), ("all_done", "runs")]
)
def test_where_one_arm_is_unknown_too(rule, verdict):
    assert verdicts(n("fetch"), n("a", "fetch", run_if=BIG), n("join", "a", "fetch", trigger_rule=rule))["join"] == verdict


@pytest.mark.parametrize("rule", ["all_success", "none_failed", "one_success"])
def test_where_all_arms_are_skipped_it_is_skipped(rule):
    nodes = n("a", run_if=IS_EU), n("b", run_if=IS_EU), n("join", "a", "b", trigger_rule=rule)
    assert verdicts(*nodes, region="US")["join"] == "skipped"


def test_a_condition_is_looked_at_also_where_the_needs_are_unknown():
    assert verdicts(n("fetch"), n("a", "fetch", run_if=BIG), n("b", "a", run_if=IS_EU), region="US")["b"] == "skipped"
    assert verdicts(n("fetch"), n("a", "fetch", run_if=BIG), n("b", "a", run_if=IS_EU), region="EU")["b"] == "unknown"


def a_branch(*conditions: object) -> tuple[Node, ...]:
    """A branch to x, y, …, and a step that every case goes on to."""
    names = "xyz"[: len(conditions)]
    cases = [
        {"next": [name], **({"else": True} if logic == "else" else {"condition": logic})}
        for name, logic in zip(names, conditions, strict=True)
    ]
    return n("way", action="branch", config={"cases": cases}), *(n(name, "way") for name in names), n("log", "way")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([IS_EU, "else"], {"x": "runs", "y": "skipped"}),
        ([{"!": IS_EU}, "else"], {"x": "skipped", "y": "runs"}),
        ([{"var": "fetch.output"}, "else"], {"x": "unknown", "y": "unknown"}),
        ([IS_EU, {"var": "fetch.output"}, "else"], {"x": "runs", "y": "skipped", "z": "skipped"}),
        ([{"!": IS_EU}], {"x": "unknown"}),
    ],
)
def test_a_branch_goes_the_way_of_its_first_true_case_as_far_as_that_is_known(conditions, expected):
    found = verdicts(*a_branch(*conditions), region="EU")
    assert {name: found[name] for name in expected} == expected
    assert found["log"] == found["way"] == "runs"


def test_what_is_below_a_skipped_branch_is_skipped():
    way, *others = a_branch("else")
    found = verdicts(n("a", run_if=IS_EU), n("way", "a", action="branch", config=way.config), *others, region="US")
    assert set(found.values()) == {"skipped"}


def test_the_order_of_the_author_does_not_matter():
    assert verdicts(n("c", "b"), n("b", "a"), n("a", run_if=IS_EU), region="US") == dict.fromkeys("abc", "skipped")
