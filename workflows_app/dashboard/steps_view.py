"""What of a workflow's steps is shown, as the URL has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict

from workflows_app.dashboard.looks import LOOKS, SKIPPED, Look

MOST_DIGITS = 6
GROUPS = re.compile(r"\d{1,5}(?:,\d{1,5}){0,19}", re.ASCII)
KNOWN = {seen.css for seen in (*LOOKS.values(), SKIPPED)}


@dataclass(frozen=True, slots=True)
class View:
    """The selected step or element (`fetch[3]`); steps of one status only, from which row on; and the same of a map's elements,
    with those that failed first if `failed_first`. Of the graph: which groups are `open` (their numbers), its direction `dir` (LR if
    not said), whether what is completed is hidden; of the timeline: whether gaps keep their length."""

    step: str = ""
    show: str = ""
    start: int | None = None
    elements: str = ""
    element_start: int | None = None
    failed_first: bool = False
    open: str = ""
    dir: str = ""
    hide: bool = False
    gaps: bool = False

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        return cls(
            step=query.get("step", ""),
            show=_known(query.get("show", "")),
            start=_number(query.get("from", "")),
            elements=_known(query.get("elements", "")),
            element_start=_number(query.get("element_from", "")),
            failed_first=query.get("sort") == "failed",
            open=query.get("open", "") if GROUPS.fullmatch(query.get("open", "")) else "",
            dir="TB" if query.get("dir") == "TB" else "",
            hide=query.get("hide") == "completed",
            gaps=query.get("gaps") == "0",
        )

    @property
    def top(self) -> str:
        """The selected step; of an element, the map it belongs to."""
        return self.step[: self.step.rindex("[")] if self.step.endswith("]") and "[" in self.step else self.step

    def url(self, **changes: str | int | bool | None) -> str:
        """With these changes; what concerns the elements of one map is dropped on the way to another step."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        query = {"step": changed.step, "show": changed.show, "from": changed.start}
        if changed.top == self.top:
            sort = "failed" if changed.failed_first else ""
            query |= {"elements": changed.elements, "element_from": changed.element_start, "sort": sort}
        query |= {
            "open": changed.open,
            "dir": changed.dir,
            "hide": "completed" if changed.hide else "",
            "gaps": "0" if changed.gaps else "",
        }
        return f"?{urlencode({key: value for key, value in query.items() if value not in ('', None)})}"


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


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
