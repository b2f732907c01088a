"""The selected step: its outputs, attempts, log and configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from workflows_app.dashboard import approvals_page, elements_table, step_rows
from workflows_app.dashboard.looks import Moment, Took, moment, plural, pretty, took
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Attempt, LogLine, Step

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
    """JSON values are text, ready to be shown. `lines` are the last ones, `earlier_words` says how many more there are. A map has
    `elements`, of which `element` is the selected one; an approval has `approval` while it waits and `decision` after."""

    row: step_rows.StepRow
    element: StepDetail | None
    elements: elements_table.ElementsTable | None
    approval: approvals_page.Approval | None
    decision: approvals_page.Decision | None
    config: str
    value: str
    output: str
    metadata: str
    needs: list[tuple[str, str]]
    attempts: list[AttemptRow]
    lines: list[Line]
    earlier_words: str
    can_retry: bool


def build(about: step_rows.About, reader: User) -> StepDetail | None:
    """The selected step; of an element, its map with the element in it. None when the workflow has no such step."""
    if not about.view.step:
        return None
    wanted = Step.objects.filter(workflow=about.workflow, node_id__in={about.view.top, about.view.step})
    found = {step.node_id: step for step in wanted.select_related("workflow")}
    if about.view.top not in found:
        return None
    element = found.get(about.view.step) if about.view.step != about.view.top else None
    return _detail(found[about.view.top], about, reader, element=_detail(element, about, reader) if element else None)


def _detail(step: Step, about: step_rows.About, reader: User, *, element: StepDetail | None = None) -> StepDetail:
    node = about.definition.node(step.node_id)
    (row,) = step_rows.rows([step], about)
    lines, earlier = _lines(step)
    return StepDetail(
        row=row,
        element=element,
        elements=elements_table.build(step, about) if node.body and step.attempt else None,
        approval=approvals_page.approval(step, reader, now=about.now) if step.waits_for == Step.APPROVAL else None,
        decision=approvals_page.decision(step, now=about.now),
        config=pretty(dict(node.config)) if node.config else "",
        value=pretty(step.element) if step.parent_id else "",
        output=_shown(step.output),
        metadata=_shown(step.metadata or None),
        needs=[(need, about.view.url(step=need, show="", start=None)) for need in node.needs],
        attempts=_attempts(step, about.now),
        lines=lines,
        earlier_words=f"{plural(earlier, 'earlier line')}: read them through the API" if earlier else "",
        can_retry=step.parent_id is None and about.workflow.status in FINAL and step.status in FINAL,
    )


def _shown(value: Any) -> str:
    return "" if value is None else pretty(value)


def _attempts(step: Step, now: datetime) -> list[AttemptRow]:
    ended = [
        AttemptRow(a.number, _outcome(a), moment(a.started_at, now=now), took(a.started_at, a.ended_at, now=now), a.worker_id[:8], a.error)
        for a in step.attempts.order_by("number")
    ]
    if step.status != Status.RUNNING:
        return ended
    began = step.claimed_at or step.started_at
    return [*ended, AttemptRow(step.attempt, "running", moment(began, now=now), took(began, None, now=now), step.worker_id[:8], "")]


def _outcome(attempt: Attempt) -> str:
    return f"{attempt.outcome}; too late: {attempt.late_result}" if attempt.late_result else attempt.outcome


def _lines(step: Step) -> tuple[list[Line], int]:
    """The last lines in order, and how many came before them."""
    found = list(LogLine.objects.filter(step=step).order_by("-id")[:MOST_LINES])[::-1]
    earlier = LogLine.objects.filter(step=step, id__lt=found[0].pk).count() if len(found) == MOST_LINES else 0
    return [_line(line, found[i - 1] if i else None) for i, line in enumerate(found)], earlier


def _line(line: LogLine, before: LogLine | None) -> Line:
    starts = line.attempt if before is not None and before.attempt != line.attempt else 0
    return Line(f"{line.at:%H:%M:%S}.{line.at.microsecond // 1000:03d}", line.level, line.message, starts)
