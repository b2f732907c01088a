"""The graph of one workflow as its page draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from workflows_app.dashboard import graph_facts, graph_lines, graph_picture, graph_spots, strips
from workflows_app.dashboard.graph_marks import BY_CSS, Known, Mark, mark_of
from workflows_app.dashboard.graph_spots import Spot
from workflows_app.dashboard.looks import plural
from workflows_app.dashboard.steps_table import Looks
from workflows_app.dashboard.steps_view import View
from workflows_app.engine.definitions import compiled
from workflows_app.engine.report import layouts
from workflows_app.engine.report.usual import usual_of, usual_steps
from workflows_app.graph.definition import Definition
from workflows_app.graph.layout.shapes import Folding
from workflows_app.models import Workflow

LOOKED_UP = {css: [seen.glyph, seen.word] for css, seen in BY_CSS.items()}


@dataclass(frozen=True, slots=True)
class GraphView:
    """`label` says in words what the figure shows. `key` names the drawing: as long as it stays, a page keeps its own and applies
    `state` to it. `words` say how much is folded. `failed` is how many failed, `next_failed` the link to the next after the selection."""

    key: str
    label: str
    words: str
    state: Mapping[str, Any]
    failed: int
    next_failed: str
    turned_url: str
    hide_url: str
    list_url: str
    is_turned: bool
    hides_completed: bool
    _wanted: layouts.Wanted
    _shown: graph_picture.Shown

    @property
    def picture(self) -> graph_picture.Picture:
        """Asked for by the template only where the page has no drawing of this key yet."""
        return graph_picture.draw(self._shown, layouts.plan(self._wanted))


def build(workflow: Workflow, looks: Looks, view: View, now: datetime, usual: Mapping[str, float] | None = None) -> GraphView:
    """`usual` are the seconds that steps usually take, by id; looked up when not given."""
    choice, definition = view.graph, compiled(workflow.definition_id)
    wanted = layouts.wanted(workflow.definition_id, choice.direction, choice.opened)
    folding = layouts.folding(wanted.digest, wanted.opened)
    spots = graph_spots.spots_of(folding)
    facts = graph_facts.facts(workflow, definition, [definition.nodes[spot.members[0]].id for spot in spots if spot.kind == "step"])
    known = Known(definition, looks, facts, now, _usual(workflow) if usual is None else usual)
    marks = [mark_of(spot, known) for spot in spots]
    states = graph_lines.states(folding.joins, _css_of_items(spots, marks))
    selected = graph_spots.by_step(spots).get(definition.positions.get(view.top, -1))
    failed = [id for id, (_, seen) in looks.items() if seen.css == "failed"]
    return GraphView(
        key=f"{wanted.key}{'h' * choice.hides_completed}",
        label=_label(looks),
        words=_folded(folding),
        state=_state(marks, states, selected),
        failed=len(failed),
        next_failed=_next_failed(failed, definition, view),
        turned_url=view.url(graph=choice.but(direction="LR" if choice.direction == "TB" else "TB")),
        hide_url=view.url(graph=choice.but(hides_completed=not choice.hides_completed)),
        list_url=view.url(view="list"),
        is_turned=choice.direction == "TB",
        hides_completed=choice.hides_completed,
        _wanted=wanted,
        _shown=graph_picture.Shown(definition, folding, spots, marks, states, selected, _Links(view, definition, folding).url),
    )


class _Links:
    """Of spots. They say only what the drawing's key says too: a page keeps them as long as the drawing."""

    def __init__(self, view: View, definition: Definition, folding: Folding) -> None:
        plain = View(view=view.view, graph=replace(view.graph, keeps_gaps=False))
        self._plain, self._definition, self._folding = plain, definition, folding
        self._base = plain.url()

    def url(self, spot: Spot) -> str:
        if spot.is_step:
            joint = "&" if len(self._base) > 1 else ""
            return f"{self._base}{joint}step={quote(self._definition.nodes[spot.members[0]].id, safe='')}"
        number, graph = self._folding.items[spot.item].number, self._plain.graph
        opened = {*graph.opened} ^ {number}
        return self._plain.url(graph=graph.but(opened=tuple(sorted(opened))))


def _usual(workflow: Workflow) -> Mapping[str, float]:
    known = usual_of(workflow.template_version)
    return usual_steps(known, workflow.total_steps) if known else {}


def _css_of_items(spots: Sequence[Spot], marks: Sequence[Mark]) -> list[str]:
    return [mark.css for spot, mark in zip(spots, marks, strict=True) if not spot.is_inside]


def _state(marks: Sequence[Mark], states: str, selected: int | None) -> Mapping[str, Any]:
    return {"looks": LOOKED_UP, "nodes": [mark.packed() for mark in marks], "lines": states, "selected": selected}


def _label(looks: Looks) -> str:
    counts: dict[Any, int] = {}
    for _, seen in looks.values():
        counts[seen] = counts.get(seen, 0) + 1
    return f"Graph of {plural(len(looks), 'step')}: {strips.label(counts)}"


def _folded(folding: Folding) -> str:
    groups = [item for item in folding.items if item.kind != "step"]
    if not groups:
        return ""
    return f"{plural(sum(len(item.members) for item in groups), 'step')} in {plural(len(groups), 'group')}; choose a group to open it"


def _next_failed(failed: Sequence[str], definition: Definition, view: View) -> str:
    """The first that failed after the selected step, from the start again after the last."""
    if not failed:
        return ""
    here = definition.positions.get(view.top, -1)
    after = (id for id in failed if definition.positions[id] > here)
    return view.url(step=next(after, failed[0]), show="", start=None)
