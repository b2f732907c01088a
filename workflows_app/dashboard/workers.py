"""The page on workers and the queue, and its buttons: drain a worker, pause the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from workflows_app.dashboard import live, workers_page
from workflows_app.dashboard.forms import user_of
from workflows_app.dashboard.looks import plural
from workflows_app.engine import draining, pausing
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import NotAllowed
from workflows_app.models import Worker

PAGE = "dashboard:workers"


@login_required
@require_safe
@live.tagged(lambda request: workers_page.tag(database_now()))
def workers(request: HttpRequest) -> TemplateResponse:
    page = workers_page.build(now=database_now())
    return live.respond(request, page="workers/list.html", region="workers/_list.html", context={"page": page})


@login_required
@require_POST
def act(request: HttpRequest, worker_id: str, verb: str) -> HttpResponse:
    if verb not in VERBS:
        raise Http404(f"There is no action {verb!r} on a worker")
    try:
        found = draining.find([worker_id], now=database_now())
    except draining.NoSuchWorker as error:
        messages.error(request, str(error))
    else:
        messages.success(request, VERBS[verb](found[0]))
    return redirect(PAGE)


def _drain(worker: Worker) -> str:
    draining.request([worker], now=database_now())
    return f"Worker {worker.id[:8]} drains: it finishes {plural(draining.held_by([worker]), 'step')} and takes no more."


def _undo(worker: Worker) -> str:
    draining.cancel([worker])
    return f"Worker {worker.id[:8]} takes steps again."


VERBS: Mapping[str, Callable[[Worker], str]] = {"drain": _drain, "undo-drain": _undo}


@login_required
@require_POST
def act_on_queue(request: HttpRequest, verb: str) -> HttpResponse:
    if verb not in QUEUE_VERBS:
        raise Http404(f"There is no action {verb!r} on the queue")
    try:
        messages.success(request, QUEUE_VERBS[verb](request))
    except NotAllowed as error:
        messages.error(request, str(error))
    return redirect(PAGE)


def _pause(request: HttpRequest) -> str:
    pausing.pause(by=user_of(request), reason=request.POST.get("reason", "").replace("\0", ""), now=database_now())
    return "The queue is paused: no step starts, what runs goes on."


def _resume(request: HttpRequest) -> str:
    pausing.resume(by=user_of(request))
    return "The queue goes on: what is due starts now."


QUEUE_VERBS: Mapping[str, Callable[[HttpRequest], str]] = {"pause": _pause, "resume": _resume}
