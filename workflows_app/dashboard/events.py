"""Pages on events: the list with a form to send one, and one event."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from workflows_app.catalog.events import receive
from workflows_app.dashboard import events_page, live
from workflows_app.dashboard.forms import NotJson, json_of, user_of
from workflows_app.engine.clock import database_now
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.engine.report.events import EventNotFound
from workflows_app.models import Event

EXAMPLE = '{\n  "lead": {"source": "LinkedIn", "score": 90, "title": "CEO"}\n}'
MAX_SOURCE, MAX_KEY = 100, 255


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed, and what is wrong with it, by field."""

    payload: str = EXAMPLE
    source: str = ""
    key: str = ""
    payload_error: str = ""
    key_error: str = ""

    @property
    def is_refused(self) -> bool:
        return bool(self.payload_error or self.key_error)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def events(request: HttpRequest) -> HttpResponse:
    return _send(request) if request.method == "POST" else _shown(request)


@live.tagged(lambda request: events_page.tag())
def _shown(request: HttpRequest) -> HttpResponse:
    return _list(request, Form())


@login_required
@require_safe
@live.tagged(lambda request, uid: events_page.tag())
def event(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    try:
        page = events_page.event_page(uid, now=database_now())
    except EventNotFound as error:
        raise Http404(str(error)) from None
    return live.respond(request, page="events/detail.html", region="events/_detail.html", context={"page": page})


def _list(request: HttpRequest, form: Form) -> HttpResponse:
    page = events_page.build(events_page.filters_of(request.GET), now=database_now())
    context = {"page": page, "form": form}
    status = 422 if form.is_refused else 200
    return live.respond(request, page="events/list.html", region="events/_list.html", context=context, status=status)


def _send(request: HttpRequest) -> HttpResponse:
    source, key = _short(request, "source", MAX_SOURCE), _short(request, "key", MAX_KEY)
    typed = {"payload": request.POST.get("payload", ""), "source": source, "key": key}
    try:
        sent = _received(request, **typed)
    except NotJson as error:
        return _list(request, Form(**typed, payload_error=str(error)))
    except IdempotencyConflict as error:
        return _list(request, Form(**typed, key_error=str(error)))
    return redirect("dashboard:event", sent.uid)


def _received(request: HttpRequest, *, payload: str, source: str, key: str) -> Event:
    return receive(payload=json_of(payload), source=source, idempotency_key=key or None, by=user_of(request), now=database_now())


def _short(request: HttpRequest, name: str, most: int) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:most]
