"""A graph as its template draws it: every spot and line with its place, its text and its link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workflows_app.dashboard import graph_lines
from workflows_app.dashboard.cutting import cleaned, cut
from workflows_app.dashboard.graph_marks import BY_CSS, Mark
from workflows_app.dashboard.graph_spots import Spot, boxes_of, name_of
from workflows_app.graph.definition import Definition
from workflows_app.graph.layout.shapes import Box, Folding, Join, Plan

COLUMNS = {"step": 18, "group": 22, "frame": 30, "cell": 16, "dot": 0}
UNSEEN = "•"  # of a step that has no status: a template's
COLUMN_WIDTH, LABEL_EDGE, LABEL_HEIGHT = 6.2, 12, 17


@dataclass(frozen=True, slots=True)
class Node:
    """`name` is cut to fit, `title` is not. Numbers are text already: a template would write each in the reader's language first."""

    kind: str
    at: str
    width: str
    height: str
    mark: Mark
    glyph: str
    name: str
    title: str
    url: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class Line:
    """`path` is SVG's; `label` stands at `x`, `y` on a ground from `left` and `top`, `width` wide."""

    path: str
    state: str
    title: str
    label: str
    x: str
    y: str
    left: str
    top: str
    width: str


@dataclass(frozen=True, slots=True)
class Picture:
    width: str
    height: str
    lines: list[Line]
    nodes: list[Node]


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to draw; `marks` are those of the spots, `states` those of the joins; `url` links a spot."""

    definition: Definition
    folding: Folding
    spots: Sequence[Spot]
    marks: Sequence[Mark]
    states: str
    selected: int | None
    url: Callable[[Spot], str]


def draw(shown: Shown, plan: Plan) -> Picture:
    boxes = boxes_of(shown.folding, plan)
    nodes = [_node(index, shown, box) for index, box in enumerate(boxes)]
    labels = graph_lines.labels(shown.folding, shown.definition)
    titles = (_ends(join, shown) for join in shown.folding.joins)
    lines = [_line(*drawn) for drawn in zip(plan.lines, shown.states, titles, labels, strict=True)]
    return Picture(_number(plan.width), _number(plan.height), lines, nodes)


def _node(index: int, shown: Shown, box: Box) -> Node:
    spot, mark = shown.spots[index], shown.marks[index]
    name = name_of(spot, shown.folding, shown.definition)
    return Node(
        kind=spot.kind,
        at=f"{_number(box.x)} {_number(box.y)}",
        width=_number(box.width),
        height=_number(box.height),
        mark=mark,
        glyph=BY_CSS[mark.css].glyph if mark.css in BY_CSS else UNSEEN,
        name=cut(name, COLUMNS[spot.kind]) if COLUMNS[spot.kind] else "",
        title=_title(spot, name, shown),
        url=shown.url(spot),
        is_selected=index == shown.selected,
    )


def _title(spot: Spot, name: str, shown: Shown) -> str:
    """In full: the id and the name beside it; of a group, from which step to which."""
    if len(spot.members) == 1:
        node = shown.definition.nodes[spot.members[0]]
        return cleaned(f"{node.id} — {node.name}" if node.name not in ("", node.id) else node.id)
    first, last = (shown.definition.nodes[spot.members[end]].id for end in (0, -1))
    return cleaned(f"{name}: {first} … {last}")


def _ends(join: Join, shown: Shown) -> str:
    ends = (Spot("step", end, shown.folding.items[end].members) for end in (join.tail, join.head))
    return cleaned(" → ".join(name_of(end, shown.folding, shown.definition) for end in ends))


def _line(points: Sequence[float], state: str, title: str, label: str) -> Line:
    x, y = _middle(points)
    width = len(label) * COLUMN_WIDTH + LABEL_EDGE
    numbers = (x, y, x - width / 2, y - LABEL_HEIGHT / 2, width)
    return Line(_path(points), state, title, label, *map(_number, numbers))


def _path(points: Sequence[float]) -> str:
    text = [_number(value) for value in points]
    return f"M{text[0]} {text[1]}C{' '.join(text[2:])}"


def _middle(points: Sequence[float]) -> tuple[float, float]:
    """Half the way along the curve in the middle (de Casteljau at one half)."""
    start = (len(points) - 2) // 6 // 2 * 6
    x0, y0, x1, y1, x2, y2, x3, y3 = points[start : start + 8]
    return (x0 + 3 * x1 + 3 * x2 + x3) / 8, (y0 + 3 * y1 + 3 * y2 + y3) / 8


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
