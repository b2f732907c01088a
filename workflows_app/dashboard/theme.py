"""The theme a reader chose: auto, light or dark, kept in a cookie so that the first paint is right without a script."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

THEMES = ("auto", "light", "dark")
ONE_YEAR_SECONDS = 365 * 24 * 3600


@login_not_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    theme = request.POST.get("theme", "auto")
    response = HttpResponseRedirect(_back(request))
    if theme in THEMES:
        response.set_cookie("theme", theme, max_age=ONE_YEAR_SECONDS, samesite="Lax", secure=request.is_secure())
    return response


def _back(request: HttpRequest) -> str:
    """Where the reader came from; another host's address is not followed."""
    back = request.POST.get("next", "")
    return back if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}) else "/"
