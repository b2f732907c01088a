"""Following a path (`fetch.output.rows[0]`) into JSON, and saying what was there when it leads nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from workflows_app.graph.names import did_you_mean
from workflows_app.graph.syntax import Path

Json = Any
MISSING: Final = object()


def find(path: Path, names: Mapping[str, Json]) -> Json:
    """What a path leads to, or MISSING."""
    value: Json = names
    for segment in path:
        value = _child(value, segment)
        if value is MISSING:
            return MISSING
    return value


def _child(value: Json, segment: str | int) -> Json:
    if isinstance(value, Mapping):
        return value.get(str(segment), MISSING)
    if isinstance(value, list) and (isinstance(segment, int) or segment.isdecimal()):
        index = int(segment)
        return value[index] if -len(value) <= index < len(value) else MISSING
    return MISSING


def explain(path: Path, names: Mapping[str, Json]) -> str:
    """Why a path leads nowhere: how far it led, and what was there."""
    value: Json = names
    for depth, segment in enumerate(path):
        child = _child(value, segment)
        if child is MISSING:
            return _dead_end(path, depth, value)
        value = child
    raise AssertionError(f"{write(path)} exists")


def _dead_end(path: Path, depth: int, value: Json) -> str:
    wanted = str(path[depth])
    hint = " (for a subtraction put blanks around the `-`)" if "-" in wanted else ""
    if depth == 0:
        return f"`{write(path)}`: there is no `{wanted}`; there are: {_listing(value)}{did_you_mean(wanted, value)}{hint}"
    if path[:depth] == ("secrets",):
        return f"the secret `{wanted}` is not stored, or with a key that is gone: `manage.py secrets set {wanted}`, or Secrets in the admin"
    here = f"`{write(path)}`: `{write(path[:depth])}`"
    if isinstance(value, Mapping):
        return f"{here} has no `{wanted}`; it has: {_listing(value)}{did_you_mean(wanted, map(str, value))}{hint}"
    if isinstance(value, list):
        return f"{here} is a list of {len(value)}, there is no `{wanted}` in it"
    return f"{here} is {kind(value)} and has no `{wanted}`"


def _listing(keys: Iterable[Any]) -> str:
    known = sorted(map(str, keys))
    return ", ".join(known[:12]) + (", ..." if len(known) > 12 else "") if known else "nothing"


def write(path: Path) -> str:
    """The path as an author writes it."""
    first, *rest = path
    return str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)


def kind(value: Json) -> str:
    """The JSON type of a value, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    table = ((int | float, "a number"), (str, "a text"), (list | tuple, "a list"), (Mapping, "an object"))
    return next((words for types, words in table if isinstance(value, types)), type(value).__name__)
