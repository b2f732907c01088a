"""One workflow as its page shows it: what happened, how far it is, one view of it, and the selected step."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from workflows_app.catalog.again import schema_of
from workflows_app.dashboard import (
    curl_lines,
    living,
    params_form,
    progress,
    step_detail,
    steps_table,
    what_happened,
    who_started,
    workflow_views,
)
from workflows_app.dashboard.forms import Typed
from workflows_app.dashboard.live import BUSY_MILLISECONDS, LIST_MILLISECONDS, NEVER
from workflows_app.dashboard.looks import Look, Moment, Took, look, moment, took
from workflows_app.dashboard.steps_view import NONE, View
from workflows_app.engine.errors import WorkflowNotFound
from workflows_app.engine.liveness import live_workers
from workflows_app.engine.report.last_good import last_good
from workflows_app.engine.report.pulse import glance
from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models import Step, Workflow

AROUND = ("template_version__template", "parent", "parent_step", "event", "schedule", "started_by")
UNREAD = (
    "template_version__source", "parent__params", "parent_step__output", "parent_step__resume", "parent_step__answer",
    "parent_step__element", "event__payload", "event__matches", "event__deliveries", "schedule__params",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StartForm:
    """What a workflow that was submitted and not started still has to be given."""

    fields: list[params_form.Field]
    problems: list[str]


@dataclass(frozen=True, slots=True)
class Times:
    created: Moment | None
    began: Moment | None
    ended: Moment | None
    took: Took | None


@dataclass(frozen=True, slots=True)
class WorkflowPage:
    """`title` is what the browser's tab says. `start` is there while it waits to be started. `calls` are curl lines: `(words, line)`.
    `compare_url` leads to what differs from the last workflow of its template that completed."""

    workflow: Workflow
    uid: str
    title: str
    look: Look
    progress: progress.Progress
    times: Times
    starters: list[who_started.Starter]
    story: what_happened.Story
    compare_uid: str
    start: StartForm | None
    overview: steps_table.Overview
    tabs: list[workflow_views.Tab]
    shown: Mapping[str, Any]
    detail: step_detail.StepDetail | None
    view: View
    calls: list[tuple[str, str]]
    link: str
    poll_milliseconds: int
    now: str


def find(uid: uuid.UUID) -> Workflow:
    """Raises WorkflowNotFound."""
    try:
        return Workflow.objects.select_related(*AROUND).defer(*UNREAD).get(uid=uid)
    except Workflow.DoesNotExist:
        raise WorkflowNotFound(uid) from None


def tag(uid: uuid.UUID, view: View, *, now: datetime) -> str | None:
    """Changes whenever the page may: the workflow's `seq`, how many workers live, the selected step's last log line."""
    found = glance(uid, "" if view.step == NONE else view.step)
    if found is None:
        return None
    workers = living.count(now) if found.status in ACTIVE else 0
    return f"{found.seq}-{workers}-{found.last_line}"


def selected(workflow: Workflow, view: View) -> View:
    """Of a failed workflow the first failed step is selected until another is."""
    if view.step or workflow.status != Status.FAILED:
        return view
    failed = Step.objects.top_level().filter(workflow=workflow, status=Status.FAILED).order_by("ended_at", "position")
    return replace(view, step=failed.values_list("node_id", flat=True).first() or "")


def build(
    workflow: Workflow, view: View, *, reader: User, base_url: str, now: datetime, typed: Typed | None = None, held_log: str = ""
) -> WorkflowPage:
    """`held_log` is what the reader's browser has of the log (`log_panel.build`)."""
    view, workers = selected(workflow, view), len(live_workers(now=now))
    known = progress.known(workflow)
    overview = steps_table.overview(workflow, view, now=now, usual=known.steps)
    return WorkflowPage(
        workflow=workflow,
        uid=str(workflow.uid),
        title=progress.title(workflow),
        look=look(workflow.status),
        progress=progress.build(workflow, overview.about.statuses, known, workers=workers, now=now),
        times=_times(workflow, now),
        starters=who_started.starters(workflow),
        story=what_happened.tell(workflow, overview, workers=workers, now=now),
        compare_uid=_compared_with(workflow),
        start=_start_form(workflow, typed) if workflow.awaits_trigger else None,
        overview=overview,
        tabs=workflow_views.tabs(view),
        shown=workflow_views.shown(workflow, overview, now=now),
        detail=step_detail.build(overview.about, reader, held_log=held_log),
        view=view,
        calls=curl_lines.calls(workflow, "" if view.step == NONE else view.step, base_url),
        link=f"{base_url}/workflows/{workflow.uid}{view.url()}",
        poll_milliseconds=_poll(workflow),
        now=now.isoformat(),
    )


def start_schema(workflow: Workflow) -> Mapping[str, Any]:
    """What its parameters must fit; everything does where nothing is known."""
    return schema_of(workflow) or {"additionalProperties": True}


def _times(workflow: Workflow, now: datetime) -> Times:
    created, began, ended = (moment(at, now=now) for at in (workflow.created_at, workflow.started_at, workflow.ended_at))
    return Times(created, began, ended, took(workflow.started_at, workflow.ended_at, now=now))


def _compared_with(workflow: Workflow) -> str:
    good = last_good(workflow) if workflow.status in FINAL else None
    return str(good.uid) if good else ""


def _start_form(workflow: Workflow, typed: Typed | None) -> StartForm:
    values, errors = (typed.values, typed.errors) if typed else (workflow.params, {})
    fields = params_form.fields(start_schema(workflow), values, errors)
    return StartForm(fields, params_form.problems(fields, errors))


def _poll(workflow: Workflow) -> int:
    if workflow.status not in ACTIVE:
        return NEVER
    return LIST_MILLISECONDS if workflow.awaits_trigger else BUSY_MILLISECONDS
