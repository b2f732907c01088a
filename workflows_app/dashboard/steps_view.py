"""What of a workflow is shown, as the URL has it: the view, one selection for all views, and where its log is open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict

from workflows_app.dashboard.graph_choice import AS_USUAL, GraphChoice
from workflows_app.dashboard.looks import LOOKS, SKIPPED, Look

MOST_DIGITS = 9
MOST_WORDS = 200
NONE = "-"
KNOWN = {seen.css for seen in (*LOOKS.values(), SKIPPED)}
VIEWS = ("graph", "timeline", "list", "params", "outputs", "events", "json")
LEVELS = ("INFO", "WARNING", "ERROR")
Value = str | int | bool | None | GraphChoice


@dataclass(frozen=True, slots=True)
class View:
    """The selected step or element (`fetch[3]`; `-` for none of a failed workflow); steps of one status only, from which row on; the
    same of a map's elements, with those that failed first if `failed_first`. Of the log: `attempt` and `level` (and above) narrow it,
    `find` is looked for and `match` counts what was found, `line` is the one to open at, `is_wide` does not wrap."""

    step: str = ""
    show: str = ""
    start: int | None = None
    elements: str = ""
    element_start: int | None = None
    failed_first: bool = False
    view: str = VIEWS[0]
    attempt: int | None = None
    level: str = ""
    find: str = ""
    match: int | None = None
    line: int | None = None
    is_wide: bool = False
    graph: GraphChoice = AS_USUAL

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        return cls(
            step=query.get("step", "").replace("\0", ""),
            show=_known(query.get("show", "")),
            start=_number(query.get("from", "")),
            elements=_known(query.get("elements", "")),
            element_start=_number(query.get("element_from", "")),
            failed_first=query.get("sort") == "failed",
            view=_one_of(query.get("view", ""), VIEWS) or VIEWS[0],
            attempt=_number(query.get("attempt", "")),
            level=_one_of(query.get("level", ""), LEVELS),
            find=query.get("find", "").strip()[:MOST_WORDS].replace("\0", ""),
            match=_number(query.get("match", "")),
            line=_number(query.get("line", "")),
            is_wide=query.get("wrap") == "off",
            graph=GraphChoice.from_query(query),
        )

    @property
    def top(self) -> str:
        """The selected step; of an element, the map it belongs to."""
        return self.step[: self.step.rindex("[")] if self.step.endswith("]") and "[" in self.step else self.step

    def url(self, **changes: Value) -> str:
        """With these changes; what concerns the elements of one map or the log of one step is dropped on the way to another."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        query: dict[str, Value] = {"view": "" if changed.view == VIEWS[0] else changed.view, "step": changed.step}
        query |= {"show": changed.show, "from": changed.start}
        if changed.top == self.top:
            sort = "failed" if changed.failed_first else ""
            query |= {"elements": changed.elements, "element_from": changed.element_start, "sort": sort}
        if changed.step == self.step:
            query |= changed.of_log()
        query |= changed.graph.query()
        return f"?{urlencode({key: value for key, value in query.items() if value not in ('', None)})}"

    def of_log(self) -> dict[str, Value]:
        """Which part of the log is open, as its URL says it; what is not set is empty."""
        wrap = "off" if self.is_wide else ""
        return {"attempt": self.attempt, "level": self.level, "find": self.find, "match": self.match, "line": self.line, "wrap": wrap}

    def log_url(self, **changes: Value) -> str:
        """Another part of the log: it opens where that begins, and not at a line or a match of this one."""
        return self.url(**{"line": None, "match": None, **changes})


@dataclass(frozen=True, slots=True)
class Chip:
    """One status to narrow to; no look: all of them."""

    look: Look | None
    word: str
    count: str
    url: str
    is_current: bool


def _known(word: str) -> str:
    return word if word in KNOWN else ""


def _one_of(word: str, words: tuple[str, ...]) -> str:
    return word if word in words else ""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
