"""What forms send: who sent it, and JSON that somebody typed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from django.contrib.auth.models import User
from django.http import HttpRequest

Json = Any
MAX_DEPTH = 64
UNFIT_FOR_TEXT = re.compile("[\0\ud800-\udfff]")


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
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise NotJson(f"This is not JSON: {error.msg}, in line {error.lineno}, column {error.colno}") from None
    except ValueError as error:
        raise NotJson(f"This is not JSON: {error}") from None
    except RecursionError:
        raise NotJson("This is nested too deep") from None
    _check(value, 0)
    return value


def _check(value: Json, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotJson(f"JSON may be nested {MAX_DEPTH} levels deep at most")
    if isinstance(value, str) and UNFIT_FOR_TEXT.search(value):
        raise NotJson("Text must not contain the character NUL or half of a surrogate pair")
    for part in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check(part, depth + 1)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number
