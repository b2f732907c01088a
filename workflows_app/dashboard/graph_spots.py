"""Everything of a graph that has a place and a state: steps, closed groups, the frames of open ones and the cells in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from workflows_app.graph.definition import Definition
from workflows_app.graph.layout import sizes
from workflows_app.graph.layout.shapes import Box, Folding, Item, Plan


@dataclass(frozen=True, slots=True)
class Spot:
    """`members` are positions of steps, `item` is that of what it belongs to. A dot is a cell without room for a name."""

    kind: Literal["step", "group", "frame", "cell", "dot"]
    item: int
    members: tuple[int, ...]

    @property
    def is_inside(self) -> bool:
        """A member of an open group."""
        return self.kind in ("cell", "dot")

    @property
    def is_step(self) -> bool:
        return self.kind == "step" or self.is_inside


def spots_of(folding: Folding) -> list[Spot]:
    """In the order in which they are drawn and reached by Tab."""
    return [spot for index, item in enumerate(folding.items) for spot in _spots(index, item)]


def _spots(index: int, item: Item) -> Iterator[Spot]:
    if item.kind == "step":
        yield Spot("step", index, item.members)
    elif not item.is_open:
        yield Spot("group", index, item.members)
    else:
        yield Spot("frame", index, item.members)
        kind: Literal["cell", "dot"] = "cell" if len(item.members) <= sizes.MOST_CELLS else "dot"
        yield from (Spot(kind, index, (member,)) for member in item.members)


def boxes_of(folding: Folding, plan: Plan) -> list[Box]:
    """Of each spot, in the same order."""
    found = []
    for item, box in zip(folding.items, plan.boxes, strict=True):
        found.append(box)
        found += sizes.cells(box, len(item.members)) if item.is_open else []
    return found


def by_step(spots: list[Spot]) -> Mapping[int, int]:
    """At which spot each step is seen: its own, or its group's."""
    return {step: index for index, spot in enumerate(spots) if spot.kind != "frame" for step in spot.members}


def name_of(spot: Spot, folding: Folding, definition: Definition) -> str:
    """A step's id; of a group how many steps it has, and what they do where all do the same and stand beside each other."""
    if len(spot.members) == 1:
        return definition.nodes[spot.members[0]].id
    count = f"{len(spot.members):,}"
    if folding.items[spot.item].kind == "chain":
        return f"{count} in a row"
    actions = {definition.nodes[member].action for member in spot.members}
    return f"{count} × {actions.pop()}" if len(actions) == 1 else f"{count} steps"
