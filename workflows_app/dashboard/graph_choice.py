"""How the graph and the timeline are shown, as the URL has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Self

from django.http import QueryDict

from workflows_app.graph.layout.shapes import Direction

NUMBERS = re.compile(r"\d{1,5}(?:,\d{1,5}){0,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class GraphChoice:
    """The graph's direction, which of its groups are open (by number), whether what completed is hidden; in the timeline, whether
    gaps keep their length."""

    direction: Direction = "LR"
    opened: tuple[int, ...] = ()
    hides_completed: bool = False
    keeps_gaps: bool = False

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        opened = query.get("open", "") if NUMBERS.fullmatch(query.get("open", "")) else ""
        return cls(
            direction="TB" if query.get("dir") == "TB" else "LR",
            opened=tuple(sorted({int(number) for number in opened.split(",") if number})),
            hides_completed=query.get("hide") == "completed",
            keeps_gaps=query.get("gaps") == "0",
        )

    def query(self) -> dict[str, str]:
        """As its URL says it; what is not set is empty."""
        return {
            "dir": "" if self.direction == "LR" else self.direction,
            "open": ",".join(map(str, self.opened)),
            "hide": "completed" if self.hides_completed else "",
            "gaps": "0" if self.keeps_gaps else "",
        }

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)


AS_USUAL = GraphChoice()
