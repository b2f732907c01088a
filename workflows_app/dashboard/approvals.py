"""Pages on approvals: those that wait for the reader, and one with its form."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from workflows_app.catalog.approvals import ASKED, NotAnApprover, decide
from workflows_app.dashboard import approvals_page, live, params_form
from workflows_app.dashboard.forms import Typed, user_of
from workflows_app.dialects.params import InvalidParams
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import NotAllowed, StepNotFound, WorkflowNotFound
from workflows_app.engine.report.find import the_step
from workflows_app.models import Step

MAX_REASON = 2_000


@login_required
@require_safe
@live.tagged(lambda request: str(request.user.pk))
def approvals(request: HttpRequest) -> HttpResponse:
    page = approvals_page.build(user_of(request), now=database_now())
    return live.respond(request, page="approvals/list.html", region="approvals/_list.html", context={"page": page})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def approval(request: HttpRequest, uid: uuid.UUID, step_id: str) -> HttpResponse:
    try:
        step = the_step(uid, step_id)
    except (WorkflowNotFound, StepNotFound) as error:
        raise Http404(str(error)) from None
    if request.method == "POST":
        return _decide(request, step, uid)
    if step.waits_for != Step.APPROVAL:
        return redirect(_workflow(step, uid))
    return _form(request, step)


def _form(request: HttpRequest, step: Step, typed: Typed | None = None, *, status: int = 200) -> HttpResponse:
    shown = approvals_page.approval(step, user_of(request), now=database_now(), typed=typed)
    context = {"approval": shown, "goes_back": request.POST.get("back", "")}
    return TemplateResponse(request, "approvals/one.html", context, status=status)


def _decide(request: HttpRequest, step: Step, uid: uuid.UUID) -> HttpResponse:
    form = step.metadata.get(ASKED, {}).get("form", {})
    data, reason = params_form.read(form, request.POST), request.POST.get("reason", "").replace("\0", "").strip()[:MAX_REASON]
    is_approved = request.POST.get("decision") == "approve"
    try:
        params_form.refuse_unread(data)
        decide(uid=uid, step_id=step.node_id, approved=is_approved, data=data, reason=reason, by=user_of(request), now=database_now())
    except InvalidParams as error:
        return _form(request, step, Typed(data, error.errors, reason), status=422)
    except NotAnApprover as error:
        return _form(request, step, Typed(data, {"": str(error)}, reason), status=403)
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{'Approved' if is_approved else 'Rejected'}: {_title(step)}")
    return redirect(_workflow(step, uid) if request.POST.get("back") == "workflow" else "dashboard:approvals")


def _title(step: Step) -> Any:
    return step.metadata.get(ASKED, {}).get("title") or step.node_id


def _workflow(step: Step, uid: uuid.UUID) -> str:
    return f"{reverse('dashboard:workflow', args=[uid])}?{urlencode({'step': step.node_id})}"
