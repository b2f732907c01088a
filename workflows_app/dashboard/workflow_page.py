"""One workflow as its page shows it."""

from __future__ import annotations

import json
import shlex
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max

from workflows_app.catalog.again import schema_of
from workflows_app.dashboard import params_form, step_detail, steps_table, what_happened
from workflows_app.dashboard.forms import Typed
from workflows_app.dashboard.live import BUSY_MILLISECONDS, LIST_MILLISECONDS, NEVER
from workflows_app.dashboard.looks import Look, Moment, Took, look, moment, pretty, took
from workflows_app.dashboard.steps_view import View
from workflows_app.engine.definitions import compiled
from workflows_app.engine.errors import WorkflowNotFound
from workflows_app.engine.liveness import live_workers
from workflows_app.graph.progress import progress
from workflows_app.graph.statuses import ACTIVE, Status
from workflows_app.models import LogLine, Step, Workflow

MOST_OUTPUTS = 20
AROUND = ("template_version__template", "parent", "parent_step", "event")
UNREAD = (
    "template_version__source", "parent__params", "parent_step__output", "parent_step__resume", "parent_step__answer",
    "parent_step__element", "event__payload", "event__matches", "event__deliveries",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StartForm:
    """What a workflow that was submitted and not started still has to be given."""

    fields: list[params_form.Field]
    problems: list[str]


@dataclass(frozen=True, slots=True)
class WorkflowPage:
    """`start` is there while it waits to be started. `outputs` are those of the last steps: `(step id, JSON text)`. `calls` are
    curl lines: `(words, line)`."""

    workflow: Workflow
    uid: str
    look: Look
    percent: int
    done: str
    created: Moment | None
    began: Moment | None
    ended: Moment | None
    took: Took | None
    story: what_happened.Story
    start: StartForm | None
    table: steps_table.StepTable
    detail: step_detail.StepDetail | None
    view: View
    params: str
    outputs: list[tuple[str, str]]
    calls: list[tuple[str, str]]
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
    found = Workflow.objects.filter(uid=uid).values_list("seq", "status").first()
    if found is None:
        return None
    workers = len(live_workers(now=now)) if found[1] in ACTIVE else 0
    lines = LogLine.objects.filter(step__workflow__uid=uid, step__node_id=view.step) if view.step else LogLine.objects.none()
    return f"{found[0]}-{workers}-{lines.aggregate(last=Max('id'))['last'] or 0}"


def build(workflow: Workflow, view: View, *, reader: User, base_url: str, now: datetime, typed: Typed | None = None) -> WorkflowPage:
    table = steps_table.build(workflow, view, now=now)
    return WorkflowPage(
        workflow=workflow,
        uid=str(workflow.uid),
        look=look(workflow.status),
        percent=progress(done=workflow.done_steps, total=workflow.total_steps),
        done=f"{workflow.done_steps:,} of {workflow.total_steps:,} done",
        created=moment(workflow.created_at, now=now),
        began=moment(workflow.started_at, now=now),
        ended=moment(workflow.ended_at, now=now),
        took=took(workflow.started_at, workflow.ended_at, now=now),
        story=what_happened.tell(workflow, table, workers=len(live_workers(now=now)), now=now),
        start=_start_form(workflow, typed) if workflow.awaits_trigger else None,
        table=table,
        detail=step_detail.build(table.about, reader),
        view=view,
        params=pretty(workflow.params),
        outputs=_outputs(workflow),
        calls=_calls(workflow, base_url),
        poll_milliseconds=_poll(workflow),
        now=now.isoformat(),
    )


def start_schema(workflow: Workflow) -> Mapping[str, Any]:
    """What its parameters must fit; everything does where nothing is known."""
    return schema_of(workflow) or {"additionalProperties": True}


def _start_form(workflow: Workflow, typed: Typed | None) -> StartForm:
    values, errors = (typed.values, typed.errors) if typed else (workflow.params, {})
    fields = params_form.fields(start_schema(workflow), values, errors)
    return StartForm(fields, params_form.problems(fields, errors))


def _poll(workflow: Workflow) -> int:
    if workflow.status not in ACTIVE:
        return NEVER
    return LIST_MILLISECONDS if workflow.awaits_trigger else BUSY_MILLISECONDS


def _outputs(workflow: Workflow) -> list[tuple[str, str]]:
    """What the last steps of the graph left, where they completed."""
    definition = compiled(workflow.definition_id)
    last = [id for id, successors in definition.successors.items() if not successors][:MOST_OUTPUTS]
    found = Step.objects.filter(workflow=workflow, node_id__in=last, status=Status.COMPLETED).order_by("position")
    return [(id, pretty(output)) for id, output in found.values_list("node_id", "output") if output is not None]


def _calls(workflow: Workflow, base_url: str) -> list[tuple[str, str]]:
    url = f"{base_url}/api/workflows/{workflow.uid}"
    lines = [("Read this workflow", _curl(url)), ("Run it again", _curl(f"{url}/rerun", method="POST"))]
    if workflow.template_version:
        start = f"{base_url}/api/workflows/from-template?template_id={workflow.template_version.template.slug}"
        lines.append(("Start one like it", _curl(start, method="POST", body=json.dumps(workflow.params))))
    return lines


def _curl(url: str, *, method: str = "", body: str = "") -> str:
    parts = ["curl", *(["-X", method] if method else []), shlex.quote(url)]
    parts += [] if settings.IS_LOCAL else ["-H", '"Authorization: Bearer $TOKEN"']
    parts += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(body)] if body else []
    return " ".join(parts)
