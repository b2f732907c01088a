"""The last answer, when a view raised what nobody expected or the database is away."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults

DATABASE_AWAY = "The database does not answer. Nothing was changed; try again in a moment."


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500, or 503 while the database is away; JSON for the API, a page for people."""
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status = 503 if is_away else 500
    if request.resolver_match and request.resolver_match.app_name == "ninja":
        detail = DATABASE_AWAY if is_away else "Internal error; the server's log has the details."
        return JsonResponse({"detail": detail}, status=status)
    page = defaults.server_error(request)
    page.status_code = status
    return page
