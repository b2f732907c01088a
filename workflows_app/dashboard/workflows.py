"""The list of workflows."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from workflows_app.dashboard import list_page, live, time_range
from workflows_app.dashboard.filters import Filters
from workflows_app.dashboard.forms import user_of
from workflows_app.engine.clock import database_now


@login_required
@require_safe
@live.tagged(lambda request: list_page.tag_of(Filters.from_query(request.GET), user_of(request), now=database_now()))
def workflows(request: HttpRequest) -> TemplateResponse:
    page = list_page.build(Filters.from_query(request.GET), user_of(request), now=database_now())
    choices = [] if live.wants_region(request) else list_page.template_choices()
    context = {"page": page, "templates": choices, "times": time_range.CHOICES}
    return live.respond(request, page="workflows/list.html", region="workflows/_list.html", context=context)
