"""What Graphviz is told, numbers only, and what it answers (`-Tplain`, graphviz.org/docs/outputs/plain)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workflows_app.graph.layout.shapes import Box, Direction, Join, Plan, Size
from workflows_app.graph.layout.sizes import MARGIN, NODE_GAP, RANK_GAP

PIXELS = 72  # an inch of dot's is one pixel of ours for each of its points
PORTS = {"LR": "ew", "TB": "sn"}  # the sides where lines leave and arrive


class Unreadable(Exception):
    """It answered with something else than a drawing of what it was asked for."""


def question(sizes: Sequence[Size], joins: Sequence[Join], direction: Direction) -> str:
    lines = [f"digraph{{rankdir={direction};ranksep={RANK_GAP / PIXELS:.3f};nodesep={NODE_GAP / PIXELS:.3f}"]
    lines += [f"node[shape=box,fixedsize=true,label=0];edge[dir=none,tailport={PORTS[direction][0]},headport={PORTS[direction][1]}]"]
    lines += [f"{i}[width={size.width / PIXELS:.4f},height={size.height / PIXELS:.4f}]" for i, size in enumerate(sizes)]
    lines += [f"{join.tail}->{join.head}" for join in joins]
    return "\n".join([*lines, "}"])


def answer(text: str, sizes: Sequence[Size], joins: Sequence[Join]) -> Plan:
    """Raises Unreadable."""
    try:
        return _plan([line.split() for line in text.splitlines()], sizes, joins)
    except (KeyError, ValueError, IndexError) as error:
        raise Unreadable(f"dot answered something unexpected: {error!r}") from None


def _plan(rows: list[list[str]], sizes: Sequence[Size], joins: Sequence[Join]) -> Plan:
    (_, scale, width, height), *rest = rows
    if float(scale) != 1:
        raise ValueError(scale)
    tall = float(height) * PIXELS
    centres = {int(row[1]): (float(row[2]) * PIXELS, tall - float(row[3]) * PIXELS) for row in rest if row[0] == "node"}
    boxes = tuple(_around(*centres[i], size) for i, size in enumerate(sizes))
    found = {(int(row[1]), int(row[2])): tuple(_points(row, tall)) for row in rest if row[0] == "edge"}
    lines = tuple(found[join.tail, join.head] for join in joins)
    return Plan(_round(float(width) * PIXELS + 2 * MARGIN), _round(tall + 2 * MARGIN), boxes, lines)


def _around(x: float, y: float, size: Size) -> Box:
    return Box(_round(x - size.width / 2 + MARGIN), _round(y - size.height / 2 + MARGIN), size.width, size.height)


def _points(row: Sequence[str], tall: float) -> Iterator[float]:
    """Their count, then x and y of each; dot counts from below."""
    count = int(row[3])
    for i in range(4, 4 + 2 * count, 2):
        yield _round(float(row[i]) * PIXELS + MARGIN)
        yield _round(tall - float(row[i + 1]) * PIXELS + MARGIN)


def _round(value: float) -> float:
    return round(value, 1)
