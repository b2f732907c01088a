"""Where boxes stand and how lines run: our own layers, and Graphviz where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.graph.layout.graphs import any_graph, chain, fan
from workflows_app.engine.report import dot
from workflows_app.graph.layout import layers
from workflows_app.graph.layout.folding import fold
from workflows_app.graph.layout.shapes import Box, Direction, Folding, Item, Plan
from workflows_app.graph.layout.sizes import MOST_CELLS, cells, size_of, sizes_of

Place = Callable[..., Plan]
needs_dot = pytest.mark.skipif(dot.path() is None, reason="Graphviz is not installed")
MAKERS = [pytest.param(layers.place, id="own"), pytest.param(dot.place, id="dot", marks=needs_dot)]
DIRECTIONS: list[Direction] = ["LR", "TB"]


def folded(needs: list[list[int]], *, most: int = 300, opened: tuple[int, ...] = ()) -> Folding:
    return fold(needs, ["transform"] * len(needs), most=most, opened=opened)


def drawn(found: Folding, place: Place, direction: Direction) -> Plan:
    return place(sizes_of(found, frozenset()), found.joins, direction)


def assert_is_whole(plan: Plan, found: Folding) -> None:
    """Every item has a box within the picture, no two overlap, and every join a line between its ends."""
    assert len(plan.boxes) == len(found.items)
    assert len(plan.lines) == len(found.joins)
    for one, other in combinations(plan.boxes, 2):
        assert not one.overlaps(other)
    for box in plan.boxes:
        assert min(box.x, box.y) >= 0
        assert box.x + box.width <= plan.width
        assert box.y + box.height <= plan.height
    for join, line in zip(found.joins, plan.lines, strict=True):
        assert len(line) % 6 == 2
        assert is_near(plan.boxes[join.tail], *line[:2])
        assert is_near(plan.boxes[join.head], *line[-2:])


def is_near(box: Box, x: float, y: float, slack: float = 2) -> bool:
    return box.x - slack <= x <= box.x + box.width + slack and box.y - slack <= y <= box.y + box.height + slack


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("place", MAKERS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(needs=any_graph(), most=st.sampled_from([4, 300]))
def test_no_boxes_overlap_and_no_line_is_missing(place, direction, needs, most):
    found = folded(needs, most=most)
    assert_is_whole(drawn(found, place, direction), found)


@pytest.mark.parametrize("place", MAKERS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_step_stands_after_all_that_it_needs(place, direction):
    found = folded([[], [0], [0], [1, 2], [0, 3]])
    plan = drawn(found, place, direction)
    along = [box.x if direction == "LR" else box.y for box in plan.boxes]
    assert all(along[join.tail] < along[join.head] for join in found.joins)


@pytest.mark.parametrize("place", MAKERS)
def test_an_open_group_has_room_for_all_its_members(place):
    found = folded(fan(500), opened=(1,))
    frame = drawn(found, place, "LR").boxes[1]
    inside = cells(frame, 498)
    assert len(inside) == 498
    assert all(frame.x < cell.x and cell.x + cell.width < frame.x + frame.width for cell in inside)
    assert all(frame.y < cell.y and cell.y + cell.height < frame.y + frame.height for cell in inside)
    assert not any(one.overlaps(other) for one, other in pairwise(inside))


@pytest.mark.parametrize("members", [2, 3, 7, MOST_CELLS, 2_500])
def test_a_frame_holds_its_cells_whatever_their_number(members):
    size = size_of(Item("siblings", tuple(range(members)), is_open=True))
    for cell in cells(Box(0, 0, size.width, size.height), members):
        assert cell.x + cell.width <= size.width
        assert cell.y + cell.height <= size.height


def test_our_own_draws_a_straight_chain_on_one_line():
    plan = layers.place(sizes_of(folded(chain(5)), frozenset()), folded(chain(5)).joins, "LR")
    assert len({box.y for box in plan.boxes}) == 1
    assert [box.x for box in plan.boxes] == sorted(box.x for box in plan.boxes)


def test_our_own_untangles_lines_that_need_not_cross():
    """0 -> 3, 1 -> 2: written crosswise, drawn straight."""
    found = folded([[], [], [1], [0]])
    plan = drawn(found, layers.place, "LR")
    assert (plan.boxes[0].y < plan.boxes[1].y) == (plan.boxes[3].y < plan.boxes[2].y)


def test_a_line_over_several_layers_passes_beside_the_boxes_between():
    found = folded([[], [0], [1], [0, 2]])
    plan = drawn(found, layers.place, "LR")
    (line,) = [line for join, line in zip(found.joins, plan.lines, strict=True) if (join.tail, join.head) == (0, 3)]
    corners = [(line[i], line[i + 1]) for i in range(6, len(line) - 2, 6)]
    assert corners
    assert not any(is_near(plan.boxes[item], x, y, slack=0) for item in (1, 2) for x, y in corners)


def test_what_is_stored_is_read_as_it_was():
    plan = drawn(folded(fan(6)), layers.place, "TB")
    assert Plan.unpacked(plan.packed()) == plan
