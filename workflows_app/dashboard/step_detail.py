"""The selected step: its outputs, attempts, log and configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from workflows_app.dashboard import approvals_page, elements_table, log_panel, runs_again, step_rows
from workflows_app.dashboard.looks import Moment, Took, moment, pretty, took
from workflows_app.dashboard.steps_view import NONE
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Attempt, Step

MOST_NEEDS = 50


@dataclass(frozen=True, slots=True)
class AttemptRow:
    number: int
    outcome: str
    began: Moment | None
    took: Took | None
    worker: str
    error: str


@dataclass(frozen=True, slots=True)
class StepDetail:
    """JSON values are text, ready to be shown. The innermost selected one has its `log`. A map has `elements`, of which `element` is the
    selected one; an approval has `approval` while it waits and `decision` after. `runs_again` says what a retry from here runs. Of
    `needs` the first few are named."""

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
    more_needs: int
    attempts: list[AttemptRow]
    log: log_panel.LogPanel | None
    can_retry: bool
    runs_again: str
    close_url: str


def build(about: step_rows.About, reader: User, *, held_log: str = "") -> StepDetail | None:
    """The selected step; of an element, its map with the element in it. None when the workflow has no such step. `held_log` is what the
    browser has of its log."""
    if about.view.step in ("", NONE):
        return None
    wanted = Step.objects.filter(workflow=about.workflow, node_id__in={about.view.top, about.view.step})
    found = {step.node_id: step for step in wanted.select_related("workflow")}
    if about.view.top not in found:
        return None
    element = found.get(about.view.step) if about.view.step != about.view.top else None
    inner = _detail(element, about, reader, log=log_panel.build(element, about.view, held=held_log)) if element else None
    log = None if inner else log_panel.build(found[about.view.top], about.view, held=held_log)
    return _detail(found[about.view.top], about, reader, log=log, element=inner)


def _detail(
    step: Step, about: step_rows.About, reader: User, *, log: log_panel.LogPanel | None, element: StepDetail | None = None
) -> StepDetail:
    node = about.definition.node(step.node_id)
    can_retry = step.parent_id is None and about.workflow.status in FINAL and step.status in FINAL
    (row,) = step_rows.rows([step], about)
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
        needs=[(need, about.view.url(step=need, show="", start=None)) for need in node.needs[:MOST_NEEDS]],
        more_needs=len(node.needs[MOST_NEEDS:]),
        attempts=_attempts(step, about.now),
        log=log,
        can_retry=can_retry,
        runs_again=runs_again.words(about.workflow, step.node_id) if can_retry else "",
        close_url=about.view.url(step=NONE if about.workflow.status == Status.FAILED else ""),
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
