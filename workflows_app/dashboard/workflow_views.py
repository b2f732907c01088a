"""The views of a workflow behind its tabs; only the one that is shown is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows_app.dashboard import account, graph_view, steps_table, timeline_view
from workflows_app.dashboard.looks import pretty
from workflows_app.dashboard.steps_table import Overview
from workflows_app.dashboard.steps_view import VIEWS, View
from workflows_app.engine import report
from workflows_app.engine.definitions import compiled
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

MOST_OUTPUTS = 20
MOST_STEPS_IN_JSON = 200
WORDS: Mapping[str, str] = {"params": "Parameters", "json": "JSON"}
KEYS: Mapping[str, str] = {"graph": "1", "timeline": "2", "list": "3"}
Shown = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tab:
    word: str
    url: str
    key: str
    is_current: bool


def tabs(view: View) -> list[Tab]:
    return [Tab(WORDS.get(name, name.title()), view.url(view=name, start=None), KEYS.get(name, ""), name == view.view) for name in VIEWS]


def shown(workflow: Workflow, overview: Overview, *, now: datetime) -> Shown:
    """What the template of the current view needs, by name."""
    return BUILDERS[overview.about.view.view](workflow, overview, now)


def _graph(workflow: Workflow, overview: Overview, now: datetime) -> Shown:
    return {"graph": graph_view.build(workflow, overview.looks, overview.about.view, now, overview.about.usual)}


def _timeline(workflow: Workflow, overview: Overview, now: datetime) -> Shown:
    return {"timeline": timeline_view.build(workflow, overview.about.view, now, overview.about.usual)}


def _list(workflow: Workflow, overview: Overview, now: datetime) -> Shown:
    return {"table": steps_table.build(overview)}


def _params(workflow: Workflow, overview: Overview, now: datetime) -> Shown:
    return {"params": pretty(workflow.params)}


def _outputs(workflow: Workflow, overview: Overview, now: datetime) -> Shown:
    return {"outputs": outputs(workflow)}


def outputs(workflow: Workflow) -> list[tuple[str, str]]:
    """What the last steps of the graph left, where they completed: `(step id, JSON text)`."""
    definition = compiled(workflow.definition_id)
    last = [id for id, successors in definition.successors.items() if not successors][:MOST_OUTPUTS]
    found = Step.objects.filter(workflow=workflow, node_id__in=last, status=Status.COMPLETED).order_by("position")
    return [(id, pretty(output)) for id, output in found.values_list("node_id", "output") if output is not None]


def _events(workflow: Workflow, overview: Overview, now: datetime) -> Shown:
    return {"account": account.build(workflow, overview.about.view, now=now)}


def _json(workflow: Workflow, overview: Overview, now: datetime) -> Shown:
    """As the API answers it, where it is not too much for a page: the download has all of it."""
    is_large = workflow.total_steps > MOST_STEPS_IN_JSON
    return {"json": "" if is_large else pretty(report.workflow(workflow.uid, now=now))}


BUILDERS: Mapping[str, Callable[[Workflow, Overview, datetime], Shown]] = {
    "graph": _graph, "timeline": _timeline, "list": _list, "params": _params, "outputs": _outputs, "events": _events, "json": _json,
}  # fmt: skip
