"""Pages on workflows."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from workflows_app.catalog import again
from workflows_app.dashboard import list_page, live, params_form, workflow_page
from workflows_app.dashboard.filters import Filters
from workflows_app.dashboard.forms import Typed, user_of
from workflows_app.dashboard.steps_view import View
from workflows_app.dialects.params import InvalidParams
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import NotAllowed, WorkflowNotFound
from workflows_app.models import Workflow


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("dashboard:workflows")


@login_required
@require_safe
@live.tagged(lambda request: list_page.tag())
def workflows(request: HttpRequest) -> TemplateResponse:
    page = list_page.build(Filters.from_query(request.GET), now=database_now())
    choices = [] if live.wants_region(request) else list_page.template_choices()
    context = {"page": page, "templates": choices}
    return live.respond(request, page="workflows/list.html", region="workflows/_list.html", context=context)


@login_required
@require_safe
@live.tagged(lambda request, uid: workflow_page.tag(uid, View.from_query(request.GET), now=database_now()))
def workflow(request: HttpRequest, uid: uuid.UUID) -> TemplateResponse:
    return _page(request, _found(uid))


@login_required
@require_POST
def trigger(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Start a workflow that was submitted, with the parameters of the form."""
    found = _found(uid)
    params = params_form.read(workflow_page.start_schema(found), request.POST)
    try:
        params_form.refuse_unread(params)
        started = again.trigger(uid=uid, params=params, now=database_now())
    except InvalidParams as error:
        return _page(request, found, Typed(params, error.errors), status=422)
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("dashboard:workflow", uid)
    messages.success(request, "Started: its first steps are on their way.")
    return redirect("dashboard:workflow", started.uid)


def _found(uid: uuid.UUID) -> Workflow:
    try:
        return workflow_page.find(uid)
    except WorkflowNotFound as error:
        raise Http404(str(error)) from None


def _page(request: HttpRequest, found: Workflow, typed: Typed | None = None, *, status: int = 200) -> TemplateResponse:
    base_url, view = request.build_absolute_uri("/").rstrip("/"), View.from_query(request.GET)
    page = workflow_page.build(found, view, reader=user_of(request), base_url=base_url, now=database_now(), typed=typed)
    return live.respond(request, page="workflows/detail.html", region="workflows/_detail.html", context={"page": page}, status=status)
