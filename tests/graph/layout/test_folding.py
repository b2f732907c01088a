"""Which steps become one box."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.layout.graphs import Needs, any_graph, chain, fan, layered
from workflows_app.graph.layout.folding import MOST_BANDS, MOST_ITEMS, MOST_JOINS, MOST_MEMBERS, fold, levels_of
from workflows_app.graph.layout.shapes import Folding


def folded(needs: Needs, *, most: int = MOST_ITEMS, opened: tuple[int, ...] = (), actions: list[str] | None = None) -> Folding:
    return fold(needs, actions or ["transform"] * len(needs), most=most, opened=opened)


def kinds(found: Folding) -> list[tuple[str, int]]:
    return [(item.kind, len(item.members)) for item in found.items]


def dependencies(needs: Needs) -> int:
    return sum(len(set(some)) for some in needs)


def inside(found: Folding, needs: Needs) -> int:
    """Dependencies between steps of one item."""
    of_step = {step: item for item in found.items for step in item.members}
    return sum(1 for step, some in enumerate(needs) for need in set(some) if of_step[step] is of_step[need])


def test_a_graph_that_can_be_seen_at_once_is_drawn_step_by_step():
    assert kinds(folded(chain(MOST_ITEMS))) == [("step", 1)] * MOST_ITEMS


def test_siblings_become_one_group_between_the_step_before_and_the_one_after():
    found = folded(fan(2_000))
    assert kinds(found) == [("step", 1), ("siblings", 1_998), ("step", 1)]
    assert [(join.tail, join.head, join.count) for join in found.joins] == [(0, 1, 1_998), (1, 2, 1_998)]


def test_siblings_that_do_something_else_are_a_group_of_their_own():
    actions = ["input", *(["transform", "http_call"] * 500), "output"]
    assert kinds(folded(fan(1_002), actions=actions)) == [("step", 1), ("siblings", 500), ("siblings", 500), ("step", 1)]


def test_a_long_chain_is_cut_so_that_it_is_seen_how_far_it_is():
    found = folded(chain(2_000))
    assert kinds(found) == [("chain", 100)] * 20
    assert all(join.count == 1 for join in found.joins)


def test_chains_beside_each_other_become_siblings():
    """1 -> 500 × (a -> b) -> 1"""
    needs: Needs = [[], *([0] if step % 2 == 0 else [step] for step in range(1_000)), list(range(2, 1_001, 2))]
    assert kinds(folded(needs)) == [("step", 1), ("siblings", 1_000), ("step", 1)]


def test_what_has_no_such_pattern_is_folded_by_level():
    found = folded(layered(20, 100))
    assert len(found.items) <= MOST_ITEMS
    assert {item.kind for item in found.items} <= {"level", "siblings", "step"}
    assert sum(len(item.members) for item in found.items) == 2_000


def test_thousands_of_levels_are_folded_into_bands():
    needs = [sorted({max(0, step - 1), max(0, step - 3)} - {step}) for step in range(3_000)]
    assert len(folded(needs).items) <= MOST_BANDS


def test_few_steps_with_very_many_dependencies_are_folded_too():
    found = folded([list(range(step)) for step in range(150)])
    assert len(found.joins) <= MOST_JOINS


def test_a_group_is_never_larger_than_what_may_be_opened():
    assert max(len(item.members) for item in folded(fan(9_000)).items) <= MOST_MEMBERS


def test_an_opened_group_is_marked_and_one_that_is_not_there_is_ignored():
    found = folded(fan(400), opened=(1, 77))
    assert [item.is_open for item in found.items] == [False, True, False]


def test_no_more_is_opened_than_can_be_drawn():
    found = folded(fan(9_000), opened=tuple(item.number for item in folded(fan(9_000)).items))
    assert sum(len(item.members) for item in found.items if item.is_open) <= MOST_MEMBERS
    assert any(item.is_open for item in found.items)


@settings(max_examples=150, deadline=None)
@given(any_graph(), st.integers(1, 12))
def test_every_step_is_in_one_item_every_dependency_in_one_join_and_nothing_goes_in_circles(needs, most):
    found = folded(needs, most=most)
    assert sorted(step for item in found.items for step in item.members) == list(range(len(needs)))
    assert sum(join.count for join in found.joins) + inside(found, needs) == dependencies(needs)
    levels = levels_of(len(found.items), [(join.tail, join.head) for join in found.joins])
    assert all(levels[join.tail] < levels[join.head] for join in found.joins)


@pytest.mark.parametrize("most", [1, 5, 60])
def test_it_keeps_to_the_limit_that_it_was_given(most):
    assert len(folded(layered(20, 30), most=most).items) <= most
