"""Pages on workflows."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from workflows_app.dashboard import list_page, live, workflow_page
from workflows_app.dashboard.filters import Filters
from workflows_app.dashboard.forms import user_of
from workflows_app.dashboard.steps_view import View
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import WorkflowNotFound


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
    try:
        found = workflow_page.find(uid)
    except WorkflowNotFound as error:
        raise Http404(str(error)) from None
    base_url, view = request.build_absolute_uri("/").rstrip("/"), View.from_query(request.GET)
    page = workflow_page.build(found, view, reader=user_of(request), base_url=base_url, now=database_now())
    return live.respond(request, page="workflows/detail.html", region="workflows/_detail.html", context={"page": page})
