"""Tests of what makes a graph, by example and over random graphs."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from workflows_app.graph.definition import MAX_NODES, Definition, Node
from workflows_app.graph.validation import MAX_NEEDS, ancestors, branch_targets, check
from workflows_app.graph.words import Words, joined


def step(id: str, *needs: str, action: str = "transform", **config) -> Node:
    return Node(id=id, action=action, needs=needs, config=config)


def messages(*nodes: Node) -> list[str]:
    return [problem.message for problem in check(nodes)]


def test_a_diamond_is_fine():
    assert messages(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c")) == []


def test_no_steps_and_too_many_are_refused():
    assert "at least one" in messages()[0]
    assert "10,001 steps" in messages(*[step(f"s{i}") for i in range(MAX_NODES + 1)])[0]


def test_ids_must_be_there_well_formed_unreserved_and_different():
    found = check([step(""), step("a b"), step("params"), step("Steps"), step("x" * 201), step("a"), step("a")])
    assert [(problem.path, problem.node) for problem in found] == [
        ("steps[0].id", ""),
        ("steps[1].id", "a b"),
        ("steps[2].id", "params"),
        ("steps[3].id", "Steps"),
        ("steps[4].id", "x" * 201),
        ("steps[6].id", "a"),
    ]
    assert "needs an id" in found[0].message
    assert "letters, digits" in found[1].message
    assert "reserved" in found[2].message
    assert "limit is 200" in found[4].message
    assert "steps[5] has it too" in found[5].message


def test_a_dialect_may_allow_a_reserved_id():
    assert check([step("input")], reserved=frozenset()) == []


def test_a_missing_need_is_named_with_the_nearest_id():
    found = check([step("fetch"), step("shape", "fetsh")])
    assert found[0].path == "steps[1].needs[0]"
    assert found[0].node == "shape"
    assert found[0].message == "step 'shape' needs 'fetsh', which does not exist; did you mean 'fetch'?"


def test_a_step_cannot_need_itself_or_another_twice():
    assert messages(step("a", "a")) == ["step 'a' needs itself: a -> a"]
    assert messages(step("a"), step("b", "a", "a")) == ["step 'b' needs 'a' twice"]


def test_a_cycle_is_shown_as_a_path():
    (problem,) = check([step("a", "b"), step("b", "a")])
    assert problem.message in {"the steps wait for each other: a -> b -> a", "the steps wait for each other: b -> a -> b"}
    assert problem.path.endswith("].needs")


def test_a_long_cycle_is_shortened():
    nodes = [step(f"s{i}", f"s{(i - 1) % 50}") for i in range(50)]
    assert "-> ... ->" in messages(*nodes)[0]


def test_branch_targets_must_exist_and_need_the_branch():
    branch = step("decide", action="branch", cases=[{"next": "big"}, {"next": ["smal", "other"]}, {"else": True, "next": "fine"}])
    found = check([branch, step("small", "decide"), step("other"), step("fine", "decide")])
    assert [(problem.path, problem.message) for problem in found] == [
        ("steps[0].with.cases[0].next", "branch 'decide' goes on to 'big', which does not exist"),
        ("steps[0].with.cases[1].next", "branch 'decide' goes on to 'smal', which does not exist; did you mean 'small'?"),
        ("steps[0].with.cases[1].next", "branch 'decide' goes on to 'other', but 'other' does not need it: add 'decide' to its needs"),
    ]


def test_broken_cases_are_left_to_the_action_to_refuse():
    assert list(branch_targets({"cases": "{{ x }}"})) == []
    assert list(branch_targets({"cases": [1, {"next": 3}, {"next": [4, "a"]}]})) == [(2, "a")]
    assert list(branch_targets({})) == []


def test_the_paths_use_the_words_of_the_dialect():
    (problem,) = check([step("a", "b")], words=Words(root="dag.nodes", needs="dependencies"))
    assert problem.path == "dag.nodes[0].dependencies[0]"


def test_a_dialect_has_its_own_words_for_steps_and_places():
    words = Words(node="node", id="", config="data", needs="", advice="draw an edge from '{}'")
    branch = step("b", action="branch", cases=[{"next": "c"}])
    (problem,) = check([branch, step("c")], words=words, places=["x.y[7]", "x.y[8]"])
    assert problem.path == "x.y[7].data.cases[0].next"
    assert problem.message == "branch 'b' goes on to 'c', but 'c' does not need it: draw an edge from 'b'"
    assert check([], words=words)[0].message == "there are no nodes: a workflow needs at least one"
    assert [problem.path for problem in check([step("a b")], words=words)] == ["steps[0]"]


def test_a_path_is_joined_out_of_its_parts():
    assert joined("steps[2]", "with", "", "cases[0].next") == "steps[2].with.cases[0].next"
    assert joined("steps", "[0]", "id") == "steps[0].id"
    assert joined("", "trigger") == "trigger"


def test_more_dependencies_than_the_limit_are_refused_at_once():
    wide = MAX_NEEDS // 200
    left = [step(f"l{i}") for i in range(200)]
    right = [step(f"r{i}", *(node.id for node in left)) for i in range(wide)]
    assert check([*left, *right]) == []
    (message,) = messages(*left, *right, step("end", "l0"))
    assert message == "there are 200,001 dependencies; the limit is 200,000: let many join in one step before many follow"


def test_of_many_problems_the_first_hundred_are_worked_out():
    assert len(check([step(f"s{i}", *(f"nowhere{j}" for j in range(90))) for i in range(1000)])) == 100


def test_ten_thousand_steps_are_checked():
    chain = [step("s0"), *(step(f"s{i}", f"s{i - 1}") for i in range(1, MAX_NODES))]
    assert check(chain) == []
    assert ancestors(chain)[f"s{MAX_NODES - 1}"].bit_count() == MAX_NODES - 1


@st.composite
def graphs(draw, *, acyclic: bool = True) -> list[Node]:
    """Up to 12 nodes, in any order; acyclic ones need only nodes of a lower number."""
    count = draw(st.integers(1, 12))
    nodes = []
    for number in range(count):
        others = range(number) if acyclic else [other for other in range(count) if other != number]
        needs = draw(st.sets(st.sampled_from(list(others)))) if others else set()
        nodes.append(step(f"n{number}", *(f"n{need}" for need in sorted(needs))))
    return draw(st.permutations(nodes))


@given(graphs())
def test_every_graph_whose_needs_point_one_way_is_fine(nodes):
    assert check(nodes) == []


@given(graphs(acyclic=False))
def test_a_graph_is_refused_exactly_when_a_step_can_reach_itself(nodes):
    needs = {node.id: set(node.needs) for node in nodes}

    def reaches(start: str) -> set[str]:
        seen, queue = set(), [start]
        while queue:
            for need in needs[queue.pop()] - seen:
                seen.add(need)
                queue.append(need)
        return seen

    has_cycle = any(id in reaches(id) for id in needs)
    assert bool(check(nodes)) == has_cycle


@given(graphs(acyclic=False))
def test_a_cycle_that_is_shown_is_one(nodes):
    needs = {node.id: node.needs for node in nodes}
    for problem in check(nodes):
        shown = problem.message.removeprefix("the steps wait for each other: ").split(" -> ")
        if "..." not in shown:
            assert shown[0] == shown[-1]
            assert all(before in needs[after] for before, after in itertools.pairwise(shown))


@given(graphs())
def test_ancestors_are_the_needs_and_theirs(nodes):
    above = ancestors(nodes)
    positions = {node.id: index for index, node in enumerate(nodes)}
    for node in nodes:
        expected = 0
        for need in node.needs:
            expected |= 1 << positions[need] | above[need]
        assert above[node.id] == expected


@given(graphs())
def test_a_definition_survives_its_own_text(nodes):
    definition = Definition(nodes=tuple(nodes))

    again = Definition.from_json(json.loads(definition.text))
    assert again == definition
    assert again.digest == definition.digest
    assert set(definition.roots) == {node.id for node in nodes if not node.needs}
    assert all(node.id in definition.successors[need] for node in nodes for need in node.needs)
