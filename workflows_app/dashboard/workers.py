"""The page on workers and the backlog."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from workflows_app.dashboard import live, workers_page
from workflows_app.engine.clock import database_now


@login_required
@require_safe
@live.tagged(lambda request: workers_page.tag(database_now()))
def workers(request: HttpRequest) -> TemplateResponse:
    page = workers_page.build(now=database_now())
    return live.respond(request, page="workers/list.html", region="workers/_list.html", context={"page": page})
