"""Two workflows side by side: what was asked of them, how their steps ended, how long they took, what they left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast, Length

from workflows_app.dashboard import who_started
from workflows_app.dashboard.differences import Difference, differences
from workflows_app.dashboard.looks import Look, Moment, Took, look, moment, took
from workflows_app.dashboard.progress import span
from workflows_app.models import Step, Workflow

MOST_DIFFERENCES = 200
MOST_ROWS = 500
MOST_OUTPUT_CHARACTERS, MOST_OUTPUTS = 100_000, 200
MUCH, MUCH_SECONDS = 1.5, 1.0
UNREAD = ("output", "resume", "answer", "element", "metadata")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: `a` or `b`."""

    letter: str
    uid: str
    name: str
    version: str
    look: Look
    began: Moment | None
    took: Took | None
    error: str
    starters: list[who_started.Starter]


@dataclass(frozen=True, slots=True)
class Cell:
    """A step on one side; `seconds` while that is known."""

    look: Look
    took: Took | None
    seconds: float | None
    error: str


@dataclass(frozen=True, slots=True)
class Row:
    """A step on both sides; a side that does not have it is None. `difference` is in words, `is_much` when it should be seen."""

    id: str
    a: Cell | None
    b: Cell | None
    difference: str
    is_much: bool
    is_other: bool


@dataclass(frozen=True, slots=True)
class ComparePage:
    """`is_same_graph`: both ran the same definition, whatever the version is called."""

    a: Side
    b: Side
    is_same_graph: bool
    params: list[Difference]
    rows: list[Row]
    unseen: int
    outputs: list[tuple[str, list[Difference]]]
    swap_url: str


def build(a: Workflow, b: Workflow, *, now: datetime) -> ComparePage:
    rows = _rows(_cells(a, now), _cells(b, now))
    shown = rows if len(rows) <= MOST_ROWS else [row for row in rows if row.is_much or row.is_other][:MOST_ROWS]
    return ComparePage(
        a=_side("a", a, now),
        b=_side("b", b, now),
        is_same_graph=a.definition_id == b.definition_id,
        params=list(islice(differences(a.params, b.params), MOST_DIFFERENCES)),
        rows=shown,
        unseen=len(rows) - len(shown),
        outputs=_outputs(a, b),
        swap_url=f"?a={b.uid}&b={a.uid}",
    )


def _side(letter: str, workflow: Workflow, now: datetime) -> Side:
    version = workflow.template_version
    return Side(
        letter=letter,
        uid=str(workflow.uid),
        name=workflow.name,
        version=f"{version.template.slug} v{version.number}" if version else "no template",
        look=look(workflow.status),
        began=moment(workflow.started_at or workflow.created_at, now=now),
        took=took(workflow.started_at, workflow.ended_at, now=now),
        error=workflow.error,
        starters=who_started.starters(workflow),
    )


def _cells(workflow: Workflow, now: datetime) -> Mapping[str, Cell]:
    steps = Step.objects.top_level().filter(workflow=workflow).defer(*UNREAD).order_by("position")
    return {step.node_id: _cell(step, now) for step in steps}


def _cell(step: Step, now: datetime) -> Cell:
    seconds = ((step.ended_at or now) - step.started_at).total_seconds() if step.started_at else None
    seen = look(step.status, is_skipped=step.is_skipped)
    return Cell(seen, took(step.started_at, step.ended_at, now=now), seconds, step.error if seen.css == "failed" else "")


def _rows(a: Mapping[str, Cell], b: Mapping[str, Cell]) -> list[Row]:
    ids: Iterable[str] = [*a, *(id for id in b if id not in a)]
    return [_row(id, a.get(id), b.get(id)) for id in ids]


def _row(id: str, a: Cell | None, b: Cell | None) -> Row:
    is_other = a is None or b is None or a.look != b.look or a.error != b.error
    if a is None or b is None or a.seconds is None or b.seconds is None:
        return Row(id, a, b, "", False, is_other)
    more = b.seconds - a.seconds
    low, high = sorted((a.seconds, b.seconds))
    is_much = abs(more) >= MUCH_SECONDS and high >= low * MUCH
    words = f"{'+' if more > 0 else '−'}{span(abs(more))}" if abs(more) >= 0.001 else "same"
    return Row(id, a, b, words, is_much, is_other)


def _outputs(a: Workflow, b: Workflow) -> list[tuple[str, list[Difference]]]:
    """By step, those that differ; very long ones are left out."""
    return list(_differing(_kept(a), _kept(b)))


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, list[Difference]]]:
    room = MOST_DIFFERENCES
    for id in (id for id in a if id in b):
        if room and (found := list(islice(differences(a[id], b[id]), room))):
            room -= len(found)
            yield id, found


def _kept(workflow: Workflow) -> Mapping[str, Any]:
    size = Length(Cast("output", TextField()))
    steps = Step.objects.top_level().filter(workflow=workflow, output__isnull=False).annotate(size=size)
    return dict(steps.filter(size__lte=MOST_OUTPUT_CHARACTERS).order_by("position").values_list("node_id", "output")[:MOST_OUTPUTS])
