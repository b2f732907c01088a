"""One template as its page shows it: what it is, what starts it, its graph, how its workflows went."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from workflows_app.dashboard import template_graph, template_grid
from workflows_app.dashboard.cutting import brief, cut
from workflows_app.dashboard.graph_choice import GraphChoice
from workflows_app.dashboard.looks import Moment, moment, plural
from workflows_app.engine import cron
from workflows_app.engine.definitions import compiled
from workflows_app.engine.report.usual import Usual, usual_of, usual_steps
from workflows_app.graph.statuses import Status
from workflows_app.models import Schedule, Template, TemplateVersion

MOST_VERSIONS, MOST_SCHEDULES, LATEST = 50, 20, 20
MOST_OF_VALUE = 80
LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "at least characters",
    "maxLength": "at most characters",
    "pattern": "fits",
}


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    dialect: str
    published: Moment | None
    by: str
    note: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Timer:
    uid: str
    name: str
    words: str
    next: Moment | None


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: str
    is_required: bool
    default: str
    words: str


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """`usual`, `p95` and `success` say how its workflows went; `source` is the text of the chosen version, `shown` its number."""

    template: Template
    steps: str
    current: Version
    versions: list[Version]
    schedules: list[Timer]
    parameters: list[Parameter]
    usual: str
    p95: str
    success: tuple[str, str]
    graph: template_graph.TemplateGraph
    grid: template_grid.Grid
    source: str
    shown: int


def build(template: Template, choice: GraphChoice, *, version: int | None, now: datetime) -> TemplatePage:
    """`version` is the number of the one whose text is shown, if any is."""
    current = template.current
    assert current is not None  # noqa: S101 - published templates only
    definition, known = compiled(current.definition_id), usual_of(current)
    grid = template_grid.build(template, definition, now=now)
    chosen = template.versions.filter(number=version).first() if version else None
    versions = list(template.versions.select_related("created_by").defer("source", "params_schema", "trigger")[:MOST_VERSIONS])
    return TemplatePage(
        template=template,
        steps=plural(len(definition.nodes), "step"),
        current=_version(current, current, choice, now),
        versions=[_version(found, current, choice, now) for found in versions],
        schedules=_schedules(template, now),
        parameters=_parameters(current.params_schema),
        usual=brief(known.median_seconds) if known else "",
        p95=brief(known.p95_seconds) if known else "",
        success=_success(grid.ended[:LATEST]),
        graph=template_graph.build(current.definition_id, choice, _usual_steps(known, len(definition.nodes)), _rows_of(grid)),
        grid=grid,
        source=chosen.source if chosen else "",
        shown=chosen.number if chosen else 0,
    )


def _usual_steps(known: Usual | None, total: int) -> Mapping[str, float]:
    return usual_steps(known, total) if known else {}


def _rows_of(grid: template_grid.Grid) -> frozenset[int]:
    return frozenset(row.position for row in grid.rows)


def _version(found: TemplateVersion, current: TemplateVersion, choice: GraphChoice, now: datetime) -> Version:
    query = {**{key: value for key, value in choice.query().items() if value}, "version": found.number}
    return Version(
        number=found.number,
        dialect=found.dialect,
        published=moment(found.created_at, now=now),
        by=found.created_by.get_username() if found.created_by else "",
        note=found.note,
        url=f"?{urlencode(query)}#source",
        is_current=found.pk == current.pk,
    )


def _schedules(template: Template, now: datetime) -> list[Timer]:
    found = Schedule.objects.filter(template=template).defer("params", "last_error")[:MOST_SCHEDULES]
    return [Timer(str(row.uid), row.name, cron.words(row.cron), moment(row.next_at, now=now)) for row in found]


def _success(ended: Sequence[str]) -> tuple[str, str]:
    """Which part of the last that ended completed; and in numbers."""
    if not ended:
        return "", "none has ended yet"
    good = sum(1 for status in ended if status == Status.COMPLETED)
    return f"{good * 100 // len(ended)} %", f"{good} of the last {len(ended)} that ended"


def _parameters(schema: Mapping[str, Any]) -> list[Parameter]:
    required = schema.get("required") or ()
    return [
        _parameter(name, found, name in required) for name, found in (schema.get("properties") or {}).items() if isinstance(found, Mapping)
    ]


def _parameter(name: str, found: Mapping[str, Any], is_required: bool) -> Parameter:
    words = [str(found[key]) for key in ("title", "description") if found.get(key)]
    words += [f"one of {_json(found['enum'])}"] if "enum" in found else []
    words += [f"{limit} {_json(found[key])}" for key, limit in LIMITS.items() if key in found]
    kind = found.get("type", "any")
    default = _json(found["default"]) if "default" in found else ""
    return Parameter(name, " or ".join(kind) if isinstance(kind, list) else str(kind), is_required, default, " · ".join(words))


def _json(value: Any) -> str:
    return cut(json.dumps(value, ensure_ascii=False), MOST_OF_VALUE)
