"""One action on the workflows that are ticked in the list, or on all that match: asked first, then done."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from workflows_app.dashboard import bulk_page, snapshot
from workflows_app.dashboard.filters import of_text
from workflows_app.dashboard.snapshot import Changed
from workflows_app.engine.clock import database_now
from workflows_app.models import Workflow


@login_required
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """A few ticked ones are done at once; more, and all that match, are asked about."""
    verb = _verb(request.POST.get("verb", ""), "curl")
    try:
        ids = _selected(request)
    except Changed as error:
        return _changed(request, error)
    if not ids:
        messages.error(request, "Nothing was ticked, so nothing was done. Tick the workflows first.")
        return redirect(_back(request))
    if verb == "curl":
        return _page(request, "workflows/bulk_calls.html", bulk_page.calls(ids, back=_back(request), base_url=_base(request)))
    is_asked = verb == "delete" or "all" in request.POST or len(ids) > bulk_page.TYPED_ABOVE
    return _ask(request, verb, ids) if is_asked else _perform(request, verb, ids)


@login_required
@require_POST
def confirmed(request: HttpRequest) -> HttpResponse:
    """What was asked, and nothing else: whatever matched since then is not among it."""
    try:
        verb, ids = snapshot.confirmed(request.POST.get("asked", ""))
    except Changed as error:
        return _changed(request, error)
    if len(ids) > bulk_page.TYPED_ABOVE and request.POST.get("typed", "").replace(",", "").strip() != str(len(ids)):
        return _ask(request, verb, ids, problem=f"Type {len(ids)} to go on. Nothing was done yet.", status=422)
    return _perform(request, _verb(verb), ids)


def _ask(request: HttpRequest, verb: str, ids: Sequence[int], *, problem: str = "", status: int = 200) -> HttpResponse:
    question = bulk_page.question(verb, ids, back=_back(request), base_url=_base(request), problem=problem)
    if not question.count:
        messages.error(request, f"Nothing to {question.deed.word.lower()}. {question.others}")
        return redirect(question.back)
    return _page(request, "workflows/bulk.html", question, status=status)


def _perform(request: HttpRequest, verb: str, ids: Sequence[int]) -> HttpResponse:
    outcome = bulk_page.DEEDS[verb].perform(ids, now=database_now())
    for level, words in bulk_page.told(verb, outcome):
        messages.add_message(request, messages.SUCCESS if level == "success" else messages.ERROR, words)
    return redirect(_back(request))


def _changed(request: HttpRequest, error: Changed) -> TemplateResponse:
    context = {"reason": str(error), "back": _back(request)}
    return TemplateResponse(request, "workflows/bulk_changed.html", context, status=409)


def _page(request: HttpRequest, template: str, page: object, *, status: int = 200) -> TemplateResponse:
    return TemplateResponse(request, template, {"page": page}, status=status)


def _selected(request: HttpRequest) -> list[int]:
    """All that match, as they were shown, or those that are ticked: newest first, whatever the order of the ticks. Raises Changed."""
    if "all" in request.POST:
        return snapshot.ids_of(request.POST.get("shown", ""), now=database_now())
    uids = [uid for text in request.POST.getlist("workflow")[: snapshot.MOST] if (uid := _uid(text))]
    return list(Workflow.objects.filter(uid__in=uids).order_by("-id").values_list("pk", flat=True))


def _uid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _verb(word: str, *others: str) -> str:
    if word not in (*bulk_page.DEEDS, *others):
        raise Http404(f"There is no action {word!r} on workflows")
    return word


def _back(request: HttpRequest) -> str:
    """The list with its filters, read anew: nothing else is led to."""
    return reverse("dashboard:workflows") + of_text(request.POST.get("query", "")).url()


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")
