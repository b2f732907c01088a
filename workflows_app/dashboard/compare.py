"""The page that compares two workflows."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from workflows_app.dashboard import compare_page, workflow_page
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import WorkflowNotFound
from workflows_app.models import Workflow


@login_required
@require_safe
def compare(request: HttpRequest) -> TemplateResponse:
    page = compare_page.build(_named(request, "a"), _named(request, "b"), now=database_now())
    return TemplateResponse(request, "workflows/compare.html", {"page": page})


def _named(request: HttpRequest, letter: str) -> Workflow:
    try:
        return workflow_page.find(uuid.UUID(request.GET.get(letter, "")))
    except ValueError:
        raise Http404("Name two workflows to compare: ?a=…&b=…") from None
    except WorkflowNotFound as error:
        raise Http404(str(error)) from None
