"""Save, change and delete views of the workflow list."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from workflows_app.access import saved_views
from workflows_app.access.saved_views import ViewNotFound, ViewRefused
from workflows_app.dashboard.filters import of_text
from workflows_app.dashboard.forms import user_of
from workflows_app.engine.clock import database_now


@login_required
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    query, is_shared = _query(request.POST.get("query", "")), "shared" in request.POST
    try:
        view = saved_views.save(
            owner=user_of(request), name=request.POST.get("view-name", ""), query=query, is_shared=is_shared, now=database_now()
        )
    except ViewRefused as error:
        messages.error(request, f"The view was not saved. {error}.")
    else:
        messages.success(request, f"Saved as “{view.name}”: it stands above the list from now on.")
    return _to(query)


@login_required
@require_POST
def change(request: HttpRequest, key: int) -> HttpResponse:
    try:
        view = saved_views.change(
            owner=user_of(request), key=key, name=request.POST.get("view-name", ""), is_shared="shared" in request.POST
        )
    except ViewNotFound as error:
        raise Http404(str(error)) from None
    except ViewRefused as error:
        messages.error(request, f"The view was not changed. {error}.")
        return redirect("dashboard:workflows")
    messages.success(request, f"Saved as “{view.name}”.")
    return _to(view.query)


@login_required
@require_POST
def delete(request: HttpRequest, key: int) -> HttpResponse:
    try:
        name = saved_views.delete(owner=user_of(request), key=key)
    except ViewNotFound as error:
        raise Http404(str(error)) from None
    messages.success(request, f"The view “{name}” is gone; the workflows are not touched.")
    return redirect("dashboard:workflows")


def _query(text: str) -> str:
    """As the list writes it, so that only filters are kept."""
    return of_text(text).url().removeprefix("?")


def _to(query: str) -> HttpResponse:
    return redirect(f"{reverse('dashboard:workflows')}?{query}")
