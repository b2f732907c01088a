"""Pages for what went wrong: what happened, why, and what to do next, in plain words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse

View = Callable[[HttpRequest], HttpResponseBase]
FOR_PROGRAMS = {"ninja", "api", "v1", "demo"}


@dataclass(frozen=True, slots=True)
class Error:
    """`choices` are buttons: `(words, URL)`, the likeliest first."""

    status: int
    title: str
    what: str
    next: str
    why: str = ""
    choices: tuple[tuple[str, str], ...] = ()


def page(request: HttpRequest, error: Error) -> HttpResponse:
    """For views that refuse: `return errors.page(request, errors.conflict(…))`."""
    choices = error.choices or (("All workflows", reverse("dashboard:workflows")),)
    shown = Error(error.status, error.title, error.what, error.next, error.why, choices)
    return HttpResponse(render_to_string("error.html", {"error": shown}, request=request), status=error.status)


def conflict(what: str, *, next: str, why: str = "", choices: tuple[tuple[str, str], ...] = ()) -> Error:
    """It cannot be done as things are now."""
    return Error(409, "Something changed meanwhile", what, next, why, choices)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 400, of which a form that is too large is one."""
    return page(request, TOO_LARGE if isinstance(exception, TOO_MUCH) else BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return page(request, Error(403, FORBIDDEN.title, str(exception or "") or FORBIDDEN.what, FORBIDDEN.next))


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF failure. Its reason is for developers."""
    return page(request, STALE_FORM)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    choices = (("All workflows", reverse("dashboard:workflows")), ("Templates", reverse("dashboard:templates")))
    return page(request, Error(404, NOT_FOUND.title, NOT_FOUND.what, NOT_FOUND.next, NOT_FOUND.why, choices))


class InPlainWords:
    """Gives words to refusals that Django answers without any: the method that an address does not know, the character that no
    database takes."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code != WRONG_METHOD.status or _is_for_programs(request) or getattr(response, "content", None):
            return response
        told = page(request, WRONG_METHOD)
        told.headers["Allow"] = response.headers.get("Allow", "")
        return told

    def process_view(self, request: HttpRequest, view: View, args: object, kwargs: object) -> HttpResponse | None:
        """Whatever an address names is looked for, and PostgreSQL fails at a NUL instead of finding nothing."""
        return page(request, BAD_REQUEST) if _has_nul(request) and not _is_for_programs(request) else None


def _has_nul(request: HttpRequest) -> bool:
    query = request.META.get("QUERY_STRING", "")
    return "\0" in request.path or "%00" in query or "\0" in query


def _is_for_programs(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and not FOR_PROGRAMS.isdisjoint(match.app_names)


TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
BAD_REQUEST = Error(
    400, "This request makes no sense to the server", "Nothing was changed.", "Go back, reload the page and try again.",
    "What the browser sent was incomplete or damaged on its way.",
)  # fmt: skip
FORBIDDEN = Error(
    403, "You may not do this", "Your account lacks the permission. Nothing was changed.",
    "Ask an administrator for it, or log in with another account.",
)  # fmt: skip
STALE_FORM = Error(
    403, "This form is out of date", "Nothing was changed.", "Go back, reload the page and send it again.",
    "It was opened before you logged in or out, or your browser sends no cookies.",
)  # fmt: skip
NOT_FOUND = Error(
    404, "There is nothing here", "The address leads to nothing.", "Look for it in the lists, or with Ctrl-K.",
    "It may be mistyped, or what it named was deleted: ended workflows go after their time of retention.",
)  # fmt: skip
WRONG_METHOD = Error(
    405, "This address is not a page", "Nothing was changed.", "Go back and use the button again.",
    "It belongs to a button or a form, and does nothing when it is opened like a page.",
)  # fmt: skip
TOO_LARGE = Error(
    413, "This is too large", "Nothing was changed.", "Send less at once, or raise the limit MAX_BODY_BYTES.",
    "The form holds more than the server takes in one request.",
)  # fmt: skip
