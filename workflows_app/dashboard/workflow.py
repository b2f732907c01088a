"""The page of one workflow, the form that starts one that was submitted, and the page that retries one with other parameters."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_app.catalog import again
from workflows_app.dashboard import live, params_form, retry_page, workflow_page
from workflows_app.dashboard.forms import Typed, user_of
from workflows_app.dashboard.steps_view import View
from workflows_app.dialects.params import InvalidParams
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import NotAllowed, WorkflowNotFound
from workflows_app.models import Workflow


@login_required
@require_safe
@live.tagged(lambda request, uid: workflow_page.tag(uid, View.from_query(request.GET), now=database_now()))
def workflow(request: HttpRequest, uid: uuid.UUID) -> TemplateResponse:
    return _page(request, found(uid))


@login_required
@require_POST
def trigger(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Start a workflow that was submitted, with the parameters of the form."""
    asked = found(uid)
    params = params_form.read(workflow_page.start_schema(asked), request.POST)
    try:
        params_form.refuse_unread(params)
        started = again.trigger(uid=uid, params=params, now=database_now(), by=user_of(request))
    except InvalidParams as error:
        return _page(request, asked, Typed(params, error.errors), status=422)
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("dashboard:workflow", uid)
    messages.success(request, "Started: its first steps are on their way.")
    return redirect("dashboard:workflow", started.uid)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Retry from a step with other parameters."""
    asked = found(uid)
    step_id = retry_page.chosen(asked, request.POST.get("step") or request.GET.get("step", ""))
    if request.method == "POST":
        return _retry(request, asked, step_id)
    return TemplateResponse(request, "workflows/retry.html", {"page": retry_page.build(asked, step_id, values=asked.params)})


def found(uid: uuid.UUID) -> Workflow:
    """Raises Http404."""
    try:
        return workflow_page.find(uid)
    except WorkflowNotFound as error:
        raise Http404(str(error)) from None


def _retry(request: HttpRequest, asked: Workflow, step_id: str) -> HttpResponse:
    params = params_form.read(workflow_page.start_schema(asked), request.POST)
    try:
        params_form.refuse_unread(params)
        again.retry(uid=asked.uid, from_step=step_id, params=params, now=database_now())
    except InvalidParams as error:
        page, status = retry_page.build(asked, step_id, values=params, errors=error.errors), 422
    except NotAllowed as error:
        page, status = retry_page.build(asked, step_id, values=params, refusal=str(error)), 409
    else:
        messages.success(request, f"Tried again from {step_id}, with these parameters.")
        return redirect("dashboard:workflow", asked.uid)
    return TemplateResponse(request, "workflows/retry.html", {"page": page}, status=status)


def _page(request: HttpRequest, asked: Workflow, typed: Typed | None = None, *, status: int = 200) -> TemplateResponse:
    page = workflow_page.build(
        asked,
        View.from_query(request.GET),
        reader=user_of(request),
        base_url=request.build_absolute_uri("/").rstrip("/"),
        now=database_now(),
        typed=typed,
        held_log=request.headers.get("HX-Log", ""),
    )
    return live.respond(request, page="workflows/detail.html", region="workflows/_detail.html", context={"page": page}, status=status)
