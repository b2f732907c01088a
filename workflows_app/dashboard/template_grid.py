"""The runs × steps grid of a template: how each step was in each of its last workflows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from workflows_app.dashboard.cutting import brief, cleaned, cut
from workflows_app.dashboard.graph_marks import TELLING
from workflows_app.dashboard.graph_spots import Spot, name_of
from workflows_app.dashboard.looks import LOOKS, Look, Moment, look, moment
from workflows_app.engine.report.graphs import compiled
from workflows_app.graph.definition import Definition
from workflows_app.graph.layout.folding import fold
from workflows_app.graph.layout.shapes import Folding
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Template, Workflow

MOST_WORKFLOWS, MOST_ROWS = 25, 60
MOST_COLUMNS, TALLEST, LOWEST = 28, 44, 3
DONE = LOOKS[Status.COMPLETED]
UNREAD = ("params", "metadata", "tags", "error", "description")


@dataclass(frozen=True, slots=True)
class Column:
    """One workflow; `height` is how long it took, against the longest."""

    url: str
    look: Look
    version: int
    began: Moment | None
    took: str
    height: int

    @property
    def y(self) -> int:
        return TALLEST - self.height


@dataclass(frozen=True, slots=True)
class Cell:
    """`look` is None where the workflow had no such step; of a group, the look that tells most, and `words` count the others."""

    look: Look | None
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """`position` is that of its step, or of the first one of a group."""

    position: int
    name: str
    title: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Grid:
    """`ended` are the statuses of those that have ended, the newest first."""

    columns: list[Column]
    rows: list[Row]
    ended: list[str]


def build(template: Template, definition: Definition, *, now: datetime) -> Grid:
    """`definition` is that of the current version, whose steps are the rows: older ones may have had others."""
    workflows = _latest(template)
    folding = _folding(definition)
    seen = _looks(workflows)
    columns = _columns(workflows, now)
    return Grid(columns, _rows(folding, definition, workflows, seen), [w.status for w in reversed(workflows) if w.ended_at])


def _latest(template: Template) -> list[Workflow]:
    """The newest last, as one reads."""
    versions = list(template.versions.values_list("pk", flat=True))
    found = Workflow.objects.filter(template_version__in=versions).select_related("template_version").defer(*UNREAD, *_sources())
    return list(found.order_by("-id")[:MOST_WORKFLOWS])[::-1]


def _sources() -> list[str]:
    return [f"template_version__{name}" for name in ("source", "params_schema", "trigger")]


def _folding(definition: Definition) -> Folding:
    needs = [tuple(definition.positions[need] for need in node.needs) for node in definition.nodes]
    return fold(needs, [node.action for node in definition.nodes], most=MOST_ROWS)


def _looks(workflows: Sequence[Workflow]) -> Mapping[int, Mapping[str, Look]]:
    """By workflow and step id. Those that completed are most, and not read: what its definition has and no row says otherwise did."""
    found = {workflow.pk: dict.fromkeys(ids, DONE) for workflow, ids in _ids(workflows)}
    steps = Step.objects.top_level().filter(workflow_id__in=list(found)).exclude(status=Status.COMPLETED).order_by()
    for key, id, status, is_skipped in steps.values_list("workflow_id", "node_id", "status", "is_skipped"):
        found[key][id] = look(status, is_skipped=is_skipped)
    return found


def _ids(workflows: Sequence[Workflow]) -> list[tuple[Workflow, list[str]]]:
    graphs = compiled(workflow.definition_id for workflow in workflows)
    return [(workflow, [node.id for node in graphs[workflow.definition_id].nodes]) for workflow in workflows]


def _columns(workflows: Sequence[Workflow], now: datetime) -> list[Column]:
    times = [((w.ended_at or now) - (w.started_at or w.created_at)).total_seconds() for w in workflows]
    longest = max([*times, 0.001])
    return [
        Column(
            url=_url(workflow),
            look=look(workflow.status),
            version=workflow.template_version.number if workflow.template_version else 0,
            began=moment(workflow.started_at or workflow.created_at, now=now),
            took=brief(seconds),
            height=max(LOWEST, round(TALLEST * seconds / longest)),
        )
        for workflow, seconds in zip(workflows, times, strict=True)
    ]


def _rows(folding: Folding, definition: Definition, workflows: Sequence[Workflow], seen: Mapping[int, Mapping[str, Look]]) -> list[Row]:
    rows = []
    for index, item in enumerate(folding.items):
        name = name_of(Spot("group", index, item.members), folding, definition)
        ids = [definition.nodes[member].id for member in item.members]
        cells = [_cell(ids, seen[workflow.pk], _url(workflow)) for workflow in workflows]
        title = name if len(ids) == 1 else f"{name}: {ids[0]} … {ids[-1]}"
        rows.append(Row(item.number, cut(name, MOST_COLUMNS), cleaned(title), cells))
    return rows


def _url(workflow: Workflow) -> str:
    return reverse("dashboard:workflow", args=[workflow.uid])


def _cell(ids: Sequence[str], seen: Mapping[str, Look], url: str) -> Cell:
    """Links the step that tells most."""
    by_css: dict[str, list[str]] = defaultdict(list)
    for id in ids:
        if id in seen:
            by_css[seen[id].css].append(id)
    telling = next((css for css in TELLING if css in by_css), None)
    if telling is None:
        return Cell(None, "not in that version", url)
    counts = Counter({seen[found[0]].word.lower(): len(found) for found in by_css.values()})
    words = ", ".join(f"{count:,} {word}" for word, count in counts.items()) if len(ids) > 1 else seen[by_css[telling][0]].word
    return Cell(seen[by_css[telling][0]], words, f"{url}?{urlencode({'step': by_css[telling][0]})}")
