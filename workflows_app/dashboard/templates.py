"""Pages on templates: the list, and the form that starts a workflow."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from workflows_app.catalog import start as catalog
from workflows_app.dashboard import params_form, start_page
from workflows_app.dashboard.forms import user_of
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.models import Template

USED_FORM = {"": "This form already started a workflow with other parameters. Press Start once more to start another."}


@login_required
@require_safe
def templates(request: HttpRequest) -> TemplateResponse:
    found = Template.objects.published().select_related("current__definition").defer("current__source", "current__definition__body")
    return TemplateResponse(request, "templates/list.html", {"templates": found.order_by("slug")})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Template.objects.published().select_related("current"), slug=slug)
    return _start(request, found) if request.method == "POST" else _form(request, found)


def _form(request: HttpRequest, template: Template) -> HttpResponse:
    source_uid = request.GET.get("from", "")
    earlier = start_page.params_of(source_uid) if source_uid else None
    values = params_form.defaults(template.current.params_schema) if earlier is None else earlier  # type: ignore[union-attr]
    page = start_page.build(template, values=values, source_uid=source_uid if earlier is not None else "")
    return TemplateResponse(request, "templates/start.html", {"page": page})


def _start(request: HttpRequest, template: Template) -> HttpResponse:
    params = params_form.read(template.current.params_schema, request.POST)  # type: ignore[union-attr]
    key = request.POST.get("idempotency_key", "")[:200]
    try:
        params_form.refuse_unread(params)
        workflow = catalog.start_template(
            slug=template.slug, params=params, idempotency_key=key or None, now=database_now(), by=user_of(request)
        )
    except catalog.InvalidParams as error:
        page = start_page.build(template, values=params, errors=error.errors, key=key)
    except IdempotencyConflict:
        page = start_page.build(template, values=params, errors=USED_FORM)
    else:
        return redirect("dashboard:workflow", workflow.uid)
    return TemplateResponse(request, "templates/start.html", {"page": page}, status=422)
