"""Reading YAML or JSON that a stranger wrote: data only, no aliases or tags, limited in size and depth, positions kept."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from workflows_app.dialects import yaml_events
from workflows_app.dialects.yaml_events import MAX_DEPTH, Position
from workflows_app.graph.problems import DefinitionError, Problem
from workflows_app.graph.weight import weigh

Json = Any
MAX_BYTES = 1_000_000
PLAIN = {str, int, bool, type(None)}  # always fine, and most of a large document
_TOO_LARGE = Problem(f"the definition is larger than {MAX_BYTES:,} bytes")


@dataclass(slots=True)
class Source:
    """A value and where each part of it stands in the text, by path (`steps[3].needs`)."""

    value: Json
    text: str = ""
    positions: Mapping[str, Position] | None = field(default=None)

    def position(self, path: str) -> Position | None:
        """Line and column (from 1) of a path, or of the nearest part around it."""
        if self.positions is None:
            self.positions = _positions(self.text)
        while path and path not in self.positions:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.positions.get(path)

    def placed(self, problem: Problem) -> Problem:
        """The problem with its line and column."""
        line, column = self.position(problem.path) or (problem.line, problem.column)
        return Problem(problem.message, path=problem.path, node=problem.node, line=line, column=column)


def read(source: str | Mapping[str, Json]) -> Source:
    """The source as plain JSON data. Raises DefinitionError, with the line where there is one."""
    if isinstance(source, str):
        return _read_text(source)
    if weigh(source, MAX_BYTES) > MAX_BYTES:
        raise DefinitionError([_TOO_LARGE])
    for problem in _not_json(source):
        raise DefinitionError([problem])
    return Source(value=source, positions={})


def _read_text(text: str) -> Source:
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise DefinitionError([_TOO_LARGE])
    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
        except (ValueError, RecursionError):
            pass  # YAML's reader says where it is wrong, and reads what only YAML allows
        else:
            for problem in _not_json(value):
                raise DefinitionError([problem])
            return Source(value=value, text=text)
    value, positions = yaml_events.load(text)
    return Source(value=value, text=text, positions=positions)


def _positions(text: str) -> Mapping[str, Position]:
    try:
        return yaml_events.load(text)[1]
    except DefinitionError:
        return {}


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _not_json(value: Json) -> Iterator[Problem]:
    """Whatever data cannot hold: too deep, or of a type that JSON does not have."""
    queue: list[tuple[Json, str, int]] = [(value, "", 1)]
    while queue:
        item, path, depth = queue.pop()
        if depth > MAX_DEPTH:
            yield Problem(f"it nests deeper than {MAX_DEPTH} levels", path=path)
        elif isinstance(item, Mapping):
            parts = ((key, part) for key, part in item.items() if depth >= MAX_DEPTH or type(part) not in PLAIN)
            queue += [(part, f"{path}.{key}" if path else str(key), depth + 1) for key, part in parts]
            yield from (Problem(f"the key {key!r} is not a text", path=path) for key in item if not isinstance(key, str))
        elif isinstance(item, list):
            rest = ((index, part) for index, part in enumerate(item) if depth >= MAX_DEPTH or type(part) not in PLAIN)
            queue += [(part, f"{path}[{index}]", depth + 1) for index, part in rest]
        elif not isinstance(item, str | int | float | None) or (isinstance(item, float) and not math.isfinite(item)):
            yield Problem(f"{item!r} is not JSON", path=path)
