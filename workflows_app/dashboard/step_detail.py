"""The selected step: its outputs, attempts, log and configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows_app.dashboard import steps_table
from workflows_app.dashboard.looks import Moment, Took, moment, plural, pretty, took
from workflows_app.engine.definitions import compiled
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import LogLine, Step, Workflow

MOST_LINES = 1_000


@dataclass(frozen=True, slots=True)
class AttemptRow:
    number: int
    outcome: str
    began: Moment | None
    took: Took | None
    worker: str
    error: str


@dataclass(frozen=True, slots=True)
class Line:
    at: str
    level: str
    message: str
    starts_attempt: int


@dataclass(frozen=True, slots=True)
class StepDetail:
    """JSON values are text, ready to be shown. `lines` are the last ones, `earlier_words` says how many more there are."""

    row: steps_table.StepRow
    description: str
    config: str
    output: str
    metadata: str
    needs: list[tuple[str, str]]
    attempts: list[AttemptRow]
    lines: list[Line]
    earlier_words: str
    can_retry: bool


def build(workflow: Workflow, table: steps_table.StepTable, view: steps_table.View, *, now: datetime) -> StepDetail | None:
    """None when the workflow has no such step."""
    step = Step.objects.filter(workflow=workflow, node_id=view.step).first() if view.step else None
    if step is None:
        return None
    definition = compiled(workflow.definition_id)
    node = definition.by_id[step.node_id]
    lines, earlier = _lines(step)
    return StepDetail(
        row=steps_table.row(step, definition, table.looks, view, now),
        description=node.name,
        config=pretty(dict(node.config)) if node.config else "",
        output=_shown(step.output),
        metadata=_shown(step.metadata or None),
        needs=[(need, view.url(step=need, show="", start=None)) for need in node.needs],
        attempts=_attempts(step, now),
        lines=lines,
        earlier_words=f"{plural(earlier, 'earlier line')}: read them through the API" if earlier else "",
        can_retry=workflow.status in FINAL and step.status in FINAL,
    )


def _shown(value: Any) -> str:
    return "" if value is None else pretty(value)


def _attempts(step: Step, now: datetime) -> list[AttemptRow]:
    ended = [
        AttemptRow(a.number, a.outcome, moment(a.started_at, now=now), took(a.started_at, a.ended_at, now=now), a.worker_id[:8], a.error)
        for a in step.attempts.order_by("number")
    ]
    if step.status != Status.RUNNING:
        return ended
    began = step.claimed_at or step.started_at
    return [*ended, AttemptRow(step.attempt, "running", moment(began, now=now), took(began, None, now=now), step.worker_id[:8], "")]


def _lines(step: Step) -> tuple[list[Line], int]:
    """The last lines in order, and how many came before them."""
    found = list(LogLine.objects.filter(step=step).order_by("-id")[:MOST_LINES])[::-1]
    earlier = LogLine.objects.filter(step=step, id__lt=found[0].pk).count() if len(found) == MOST_LINES else 0
    return [_line(line, found[i - 1] if i else None) for i, line in enumerate(found)], earlier


def _line(line: LogLine, before: LogLine | None) -> Line:
    starts = line.attempt if before is not None and before.attempt != line.attempt else 0
    return Line(f"{line.at:%H:%M:%S}.{line.at.microsecond // 1000:03d}", line.level, line.message, starts)
