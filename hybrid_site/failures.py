"""The last answer, when a view raised what nobody expected or the database is away."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

INTERNAL = "Internal error; the server's log has the details."
RETRY_SECONDS = 2


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500, or 503 while the database is away; JSON for the API, a page for people."""
    is_api = request.resolver_match is not None and request.resolver_match.app_name == "ninja"
    if is_database_away(sys.exc_info()[1]):
        return _away(request, is_api=is_api)
    return JsonResponse({"detail": INTERNAL}, status=500) if is_api else defaults.server_error(request)


def is_database_away(error: BaseException | None) -> bool:
    """Whether it is, or came of, a database that refused, broke off or took too long."""
    return any(isinstance(found, OperationalError | InterfaceError) for found in chain(error))


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, as a traceback shows them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def away_words(method: str | None) -> str:
    """A connection may break between a commit and its answer: of what was sent to be changed nobody can say here what became of it."""
    if method in {"GET", "HEAD"}:
        return "The database does not answer. Try again in a moment."
    return (
        "The database does not answer: whether this was done is not certain. Look before you send it again; "
        "what starts a workflow may be sent again with the same Idempotency-Key."
    )


def may_be_repeated(request: HttpRequest) -> bool:
    """By a program that knows no more than this answer."""
    return request.method in {"GET", "HEAD"} or "Idempotency-Key" in request.headers


def _away(request: HttpRequest, *, is_api: bool) -> HttpResponseBase:
    """A page that was asked for asks again by itself; one that somebody sent a form to must not send it twice."""
    if is_api:
        response: HttpResponse = JsonResponse({"detail": away_words(request.method)}, status=503)
    else:
        is_asked_again = request.method in {"GET", "HEAD"}
        response = HttpResponse(render_to_string("503.html", {"seconds": RETRY_SECONDS if is_asked_again else None}), status=503)
    if may_be_repeated(request):
        response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response
