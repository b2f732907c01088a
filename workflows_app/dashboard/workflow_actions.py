"""The buttons on a workflow: each is a POST that calls one verb of the engine and leads back to the page."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from workflows_app.dashboard.forms import user_of
from workflows_app.dashboard.steps_view import View
from workflows_app.engine import control
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import NotAllowed, StepNotFound, WorkflowNotFound
from workflows_app.models import Workflow

Verb = Callable[[uuid.UUID, HttpRequest], Workflow | None]


def _stop(uid: uuid.UUID, request: HttpRequest) -> None:
    control.stop(uid=uid, now=database_now())


def _resume(uid: uuid.UUID, request: HttpRequest) -> None:
    control.resume(uid=uid, now=database_now())


def _retry(uid: uuid.UUID, request: HttpRequest) -> None:
    control.retry(uid=uid, from_step=request.POST.get("from_step") or None, now=database_now())


def _rerun(uid: uuid.UUID, request: HttpRequest) -> Workflow:
    return control.rerun(uid=uid, now=database_now(), by=user_of(request))


VERBS: Mapping[str, tuple[Verb, str]] = {
    "stop": (_stop, "Stopped: nothing of it starts any more."),
    "resume": (_resume, "Resumed: it goes on where it stopped."),
    "retry": (_retry, "Tried again: what is done stays done."),
    "rerun": (_rerun, "This is a new workflow with the same parameters."),
}


@login_required
@require_POST
def act(request: HttpRequest, uid: uuid.UUID, verb: str) -> HttpResponse:
    if verb not in VERBS:
        raise Http404(f"There is no action {verb!r} on a workflow")
    perform, done = VERBS[verb]
    try:
        new = perform(uid, request)
    except (WorkflowNotFound, StepNotFound) as error:
        raise Http404(str(error)) from None
    except NotAllowed as error:
        messages.error(request, str(error))
        return _back(request, uid)
    messages.success(request, done)
    return redirect("dashboard:workflow", new.uid) if new else _back(request, uid)


def _back(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """To what was shown: the view and the selected step, without the place in a log that goes on."""
    view = View.from_query(QueryDict(request.POST.get("back", "").removeprefix("?")))
    return redirect(f"{reverse('dashboard:workflow', args=[uid])}{view.log_url().removesuffix('?')}")
