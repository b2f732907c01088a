"""When the attempts of a workflow's steps ran, as its page draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workflows_app.dashboard.cutting import brief, cleaned, cut
from workflows_app.dashboard.looks import Look, look, plural
from workflows_app.dashboard.steps_view import View
from workflows_app.dashboard.timeline_scale import Scale, scale_of
from workflows_app.dashboard.timeline_times import Part, Times, times_of
from workflows_app.engine.definitions import compiled
from workflows_app.engine.report.usual import usual_of, usual_steps
from workflows_app.graph.statuses import ACTIVE
from workflows_app.models import Workflow

PER_PAGE = 200
MOST_COLUMNS, THINNEST = 25, 0.3
MINUTE, UNITS = 60, ((86_400, "d"), (3_600, "h"), (60, "m"))


@dataclass(frozen=True, slots=True)
class Bar:
    """Places in per cent of the width."""

    kind: str
    css: str
    x: float
    width: float
    title: str

    @property
    def end(self) -> float:
        return round(self.x + self.width, 3)


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    name: str
    look: Look
    url: str
    bars: list[Bar]
    label: str
    began: str
    queued: str
    took: str
    usual: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    words: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class TimelineView:
    """`range_words` says which steps are shown where there are many; `folded` are marks where long gaps were taken out; `now_x` is the
    place of this moment while it runs."""

    rows: list[Row]
    ticks: list[Tick]
    folded: list[Tick]
    now_x: float | None
    from_words: str
    range_words: str
    earlier_url: str
    later_url: str
    gaps_url: str
    keeps_gaps: bool


def build(workflow: Workflow, view: View, now: datetime, usual: Mapping[str, float] | None = None) -> TimelineView:
    """`usual` are the seconds that steps usually take, by id; looked up when not given."""
    definition = compiled(workflow.definition_id)
    start = _first(view, definition.positions, len(definition.nodes))
    shown = [node.id for node in definition.nodes[start : start + PER_PAGE]]
    times = times_of(workflow, definition, shown, now)
    origin = workflow.started_at or workflow.created_at
    scale = _scale(times, origin, workflow.ended_at or now, keeps_gaps=view.graph.keeps_gaps)
    known = _usual(workflow) if usual is None else usual
    total = len(definition.nodes)
    return TimelineView(
        rows=[_row(found, scale, origin, view, known) for found in times],
        ticks=[Tick(scale.at(tick), _round(tick), _clock(origin + timedelta(seconds=tick))) for tick in scale.ticks()],
        folded=[Tick(scale.at((a + b) / 2), f"{brief(b - a)} in which nothing ran") for a, b in scale.gaps],
        now_x=scale.at((now - origin).total_seconds()) if workflow.status in ACTIVE else None,
        from_words=_clock(origin),
        range_words=f"{start + 1:,}–{start + len(shown):,} of {plural(total, 'step')}" if total > PER_PAGE else "",
        earlier_url=view.url(start=max(0, start - PER_PAGE), step="") if start else "",
        later_url=view.url(start=start + PER_PAGE, step="") if start + PER_PAGE < total else "",
        gaps_url=view.url(graph=view.graph.but(keeps_gaps=not view.graph.keeps_gaps)),
        keeps_gaps=view.graph.keeps_gaps,
    )


def _first(view: View, positions: Mapping[str, int], total: int) -> int:
    """The first row shown: as the URL says, else the page on which the selected step is."""
    wanted = view.start if view.start is not None else positions.get(view.top, 0) // PER_PAGE * PER_PAGE
    return min(wanted, max(0, total - 1))


def _usual(workflow: Workflow) -> Mapping[str, float]:
    known = usual_of(workflow.template_version)
    return usual_steps(known, workflow.total_steps) if known else {}


def _scale(times: Sequence[Times], origin: datetime, end: datetime, *, keeps_gaps: bool) -> Scale:
    parts = [part for found in times for part in found.parts]
    busy = [(_since(origin, part.start), _since(origin, part.stop)) for part in parts if part.kind == "attempt" and not part.is_idle]
    last = max([end, *(part.stop for part in parts)])
    return scale_of(busy, _since(origin, last), keeps_gaps=keeps_gaps)


def _since(origin: datetime, moment: datetime) -> float:
    return max(0.0, (moment - origin).total_seconds())


def _row(found: Times, scale: Scale, origin: datetime, view: View, usual: Mapping[str, float]) -> Row:
    id, attempts = found.step.node_id, [part for part in found.parts if part.kind == "attempt"]
    queued, usually, seen = found.queued_seconds, usual.get(id), look(found.step.status, is_skipped=found.step.is_skipped)
    return Row(
        id=cleaned(id),
        name=cut(id, MOST_COLUMNS),
        look=seen,
        url=view.url(step=id),
        bars=[_bar(part, scale, origin) for part in found.parts],
        label=_label(found, seen),
        began=_clock(found.began_at) if found.began_at else "",
        queued=brief(queued) if queued is not None else "",
        took=brief((attempts[-1].stop - attempts[0].start).total_seconds()) if attempts else "",
        usual=brief(usually) if usually is not None else "",
        is_selected=view.top == id,
    )


def _bar(part: Part, scale: Scale, origin: datetime) -> Bar:
    left, right = scale.at(_since(origin, part.start)), scale.at(_since(origin, part.stop))
    width = max(THINNEST if part.kind == "attempt" else 0.0, right - left)
    spent = brief((part.stop - part.start).total_seconds())
    return Bar(part.kind, part.css, min(left, 100 - width), round(width, 3), f"{part.words}, {spent}, from {_clock(part.start)}")


def _label(found: Times, seen: Look) -> str:
    """What the bars show, in words."""
    said = [f"{part.words} ({brief((part.stop - part.start).total_seconds())})" for part in found.parts]
    return f"{seen.word}: {', '.join(said)}" if said else f"{seen.word}: it has not run"


def _round(seconds: float) -> str:
    """All of it, for no two on an axis may read the same: `"500 ms"`, `"1.5 s"`, `"2m"`, `"1h 2m 30s"`."""
    rest = round(seconds, 3)
    if rest < MINUTE:
        return f"{rest:g} s" if rest >= 1 else brief(rest) if rest else "0"
    parts = []
    for size, unit in UNITS:
        number, rest = divmod(rest, size)
        parts += [f"{number:g}{unit}"] if number else []
    return " ".join([*parts, f"{round(rest, 3):g}s"] if rest else parts)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"
