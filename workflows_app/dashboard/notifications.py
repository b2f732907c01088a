"""Pages on notifications: the list, and marking as read."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from workflows_app.access import notifications as access
from workflows_app.dashboard import live, notifications_page
from workflows_app.dashboard.forms import user_of
from workflows_app.engine.clock import database_now


@login_required
@require_safe
@live.tagged(lambda request: f"{request.user.pk}-{request.GET.urlencode()}")
def notifications(request: HttpRequest) -> HttpResponse:
    return _list(request)


@login_required
@require_POST
def read(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    try:
        access.mark_read(user=user_of(request), uid=uid, now=database_now())
    except access.NotificationNotFound as error:
        raise Http404(str(error)) from None
    return _back(request)


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    access.mark_all_read(user=user_of(request), now=database_now())
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """The list as it was, at once where htmx asks, else by a redirect."""
    if live.wants_region(request):
        return _list(request)
    query = request.GET.urlencode()
    return redirect(reverse("dashboard:notifications") + (f"?{query}" if query else ""))


def _list(request: HttpRequest) -> HttpResponse:
    page = notifications_page.build(user_of(request), request.GET, now=database_now())
    return live.respond(request, page="notifications/list.html", region="notifications/_list.html", context={"page": page})
