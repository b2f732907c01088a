"""The steps of one workflow: strip, counts and a page of rows, cheap at 10,000 steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict

from workflows_app.dashboard import strips, waits
from workflows_app.dashboard.looks import LOOKS, SKIPPED, Look, Took, look, took
from workflows_app.engine import retry
from workflows_app.engine.definitions import compiled
from workflows_app.graph.definition import Definition
from workflows_app.models import Step, Workflow

PER_PAGE = 200
Looks = Mapping[str, tuple[str, Look]]


@dataclass(frozen=True, slots=True)
class View:
    """What of the steps is shown, as the URL has it: the selected step, one status only, from which row."""

    step: str = ""
    show: str = ""
    start: int | None = None

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        known = {seen.css for seen in (*LOOKS.values(), SKIPPED)}
        show, start = query.get("show", ""), query.get("from", "")
        return cls(query.get("step", ""), show if show in known else "", int(start) if start.isdecimal() and len(start) < 7 else None)

    def url(self, **changes: str | int | None) -> str:
        changed = replace(self, **changes)  # type: ignore[arg-type]
        query = {"step": changed.step, "show": changed.show, "from": changed.start}
        return f"?{urlencode({key: value for key, value in query.items() if value not in ('', None)})}"


@dataclass(frozen=True, slots=True)
class StepRow:
    """`waiting` says what it waits for, `error` why it failed, `note` why it did not run."""

    id: str
    name: str
    action: str
    look: Look
    attempts: str
    took: Took | None
    waiting: str
    error: str
    note: str
    url: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class Chip:
    look: Look | None
    word: str
    count: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class StepTable:
    """`looks` gives `(status, look)` of every step by id; `rows` are one page of them, `range_words` says which."""

    looks: Looks
    counts: Mapping[Look, int]
    strip: strips.Strip
    chips: list[Chip]
    rows: list[StepRow]
    range_words: str
    earlier_url: str
    later_url: str


def build(workflow: Workflow, view: View, *, now: datetime) -> StepTable:
    looks = _looks(workflow)
    counts = Counter(seen for _, seen in looks.values())
    chosen = [id for id, (_, seen) in looks.items() if not view.show or seen.css == view.show]
    start = _start(view, chosen)
    shown = chosen[start : start + PER_PAGE]
    return StepTable(
        looks=looks,
        counts=counts,
        strip=_strip(looks, counts),
        chips=_chips(view, counts),
        rows=_rows(workflow, shown, looks, view, now),
        range_words=f"{start + 1:,}–{start + len(shown):,} of {len(chosen):,}" if len(chosen) > PER_PAGE else "",
        earlier_url=view.url(start=max(0, start - PER_PAGE), step="") if start else "",
        later_url=view.url(start=start + PER_PAGE, step="") if start + PER_PAGE < len(chosen) else "",
    )


def _looks(workflow: Workflow) -> Looks:
    found = Step.objects.filter(workflow=workflow).order_by("position").values_list("node_id", "status", "is_skipped")
    return {id: (status, look(status, is_skipped=is_skipped)) for id, status, is_skipped in found}


def _strip(looks: Looks, counts: Mapping[Look, int]) -> strips.Strip:
    if len(looks) > strips.MAX_BLOCKS:
        return strips.of_counts(counts)
    return strips.of_steps([(id, seen) for id, (_, seen) in looks.items()])


def _chips(view: View, counts: Mapping[Look, int]) -> list[Chip]:
    everything = Chip(None, "All", f"{sum(counts.values()):,}", view.url(show="", start=None), not view.show)
    shown = [seen for seen in strips.ORDER if counts.get(seen) or seen.css == view.show]
    return [everything] + [
        Chip(seen, seen.word, f"{counts.get(seen, 0):,}", view.url(show=seen.css, start=None), view.show == seen.css) for seen in shown
    ]


def _start(view: View, chosen: list[str]) -> int:
    """The first row shown: as the URL says, else the page on which the selected step is."""
    if view.start is not None:
        return min(view.start, max(0, len(chosen) - 1))
    return chosen.index(view.step) // PER_PAGE * PER_PAGE if view.step in chosen else 0


def _rows(workflow: Workflow, shown: list[str], looks: Looks, view: View, now: datetime) -> list[StepRow]:
    definition = compiled(workflow.definition_id)
    found = Step.objects.filter(workflow=workflow, node_id__in=shown).defer("output", "resume").order_by("position")
    return [row(step, definition, looks, view, now) for step in found]


def row(step: Step, definition: Definition, looks: Looks, view: View, now: datetime) -> StepRow:
    node, is_selected = definition.by_id[step.node_id], step.node_id == view.step
    return StepRow(
        id=step.node_id,
        name=node.name if node.name != node.id else "",
        action=step.action,
        look=look(step.status, is_skipped=step.is_skipped),
        attempts=f"{step.attempt} of {retry.max_attempts(node)}" if step.attempt > 1 else str(step.attempt or ""),
        took=took(step.started_at, step.ended_at, now=now),
        waiting=waits.words(step, needs=node.needs, looks=looks, now=now),
        error=step.error,
        note=str(step.metadata.get("reason", "")),
        url=view.url(step="" if is_selected else step.node_id),
        is_selected=is_selected,
    )
