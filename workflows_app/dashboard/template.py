"""The page of one template."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from workflows_app.dashboard import template_page
from workflows_app.dashboard.graph_choice import GraphChoice
from workflows_app.engine.clock import database_now
from workflows_app.models import Template

MOST_DIGITS = 6


@login_required
@require_safe
def template(request: HttpRequest, slug: str) -> TemplateResponse:
    found = get_object_or_404(Template.objects.published().select_related("current__created_by").defer("current__source"), slug=slug)
    number = request.GET.get("version", "")
    version = int(number) if number.isascii() and number.isdecimal() and len(number) <= MOST_DIGITS else None
    page = template_page.build(found, GraphChoice.from_query(request.GET), version=version, now=database_now())
    return TemplateResponse(request, "templates/detail.html", {"page": page})
