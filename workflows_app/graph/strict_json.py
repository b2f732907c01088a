"""JSON as we take it: no NaN, no NUL, not deep (RFC 8259)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

Json = Any
MAX_DEPTH = 64
UNFIT_FOR_TEXT = re.compile("[\0\ud800-\udfff]")


class Malformed(ValueError):
    """Text that is not JSON."""


class Refused(ValueError):
    """JSON, but not of the kind we keep."""


def loads(text: str | bytes) -> Json:
    """Raises Malformed or Refused."""
    value = decode(text)
    _check(value)
    return value


def decode(text: str | bytes, *, max_depth: int = MAX_DEPTH) -> Json:
    """The value, of which depth and characters are still to be checked. Raises Malformed or Refused."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise too_deep(max_depth) from None
    except Refused:
        raise
    except json.JSONDecodeError as error:
        raise Malformed(f"This is not JSON: {error.msg}, in line {error.lineno}, column {error.colno}") from None
    except ValueError as error:
        raise Malformed(f"This is not JSON: {error}") from None


def is_plain(text: str) -> bool:
    """Whether a database can keep this text: no NUL, no half of a surrogate pair."""
    return UNFIT_FOR_TEXT.search(text) is None


def not_plain() -> Refused:
    return Refused("Text must not contain the character NUL or half of a surrogate pair")


def too_deep(most: int = MAX_DEPTH) -> Refused:
    return Refused(f"JSON may be nested {most} levels deep at most")


def _check(value: Json) -> None:
    """Level by level, so that depth is counted without recursion."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH + 1:
            raise too_deep()
        if any(isinstance(item, str) and not is_plain(item) for item in _texts(level)):
            raise not_plain()
        level = [child for item in level for child in _children(item)]


def _texts(level: list[Json]) -> Iterator[Json]:
    for item in level:
        yield from item if isinstance(item, dict) else (item,)


def _children(item: Json) -> Iterator[Json]:
    if isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, list):
        yield from item


def _refuse_constant(name: str) -> NoReturn:
    raise Refused(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Refused(f"The number {text[:40]} is too large")
    return number
