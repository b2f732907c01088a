"""What a layout is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

Kind = Literal["step", "siblings", "chain", "level"]
Direction = Literal["LR", "TB"]
Needs = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Item:
    """What is drawn as one: a step, or a group of them (`members`, by position). An open group is a frame with its members in it."""

    kind: Kind
    members: tuple[int, ...]
    is_open: bool = False

    @property
    def number(self) -> int:
        """What names a group in a URL: it stays as long as the definition does."""
        return self.members[0]


@dataclass(frozen=True, slots=True)
class Join:
    """A line from one item to another that stands for `count` dependencies."""

    tail: int
    head: int
    count: int


@dataclass(frozen=True, slots=True)
class Folding:
    items: tuple[Item, ...]
    joins: tuple[Join, ...]


@dataclass(frozen=True, slots=True)
class Size:
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """`x` and `y` are of the upper left corner."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        apart_x = self.x + self.width <= other.x or other.x + other.width <= self.x
        return not (apart_x or self.y + self.height <= other.y or other.y + other.height <= self.y)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything stands: a box for each item, a line for each join, as the points of cubic Bézier curves (x, y, x, y, …)."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[tuple[float, ...], ...]

    def packed(self) -> dict[str, Any]:
        boxes = [[box.x, box.y, box.width, box.height] for box in self.boxes]
        return {"size": [self.width, self.height], "boxes": boxes, "lines": [list(line) for line in self.lines]}

    @classmethod
    def unpacked(cls, body: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError, ValueError when it is no plan."""
        width, height = body["size"]
        return cls(width, height, tuple(Box(*box) for box in body["boxes"]), tuple(tuple(line) for line in body["lines"]))
