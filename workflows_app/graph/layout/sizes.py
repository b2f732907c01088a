"""How large everything is drawn, in pixels at 100 %."""

from __future__ import annotations

from math import ceil, sqrt

from workflows_app.graph.layout.shapes import Box, Direction, Folding, Item, Size

STEP = Size(196, 54)
GROUP = Size(224, 66)
CELL = Size(150, 30)
DOT = Size(22, 22)
MOST_CELLS = 300  # of one group: the members of a larger one are dots
GAP = 6
FRAME_HEAD, FRAME_EDGE = 34, 10
RANK_GAP, NODE_GAP = 62, 22
MARGIN = 14
CELL_SHAPE = 1.6  # a frame is about this much wider than high


def size_of(item: Item, *, has_bar: bool = False) -> Size:
    """`has_bar`: a map, whose elements are counted on it."""
    if item.is_open:
        return _frame(len(item.members))
    return STEP if item.kind == "step" and not has_bar else GROUP


def member_size(members: int) -> Size:
    """How large each member of an open group is drawn."""
    return CELL if members <= MOST_CELLS else DOT


def columns_of(members: int) -> int:
    size = member_size(members)
    return max(1, min(members, ceil(sqrt(members * CELL_SHAPE * (size.height + GAP) / (size.width + GAP)))))


def _frame(members: int) -> Size:
    columns, size = columns_of(members), member_size(members)
    rows = ceil(members / columns)
    width = columns * (size.width + GAP) - GAP + 2 * FRAME_EDGE
    return Size(max(GROUP.width, width), rows * (size.height + GAP) - GAP + FRAME_HEAD + FRAME_EDGE)


def cells(frame: Box, members: int) -> list[Box]:
    """Where the members of an open group stand, row by row."""
    columns, size = columns_of(members), member_size(members)
    left, top = frame.x + FRAME_EDGE, frame.y + FRAME_HEAD
    across, down = size.width + GAP, size.height + GAP
    return [Box(left + i % columns * across, top + i // columns * down, size.width, size.height) for i in range(members)]


def sizes_of(folding: Folding, bars: frozenset[int]) -> tuple[Size, ...]:
    """`bars` are the positions of maps."""
    return tuple(size_of(item, has_bar=item.number in bars) for item in folding.items)


def turned(size: Size, direction: Direction) -> Size:
    """With the way the graph runs as its width."""
    return size if direction == "LR" else Size(size.height, size.width)
