"""Who calls: a token, a session with its CSRF check, or the local user of local mode."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponseBase
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer, SessionAuth

from workflows_app.access import tokens
from workflows_app.engine.clock import database_now

View = Callable[..., HttpResponseBase]


class Token(HttpBearer):
    """A token that is sent must be good: it never falls back to the session."""

    def authenticate(self, request: HttpRequest, token: str) -> User:
        user = tokens.authenticate(secret=token.strip(), now=database_now())
        if user is None:
            raise AuthenticationError(message="The token is unknown, expired, or its user is not active.")
        request.user = user
        return user


class Session(SessionAuth):
    """Django's session. The local user has none, and needs no CSRF token: local mode refuses what other sites send."""

    def __call__(self, request: HttpRequest) -> Any:
        return request.user if is_local(request) else super().__call__(request)


AUTH = [Token(), Session()]


def is_local(request: HttpRequest) -> bool:
    return getattr(request, "is_local", False)


def is_known(request: HttpRequest) -> bool:
    """Whether a good token, a session or local mode stands behind a request to an open operation; never raises."""
    try:
        return is_local(request) or bool(Token()(request)) or request.user.is_authenticated
    except (AuthenticationError, DatabaseError, InterfaceError):
        return False


def caller(request: HttpRequest) -> User:
    """Who passed one of AUTH."""
    return request.auth  # type: ignore[attr-defined, no-any-return]


def for_callers(view: View) -> View:
    """For the documentation pages, which are no operations: send strangers to the login."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if is_known(request) else redirect_to_login(request.get_full_path())

    return guarded
