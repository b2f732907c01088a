"""The elements of a map: counts, and a page of rows, cheap at 10,000 elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, Q, Value, When

from workflows_app.dashboard import step_rows, strips
from workflows_app.dashboard.looks import LOOKS, SKIPPED, Look, look
from workflows_app.dashboard.steps_view import Chip, View
from workflows_app.graph.statuses import Status
from workflows_app.models import Step
from workflows_app.models.workflows import StepQuerySet

PER_PAGE = 50
FAILED_FIRST = Case(When(status=Status.FAILED, then=Value(0)), default=Value(1), output_field=IntegerField())


@dataclass(frozen=True, slots=True)
class ElementsTable:
    """`sort_url` leads to the other order: by place in the list, or those that failed first."""

    strip: strips.Strip
    chips: list[Chip]
    rows: list[step_rows.StepRow]
    range_words: str
    earlier_url: str
    later_url: str
    sort_url: str


def build(parent: Step, about: step_rows.About) -> ElementsTable:
    counts, view = _counts(parent), about.view
    chosen, total = _chosen(parent, view), _total(counts, view)
    start = _start(chosen, view, total)
    shown = list(_ordered(chosen, view).defer(*step_rows.UNREAD)[start : start + PER_PAGE])
    return ElementsTable(
        strip=strips.of_counts(counts),
        chips=_chips(counts, view),
        rows=step_rows.rows(shown, about),
        range_words=f"{start + 1:,}–{start + len(shown):,} of {total:,}" if total > PER_PAGE else "",
        earlier_url=_at(view, max(0, start - PER_PAGE)) if start else "",
        later_url=_at(view, start + PER_PAGE) if start + PER_PAGE < total else "",
        sort_url=view.url(failed_first=not view.failed_first, element_start=None, step=view.top),
    )


def _at(view: View, start: int) -> str:
    return view.url(element_start=start, step=view.top)


def _counts(parent: Step) -> Mapping[Look, int]:
    found = Step.objects.filter(parent=parent).order_by().values_list("status", "is_skipped").annotate(n=Count("pk"))
    return {look(status, is_skipped=is_skipped): n for status, is_skipped, n in found}


def _total(counts: Mapping[Look, int], view: View) -> int:
    return sum(n for seen, n in counts.items() if view.elements in ("", seen.css))


def _chosen(parent: Step, view: View) -> StepQuerySet:
    found = Step.objects.filter(parent=parent)
    if not view.elements:
        return found
    status = next((status for status, seen in LOOKS.items() if seen.css == view.elements), Status.STOPPED)
    return found.filter(status=status, is_skipped=view.elements == SKIPPED.css)


def _ordered(chosen: StepQuerySet, view: View) -> StepQuerySet:
    return chosen.annotate(rank=FAILED_FIRST).order_by("rank", "position") if view.failed_first else chosen.order_by("position")


def _start(chosen: StepQuerySet, view: View, total: int) -> int:
    """The first row shown: as the URL says, else the page on which the selected element is."""
    if view.element_start is not None:
        return min(view.element_start, max(0, total - 1))
    selected = chosen.filter(node_id=view.step).values_list("position", "status").first() if view.step != view.top else None
    return _before(chosen, *selected, view) // PER_PAGE * PER_PAGE if selected else 0


def _before(chosen: StepQuerySet, position: int, status: str, view: View) -> int:
    above, is_failed = Q(position__lt=position), Q(status=Status.FAILED)
    if view.failed_first:
        above = above & is_failed if status == Status.FAILED else above | is_failed
    return chosen.filter(above).count()


def _chips(counts: Mapping[Look, int], view: View) -> list[Chip]:
    def chip(seen: Look | None, count: int) -> Chip:
        css = seen.css if seen else ""
        url = view.url(elements=css, element_start=None, step=view.top)
        return Chip(seen, seen.word if seen else "All", f"{count:,}", url, view.elements == css)

    shown = [seen for seen in strips.ORDER if counts.get(seen) or seen.css == view.elements]
    return [chip(None, sum(counts.values())), *(chip(seen, counts.get(seen, 0)) for seen in shown)]
