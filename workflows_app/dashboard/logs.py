"""What steps said: more rows for the page, the raw text, and the whole of it as a file."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from workflows_app.dashboard import log_panel
from workflows_app.dashboard.steps_view import View
from workflows_app.dashboard.workflow import found
from workflows_app.engine.report.log_window import all_lines
from workflows_app.engine.report.times import iso
from workflows_app.models import Step, Workflow


@login_required
@require_safe
def rows(request: HttpRequest, uid: uuid.UUID) -> TemplateResponse:
    """The rows above a line, for the page that has those below."""
    view = View.from_query(request.GET)
    above, more = log_panel.earlier(_step(found(uid), view.step), view, before=view.line or 1)
    context = {"rows": above, "earlier_rows": more, "uid": uid, "plain": f"{reverse('dashboard:workflow', args=[uid])}{more}"}
    return TemplateResponse(request, "workflows/_log_earlier.html", context)


@login_required
@require_safe
def raw(request: HttpRequest, uid: uuid.UUID) -> HttpResponse | StreamingHttpResponse:
    """As plain text: one step's log, or without a step that of all, a few lines at a time however many there are."""
    asked, view = found(uid), View.from_query(request.GET)
    steps = [_step(asked, view.step)] if view.step else list(_all(asked))
    lines = _lines({step.pk: step.node_id for step in steps}, view.attempt, is_named=not view.step)
    response = StreamingHttpResponse(lines, content_type="text/plain; charset=utf-8")
    kind = "attachment" if "download" in request.GET else "inline"
    response["Content-Disposition"] = f'{kind}; filename="workflow-{str(uid)[:8]}{"-step" if view.step else ""}.log"'
    return response


def _step(workflow: Workflow, step_id: str) -> Step:
    step = Step.objects.filter(workflow=workflow, node_id=step_id).only("pk", "node_id", "status", "attempt", "error").first()
    if step is None:
        raise Http404(f"Workflow {workflow.uid} has no step {step_id!r}")
    return step


def _all(workflow: Workflow) -> Iterator[Step]:
    return Step.objects.filter(workflow=workflow).only("pk", "node_id").order_by("position").iterator()


def _lines(steps: dict[int, str], attempt: int | None, *, is_named: bool) -> Iterator[str]:
    for id, line in all_lines(steps, attempt=attempt):
        yield f"{iso(line.at)} {f'{id} ' if is_named else ''}{line.attempt} {line.level} {line.message}\n"
