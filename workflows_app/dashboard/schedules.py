"""Pages on schedules: the list, a new one, one of them, and what its buttons do."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_app.catalog import schedules as catalog
from workflows_app.catalog import templates as catalog_templates
from workflows_app.dashboard import live, params_form, schedule_form, schedules_page
from workflows_app.dashboard.forms import user_of
from workflows_app.dashboard.schedule_form import Typed
from workflows_app.dialects.params import InvalidParams
from workflows_app.engine import cron
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import NotAllowed
from workflows_app.models import Schedule, Template


@login_required
@require_safe
@live.tagged(lambda request: f"{schedules_page.tag()}-{request.GET.urlencode()}")
def schedules(request: HttpRequest) -> HttpResponse:
    page = schedules_page.build(request.GET, now=database_now())
    return live.respond(request, page="schedules/list.html", region="schedules/_list.html", context={"page": page})


@login_required
@require_safe
def preview(request: HttpRequest) -> TemplateResponse:
    """What the form shows while somebody types."""
    found = schedule_form.preview(request.GET.get("cron", "")[:200], request.GET.get("timezone", "")[:100], now=database_now())
    return TemplateResponse(request, "schedules/_preview.html", {"preview": found})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    slug = request.POST.get("template") or request.GET.get("template", "")
    if not slug:
        return TemplateResponse(request, "schedules/choose.html", {"templates": Template.objects.published().order_by("slug")})
    template = _template(slug)
    if request.method == "POST":
        return _created(request, template)
    return _new(request, template, schedule_form.like(template, request.GET.get("from", "")))


def _created(request: HttpRequest, template: Template) -> HttpResponse:
    """A form that comes from the start page, or that only wants to see the next times, is shown as it was sent."""
    typed = schedule_form.posted(template, request.POST)
    if "fill" in request.POST:
        return _new(request, template, typed)
    if typed.params_errors:
        return _new(request, template, typed, status=422)
    try:
        params_form.refuse_unread(typed.params)
        row = catalog.create(template=template.slug, params=typed.params, by=user_of(request), now=database_now(), **typed.values)
    except (catalog.InvalidSchedule, catalog.ScheduleNameTaken, InvalidParams) as error:
        return _new(request, template, _with_errors(typed, error), status=422)
    messages.success(request, f"The schedule “{row.name}” is made.")
    return redirect("dashboard:schedule", row.uid)


def _new(request: HttpRequest, template: Template, typed: Typed, *, status: int = 200) -> HttpResponse:
    form = schedule_form.build(template, typed, now=database_now())
    return TemplateResponse(request, "schedules/new.html", {"form": form, **_choices()}, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    return _changed(request, uid) if request.method == "POST" else _seen(request, uid=uid)


@live.tagged(lambda request, uid: schedules_page.tag())
def _seen(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    row = _find(uid)
    return _shown(request, row, schedule_form.of(row))


def _changed(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    row = _find(uid)
    typed = schedule_form.posted(row.template, request.POST)
    if "fill" in request.POST:
        return _shown(request, row, typed)
    if typed.params_errors:
        return _shown(request, row, typed, status=422)
    try:
        params_form.refuse_unread(typed.params)
        catalog.update(uid=uid, now=database_now(), params=typed.params, **typed.values)
    except (catalog.InvalidSchedule, catalog.ScheduleNameTaken, InvalidParams) as error:
        return _shown(request, row, _with_errors(typed, error), status=422)
    messages.success(request, "The schedule is changed.")
    return redirect("dashboard:schedule", uid)


def _shown(request: HttpRequest, row: Schedule, typed: Typed, *, status: int = 200) -> HttpResponse:
    now = database_now()
    context = {"page": schedules_page.page_of(row, now=now), "form": schedule_form.build(row.template, typed, now=now), **_choices()}
    return live.respond(request, page="schedules/one.html", region="schedules/_one.html", context=context, status=status)


@login_required
@require_POST
def act(request: HttpRequest, uid: uuid.UUID, verb: str) -> HttpResponse:
    if verb not in ACTS:
        raise Http404(f"There is no verb {verb!r}")
    row = _find(uid)
    try:
        return ACTS[verb](request, row)
    except catalog.ScheduleNotFound as error:
        raise Http404(str(error)) from None
    except (NotAllowed, InvalidParams, catalog.InvalidSchedule) as error:
        messages.error(request, str(error))
        return redirect("dashboard:schedule", uid)


def _pause(request: HttpRequest, row: Schedule) -> HttpResponse:
    catalog.pause(uid=row.uid, now=database_now())
    return _back(request, row)


def _resume(request: HttpRequest, row: Schedule) -> HttpResponse:
    catalog.resume(uid=row.uid, now=database_now())
    return _back(request, row)


def _run(request: HttpRequest, row: Schedule) -> HttpResponse:
    return redirect("dashboard:workflow", catalog.run_now(uid=row.uid, by=user_of(request), now=database_now()).uid)


def _delete(request: HttpRequest, row: Schedule) -> HttpResponse:
    catalog.delete(uid=row.uid)
    messages.success(request, f"The schedule “{row.name}” is deleted; its workflows stay.")
    return redirect("dashboard:schedules")


ACTS = {"pause": _pause, "resume": _resume, "run": _run, "delete": _delete}


def _back(request: HttpRequest, row: Schedule) -> HttpResponse:
    return redirect("dashboard:schedules") if request.POST.get("back") == "list" else redirect("dashboard:schedule", row.uid)


def _find(uid: uuid.UUID) -> Schedule:
    try:
        return catalog.find(uid)
    except catalog.ScheduleNotFound as error:
        raise Http404(str(error)) from None


def _template(slug: str) -> Template:
    try:
        return catalog_templates.find(slug.replace("\0", "")[:100])
    except catalog_templates.UnknownTemplate as error:
        raise Http404(str(error)) from None


def _with_errors(typed: Typed, error: Exception) -> Typed:
    if isinstance(error, InvalidParams):
        return Typed(typed.values, typed.params, params_errors=error.errors)
    if isinstance(error, catalog.InvalidSchedule):
        return Typed(typed.values, typed.params, errors=error.errors)
    return Typed(typed.values, typed.params, errors={"name": str(error)})


def _choices() -> dict[str, object]:
    return {"zones": cron.zones(), "examples": schedule_form.EXAMPLES}
