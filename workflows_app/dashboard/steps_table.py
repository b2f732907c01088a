"""The steps of one workflow: strip, counts and a page of rows, cheap at 10,000 steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workflows_app.dashboard import step_rows, strips
from workflows_app.dashboard.looks import Look, look
from workflows_app.dashboard.steps_view import Chip, View
from workflows_app.engine.definitions import compiled
from workflows_app.models import Step, Workflow

PER_PAGE = 200
Looks = Mapping[str, tuple[str, Look]]


@dataclass(frozen=True, slots=True)
class Overview:
    """`looks` gives `(status, look)` of every step by id, without the elements of maps."""

    looks: Looks
    about: step_rows.About
    counts: Mapping[Look, int]
    strip: strips.Strip


@dataclass(frozen=True, slots=True)
class StepTable:
    """One page of rows; `range_words` says which."""

    chips: list[Chip]
    rows: list[step_rows.StepRow]
    range_words: str
    earlier_url: str
    later_url: str


def overview(workflow: Workflow, view: View, *, now: datetime, usual: Mapping[str, float] | None = None) -> Overview:
    """`usual` are the seconds that steps usually take, by id, where that is known."""
    looks = _looks(workflow)
    statuses = {id: status for id, (status, _) in looks.items()}
    about = step_rows.About(workflow, compiled(workflow.definition_id), statuses, view, now, usual or {})
    counts = Counter(seen for _, seen in looks.values())
    return Overview(looks, about, counts, _strip(looks, counts))


def build(found: Overview) -> StepTable:
    view = found.about.view
    chosen = [id for id, (_, seen) in found.looks.items() if not view.show or seen.css == view.show]
    start = _start(view, chosen)
    shown = chosen[start : start + PER_PAGE]
    return StepTable(
        chips=_chips(view, found.counts),
        rows=_rows(found.about.workflow, shown, found.about),
        range_words=f"{start + 1:,}–{start + len(shown):,} of {len(chosen):,}" if len(chosen) > PER_PAGE else "",
        earlier_url=view.url(start=max(0, start - PER_PAGE), step="") if start else "",
        later_url=view.url(start=start + PER_PAGE, step="") if start + PER_PAGE < len(chosen) else "",
    )


def _looks(workflow: Workflow) -> Looks:
    found = Step.objects.top_level().filter(workflow=workflow).order_by("position").values_list("node_id", "status", "is_skipped")
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
    return chosen.index(view.top) // PER_PAGE * PER_PAGE if view.top in chosen else 0


def _rows(workflow: Workflow, shown: list[str], about: step_rows.About) -> list[step_rows.StepRow]:
    found = Step.objects.filter(workflow=workflow, node_id__in=shown).defer(*step_rows.UNREAD, "element")
    return step_rows.rows(list(found.order_by("position")), about)
