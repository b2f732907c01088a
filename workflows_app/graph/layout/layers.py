"""Our own layout, where Graphviz is missing or slow: layers by longest path, ordered by barycentre (Sugiyama, Tagawa, Toda 1981)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from workflows_app.graph.layout.folding import levels_of
from workflows_app.graph.layout.shapes import Box, Direction, Join, Plan, Size
from workflows_app.graph.layout.sizes import MARGIN, NODE_GAP, RANK_GAP, turned

SWEEPS = 4
MOST_BENDS = 20_000  # of all lines together: beyond that, long ones run straight
LANE = Size(0, 10)
Cell = tuple[int, int]  # an item and its layer, or a line (negative) and the layer it passes


def place(sizes: Sequence[Size], joins: Sequence[Join], direction: Direction) -> Plan:
    """Drawn from left to right, then turned if it shall run down. Items of one layer never overlap, nor do layers."""
    lying = [turned(size, direction) for size in sizes]
    levels = levels_of(len(sizes), [(join.tail, join.head) for join in joins])
    ways = _ways(joins, levels)
    layers = _ordered(_layers(levels, ways), _neighbours(ways))
    spots = _spots(layers, lying)
    boxes = [_box(spots[i, levels[i]], lying[i]) for i in range(len(sizes))]
    lines = [_line(way, spots, lying) for way in ways]
    return _plan(boxes, lines, direction)


def _ways(joins: Sequence[Join], levels: Sequence[int]) -> list[list[Cell]]:
    """What each line passes: its tail, a lane in every layer between, its head."""
    bends = sum(levels[join.head] - levels[join.tail] - 1 for join in joins)
    ways = []
    for number, join in enumerate(joins, start=1):
        between = range(levels[join.tail] + 1, levels[join.head]) if bends <= MOST_BENDS else range(0)
        ways.append([(join.tail, levels[join.tail]), *((-number, layer) for layer in between), (join.head, levels[join.head])])
    return ways


def _layers(levels: Sequence[int], ways: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    layers: list[list[Cell]] = [[] for _ in range(max(levels, default=0) + 1)]
    for item, layer in enumerate(levels):
        layers[layer].append((item, layer))
    for way in ways:
        for cell in way[1:-1]:
            layers[cell[1]].append(cell)
    return layers


def _neighbours(ways: Sequence[Sequence[Cell]]) -> Mapping[Cell, list[Cell]]:
    found: dict[Cell, list[Cell]] = defaultdict(list)
    for way in ways:
        for one, other in pairwise(way):
            found[one].append(other)
            found[other].append(one)
    return found


def _ordered(layers: list[list[Cell]], neighbours: Mapping[Cell, list[Cell]]) -> list[list[Cell]]:
    """Each cell near the middle of its neighbours in the layer before, then after, a few times back and forth."""
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        numbers = range(1, len(layers)) if forward else range(len(layers) - 2, -1, -1)
        for number in numbers:
            beside = number - 1 if forward else number + 1
            places = {cell: i for i, cell in enumerate(layers[beside])}
            layers[number] = _by_middle(layers[number], places, neighbours)
    return layers


def _by_middle(layer: list[Cell], places: Mapping[Cell, int], neighbours: Mapping[Cell, list[Cell]]) -> list[Cell]:
    """Those without a neighbour there keep their place."""

    def middle(indexed: tuple[int, Cell]) -> float:
        found = [places[near] for near in neighbours.get(indexed[1], ()) if near in places]
        return sum(found) / len(found) if found else float(indexed[0])

    return [cell for _, cell in sorted(enumerate(layer), key=middle)]


def _spots(layers: Sequence[Sequence[Cell]], sizes: Sequence[Size]) -> Mapping[Cell, tuple[float, float]]:
    """The middle of every cell; each layer is centred on the tallest."""
    heights = [sum(_size(cell, sizes).height + NODE_GAP for cell in layer) - NODE_GAP for layer in layers]
    spots, x, tallest = {}, float(MARGIN), max(heights)
    for layer, height in zip(layers, heights, strict=True):
        width = max((_size(cell, sizes).width for cell in layer), default=0)
        y = MARGIN + (tallest - height) / 2
        for cell in layer:
            size = _size(cell, sizes)
            spots[cell] = (x + width / 2, y + size.height / 2)
            y += size.height + NODE_GAP
        x += width + RANK_GAP
    return spots


def _size(cell: Cell, sizes: Sequence[Size]) -> Size:
    return sizes[cell[0]] if cell[0] >= 0 else LANE


def _box(spot: tuple[float, float], size: Size) -> Box:
    return Box(round(spot[0] - size.width / 2, 1), round(spot[1] - size.height / 2, 1), size.width, size.height)


def _line(way: Sequence[Cell], spots: Mapping[Cell, tuple[float, float]], sizes: Sequence[Size]) -> tuple[float, ...]:
    """From the right edge of its tail through its lanes to the left edge of its head, level where it passes a cell."""
    points = [spots[cell] for cell in way]
    points[0] = (points[0][0] + sizes[way[0][0]].width / 2, points[0][1])
    points[-1] = (points[-1][0] - sizes[way[-1][0]].width / 2, points[-1][1])
    return tuple(round(value, 1) for value in _curve(points))


def _curve(points: Sequence[tuple[float, float]]) -> Iterator[float]:
    yield from points[0]
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (x + to_x) / 2
        yield from (middle, y, middle, to_y, to_x, to_y)


def _plan(boxes: Sequence[Box], lines: Sequence[tuple[float, ...]], direction: Direction) -> Plan:
    if direction == "TB":
        boxes = [Box(box.y, box.x, box.height, box.width) for box in boxes]
        lines = [tuple(value for i in range(0, len(line), 2) for value in (line[i + 1], line[i])) for line in lines]
    width = max(box.x + box.width for box in boxes) + MARGIN
    height = max(box.y + box.height for box in boxes) + MARGIN
    return Plan(width, height, tuple(boxes), tuple(lines))
