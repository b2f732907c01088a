"""The palette: whatever somebody types, where it may lead. A page of its own where there is no script."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from workflows_app.dashboard import palette_page
from workflows_app.dashboard.forms import user_of


@login_required
@require_safe
def palette(request: HttpRequest) -> TemplateResponse:
    """The list alone for `?part=list` (static/palette.js)."""
    page = palette_page.build(request.GET.get("q", ""), reader=user_of(request))
    template = "palette/_list.html" if request.GET.get("part") == "list" else "palette/page.html"
    return TemplateResponse(request, template, {"page": page}, headers={"Cache-Control": "no-store"})
