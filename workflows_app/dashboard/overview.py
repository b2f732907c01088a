"""The first page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from workflows_app.dashboard import live, overview_page
from workflows_app.dashboard.forms import user_of
from workflows_app.engine.clock import database_now


@login_required
@require_safe
@live.tagged(lambda request: overview_page.tag(user_of(request), now=database_now()))
def home(request: HttpRequest) -> TemplateResponse:
    page = overview_page.build(user_of(request), now=database_now())
    return live.respond(request, page="overview/page.html", region="overview/_region.html", context={"page": page})
