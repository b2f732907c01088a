"""Regular expressions of authors, decided in linear time: the Rust engine inside pydantic never backtracks."""

from __future__ import annotations

import re
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\s*(?P<least>\d+)\s*(?:,\s*(?P<most>\d*)\s*)?\}|.", re.DOTALL)
_CLASS_WEIGHT = 5


class BadPattern(ValueError):
    """The engine does not take this pattern; the message says why."""


def search(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere in the text. Raises BadPattern."""
    return _compiled(pattern).isinstance_python(text)


@lru_cache(maxsize=256)
def weight(pattern: str) -> int:
    """About how many states the pattern has, its repetitions written out; a search takes at most this times the length of the text."""
    groups, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        if token["least"]:
            last, more = _repeated(last, token), last
            groups[-1] += last - more
        elif token[0] == "(":
            groups.append(0)
        elif token[0] == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        else:
            last = 1 if len(token[0]) == 1 and token[0] != "." else _CLASS_WEIGHT
            groups[-1] += last
    return sum(groups)


def _repeated(size: int, token: re.Match[str]) -> int:
    times = [int(digits[:9]) for digits in (token["least"], token["most"]) if digits]
    return size * max(1, *times)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> SchemaValidator:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError as error:
        raise BadPattern(str(error).strip().rpartition("\n")[2].removeprefix("error: ").rpartition("SchemaError: ")[2]) from None
