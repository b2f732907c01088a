"""JSON as we take it: no NaN, no NUL, not deep, not large (RFC 8259; limits in SECURITY of docs/architecture.md)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.errors import HttpError

Json = Any
MAX_DEPTH = 64
UNFIT_FOR_TEXT = re.compile("[\0\ud800-\udfff]")


class Malformed(ValueError):
    """Text that is not JSON."""


class Refused(ValueError):
    """JSON, but not of the kind we keep."""


def read(request: HttpRequest) -> Json:
    """The body; None when there is none, whatever the content type says. Raises Malformed, Refused, RequestDataTooBig."""
    body = whole(request)
    return loads(body) if body.strip() else None


def text(request: HttpRequest) -> str:
    """The body as text of any kind. Raises Malformed, Refused, RequestDataTooBig."""
    try:
        found = whole(request).decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"This is not text in UTF-8: {error}") from None
    if not is_plain(found):
        raise _not_plain()
    return found


def whole(request: HttpRequest) -> bytes:
    """Every byte of the body. Raises Malformed, RequestDataTooBig."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower() and not request.META.get("CONTENT_LENGTH"):
        raise HttpError(411, "Send the body with a Content-Length; chunked bodies are not read.")
    if len(request.body) < int(request.META.get("CONTENT_LENGTH") or 0):
        raise Malformed("The body ended before its Content-Length: it was cut off on the way")
    return request.body


def loads(text: str | bytes) -> Json:
    """Raises Malformed or Refused."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise _too_deep() from None
    except Refused:
        raise
    except ValueError as error:
        raise Malformed(f"This is not JSON: {error}") from None
    _check(value)
    return value


def is_plain(text: str) -> bool:
    """Whether a database can keep this text: no NUL, no half of a surrogate pair."""
    return UNFIT_FOR_TEXT.search(text) is None


def _check(value: Json) -> None:
    """Level by level, so that depth is counted without recursion."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH + 1:
            raise _too_deep()
        if any(isinstance(item, str) and not is_plain(item) for item in _texts(level)):
            raise _not_plain()
        level = [child for item in level for child in _children(item)]


def _texts(level: list[Json]) -> Iterator[Json]:
    for item in level:
        yield from item if isinstance(item, dict) else (item,)


def _children(item: Json) -> Iterator[Json]:
    if isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, list):
        yield from item


def _not_plain() -> Refused:
    return Refused("Text must not contain the character NUL or half of a surrogate pair")


def _too_deep() -> Refused:
    return Refused(f"JSON may be nested {MAX_DEPTH} levels deep at most")


def _refuse_constant(name: str) -> NoReturn:
    raise Refused(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Refused(f"The number {text[:40]} is too large")
    return number
