"""What forms send: who sent it, and JSON that somebody typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from workflows_app.graph import strict_json

Json = Any


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody filled into a form made from a schema, and what was wrong with it, by field."""

    values: Mapping[str, Json]
    errors: Mapping[str, str]
    reason: str = ""


class NotJson(ValueError):
    """Text that is not JSON, or JSON that we do not keep; the message says where and why."""


def user_of(request: HttpRequest) -> User:
    """The reader, of a view that demands a login."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("the view lets people in who have not logged in")
    return user


def json_of(text: str) -> Json:
    """Raises NotJson."""
    try:
        return strict_json.loads(text)
    except (strict_json.Malformed, strict_json.Refused) as error:
        raise NotJson(str(error)) from None
