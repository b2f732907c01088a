"""Pages on templates: the list, and the form that starts a workflow."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_app.catalog import start as catalog
from workflows_app.catalog.templates import find_version
from workflows_app.dashboard import as_code, params_form, start_page, start_plan, start_values, templates_page
from workflows_app.dashboard.forms import user_of
from workflows_app.dashboard.start_values import Values
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.models import TemplateVersion

USED_FORM = {"": "This form already started a workflow with other parameters. Press Start once more to start another."}


@login_required
@require_safe
def templates(request: HttpRequest) -> TemplateResponse:
    page = templates_page.build(request.GET, now=database_now())
    return TemplateResponse(request, "templates/list.html", {"page": page})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Sent with `fill`, the form only comes back: in its other view, or with the fields of another version."""
    version = _version(slug, (request.POST if request.method == "POST" else request.GET).get("version", ""))
    if request.method != "POST":
        return _form(request, version)
    values = start_values.read(version.params_schema, request.POST)
    if wanted := request.POST.get("fill", ""):
        values = start_values.shown(values, as_json=wanted == "json" or (values.is_json and wanted != "form"))
        return _page(request, version, values, errors=_of_text(values), key=_key(request))
    return _start(request, version, values)


@login_required
@require_POST
def plan(request: HttpRequest, slug: str) -> TemplateResponse:
    """What will run, of the form as it is while somebody types."""
    version = _version(slug, request.POST.get("version", ""))
    values = start_values.read(version.params_schema, request.POST)
    found = start_plan.build(version, values.params, now=database_now())
    told = replace(found, errors=_of_text(values) or found.errors, is_json=values.is_json)
    return TemplateResponse(request, "templates/_plan.html", _context(request, version, values) | {"plan": told})


def _form(request: HttpRequest, version: TemplateVersion) -> HttpResponse:
    source = request.GET.get("from", "")
    earlier = start_values.earlier(version.template, source) if source else None
    values = Values(params_form.defaults(version.params_schema) if earlier is None else earlier.params)
    values = start_values.shown(values, as_json=request.GET.get("view") == "json")
    return _page(request, version, values, source_uid=str(earlier.uid) if earlier else "")


def _start(request: HttpRequest, version: TemplateVersion, values: Values) -> HttpResponse:
    if errors := _of_text(values):
        return _page(request, version, values, errors=errors, key=_key(request), status=422)
    number = None if version.pk == version.template.current_id else version.number
    try:
        params_form.refuse_unread(values.params)
        workflow = catalog.start_template(
            slug=version.template.slug, params=values.params, idempotency_key=_key(request) or None, now=database_now(), version=number,
            by=user_of(request),
        )  # fmt: skip
    except catalog.InvalidParams as error:
        return _page(request, version, values, errors=error.errors, key=_key(request), status=422)
    except IdempotencyConflict:
        return _page(request, version, values, errors=USED_FORM, status=422)
    return redirect("dashboard:workflow", workflow.uid)


def _page(
    request: HttpRequest, version: TemplateVersion, values: Values, *, errors: dict[str, str] | None = None, key: str = "",
    source_uid: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    page = start_page.build(version, values, now=database_now(), errors=errors, key=key, source_uid=source_uid)
    context = _context(request, version, values) | {"page": page, "plan": replace(page.plan, errors={}, is_json=values.is_json)}
    return TemplateResponse(request, "templates/start.html", context, status=status)


def _context(request: HttpRequest, version: TemplateVersion, values: Values) -> dict[str, object]:
    base_url, slug = request.build_absolute_uri("/").rstrip("/"), version.template.slug
    calls = {"curl": as_code.as_curl(slug, values.params, base_url), "python": as_code.as_python(slug, values.params, base_url)}
    return {**calls, "is_current": version.pk == version.template.current_id}


def _version(slug: str, number: str) -> TemplateVersion:
    try:
        return find_version(slug, int(number) if number.isascii() and number.isdigit() and len(number) < 9 else None)
    except catalog.UnknownTemplate as error:
        raise Http404(str(error)) from None


def _of_text(values: Values) -> dict[str, str]:
    return {"": values.error} if values.error else {}


def _key(request: HttpRequest) -> str:
    return request.POST.get("idempotency_key", "").replace("\0", "")[:200]
