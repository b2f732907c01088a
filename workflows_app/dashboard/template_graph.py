"""The graph of a template: the same drawing as a workflow's, before anything ran."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from workflows_app.dashboard import graph_picture, graph_spots
from workflows_app.dashboard.cutting import brief, cut
from workflows_app.dashboard.graph_choice import GraphChoice
from workflows_app.dashboard.graph_marks import MOST_COLUMNS, Mark
from workflows_app.dashboard.graph_spots import Spot
from workflows_app.dashboard.looks import plural
from workflows_app.engine.definitions import compiled
from workflows_app.engine.report import layouts
from workflows_app.graph.definition import Definition
from workflows_app.graph.layout.shapes import Folding

NOT_RUN, AT_REST = "none", "n"


@dataclass(frozen=True, slots=True)
class TemplateGraph:
    key: str
    label: str
    picture: graph_picture.Picture
    turned_url: str
    is_turned: bool


def build(digest: str, choice: GraphChoice, usual: Mapping[str, float], rows: Collection[int]) -> TemplateGraph:
    """A step links its row in the grid: `rows` are the positions of steps that have one."""
    definition = compiled(digest)
    wanted = layouts.wanted(digest, choice.direction, choice.opened)
    folding = layouts.folding(digest, wanted.opened)
    spots = graph_spots.spots_of(folding)
    marks = [_mark(spot, definition, usual) for spot in spots]
    states = AT_REST * len(folding.joins)
    shown = graph_picture.Shown(definition, folding, spots, marks, states, None, lambda spot: _url(spot, folding, choice, rows))
    return TemplateGraph(
        key=wanted.key,
        label=f"Graph of {plural(len(definition.nodes), 'step')}",
        picture=graph_picture.draw(shown, layouts.plan(wanted)),
        turned_url=_query(choice.but(direction="LR" if choice.direction == "TB" else "TB")),
        is_turned=choice.direction == "TB",
    )


def _mark(spot: Spot, definition: Definition, usual: Mapping[str, float]) -> Mark:
    """What a step does, and how long that usually takes."""
    if spot.kind in ("group", "frame"):
        return Mark(NOT_RUN, "choose it to open it")
    node = definition.nodes[spot.members[0]]
    seconds = usual.get(node.id)
    said = f"{node.action}{f' · {brief(seconds)}' if seconds is not None else ''}"
    return Mark(NOT_RUN, cut(said, MOST_COLUMNS), words=f"{node.action}{f', usually {brief(seconds)}' if seconds is not None else ''}")


def _url(spot: Spot, folding: Folding, choice: GraphChoice, rows: Collection[int]) -> str:
    if spot.is_step:
        return f"#row-{spot.members[0]}" if spot.members[0] in rows else "#grid"
    return _query(choice.but(opened=tuple(sorted({*choice.opened} ^ {folding.items[spot.item].number}))))


def _query(choice: GraphChoice) -> str:
    return f"?{urlencode({key: value for key, value in choice.query().items() if value})}"
