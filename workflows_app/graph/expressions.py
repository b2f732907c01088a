"""`{{ ... }}` in configuration: looked up, computed within limits, the type kept; never evaluated twice."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from minijinja import Environment, TemplateError

from workflows_app.graph.lookup import MISSING, explain, find, kind, write
from workflows_app.graph.names import reference
from workflows_app.graph.syntax import Expression, ExpressionSyntaxError, Path, split
from workflows_app.graph.weight import MAX_WEIGHT, weigh

Json = Any
MAX_RENDERED = MAX_WEIGHT
FUEL = 20_000


class ExpressionError(ValueError):
    """An expression cannot be evaluated. `path` leads to the text that holds it (`value.rows[2]`)."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}" if path else message)


@dataclass(frozen=True, slots=True)
class Use:
    """One name that a text reads: where the text stands and the path it reads. `is_computed`: something is made of its value."""

    where: str
    path: Path
    is_computed: bool = False

    @property
    def name(self) -> str:
        return reference(self.path)


def render(value: Json, names: Mapping[str, Json]) -> Json:
    """Evaluate every expression in `value`, also inside lists and mappings (their keys stay as they are).

    A text that is exactly one expression becomes its value, type kept; in a longer text other values than texts
    are written as JSON. Raises ExpressionError, whose message says what was there instead.
    """
    return _Rendering(names).value(value, "")


def references(value: Json) -> set[str]:
    """The names that `value` reads (see `names.reference`). Raises ExpressionError for a text that cannot be read."""
    return {use.name for use in uses(value)}


def uses(value: Json, where: str = "") -> Iterator[Use]:
    """Every path that `value` reads, with the place it is read at. Raises ExpressionError."""
    for place, text in texts(value, where):
        for piece in _pieces(text, place):
            if isinstance(piece, Expression):
                yield from (Use(place, path, is_computed=not piece.is_path) for path in piece.paths)


def is_templated(value: Json) -> bool:
    """Whether a value holds an expression, so that its type shows only when it is rendered."""
    return any("{{" in text for _, text in texts(value))


def texts(value: Json, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text in `value`, each with the path to it."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts(item, f"{where}[{index}]")


def _pieces(text: str, where: str) -> tuple[str | Expression, ...]:
    if "{{" not in text:
        return (text,)
    try:
        pieces = split(text)
        for piece in pieces:
            if isinstance(piece, Expression) and not piece.is_path:
                _ENVIRONMENT.undeclared_variables_in_str("{{ " + piece.source + " }}")
        return pieces
    except TemplateError as error:
        raise ExpressionError(where, f"`{text}`: {error.detail or error.kind}") from None
    except ExpressionSyntaxError as error:
        raise ExpressionError(where, str(error)) from None


class _Rendering:
    """One call of `render`: the names, and how much text may still be made."""

    def __init__(self, names: Mapping[str, Json]) -> None:
        self.names = names
        self.left = MAX_RENDERED
        self.weighed: dict[int, tuple[Json, int]] = {}

    def value(self, value: Json, where: str) -> Json:
        if isinstance(value, str):
            return self.text(value, where) if "{{" in value else value
        if isinstance(value, Mapping):
            return {key: self.value(item, f"{where}.{key}" if where else str(key)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item, f"{where}[{index}]") for index, item in enumerate(value)]
        return value

    def text(self, text: str, where: str) -> Json:
        try:
            pieces = split(text)
            if len(pieces) == 1 and isinstance(pieces[0], Expression):
                return self.counted(_evaluate(pieces[0], self.names))
            return "".join(self.piece(piece) for piece in pieces)
        except (ExpressionSyntaxError, _Refused) as error:
            raise ExpressionError(where, str(error)) from None

    def piece(self, piece: str | Expression) -> str:
        found = piece if isinstance(piece, str) else as_text(_evaluate(piece, self.names))
        return str(self.counted(found))

    def counted(self, value: Json) -> Json:
        """Take the value's size from what may still be made: a thousand uses of a large value are large, too."""
        if id(value) not in self.weighed:
            self.weighed[id(value)] = (value, weigh(value, self.left))
        self.left -= self.weighed[id(value)][1]
        if self.left < 0:
            raise _Refused(f"the result would be larger than {MAX_RENDERED:,} characters")
        return value


class _Refused(ValueError):
    """An expression found no value; the message has no place yet."""


def as_text(value: Json) -> str:
    """A value inside a longer text: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _evaluate(expression: Expression, names: Mapping[str, Json]) -> Json:
    if expression.is_path:
        return _look_up(expression.paths[0], names)
    found = {f"v{index}": find(path, names) for index, path in enumerate(expression.paths)}
    present = {name: value for name, value in found.items() if value is not MISSING}
    _check_factors(expression, present)
    result = _compute(expression, expression.source, present, names)
    if result is None and len(present) < len(found) and not _compute(expression, f"({expression.source}) is defined", present, names):
        raise _first_missing(expression, names)
    return _plain(result, expression)


def _compute(expression: Expression, source: str, present: Mapping[str, Json], names: Mapping[str, Json]) -> Json:
    try:
        return _ENVIRONMENT.eval_expr(source, **present)
    except (TypeError, ValueError) as error:
        raise _Refused(f"`{expression.text}`: {error}") from None
    except TemplateError as error:
        if len(present) < len(expression.paths) and error.kind in {"UndefinedError", "InvalidOperation"}:
            raise _first_missing(expression, names) from None
        raise _Refused(f"`{expression.text}`: {error.detail or error.kind}") from None


def _first_missing(expression: Expression, names: Mapping[str, Json]) -> _Refused:
    for path in expression.paths:
        if find(path, names) is MISSING:
            return _Refused(explain(path, names))
    return _Refused(f"`{expression.text}` has no value")


def _check_factors(expression: Expression, present: Mapping[str, Json]) -> None:
    for index in expression.factors:
        value = present.get(f"v{index}", 0)
        if not isinstance(value, int | float):
            raise _Refused(f"`{expression.text}`: `{write(expression.paths[index])}` is {kind(value)}; with `*` only numbers may be used")


def _look_up(path: Path, names: Mapping[str, Json]) -> Json:
    value = find(path, names)
    if value is MISSING:
        raise _Refused(explain(path, names))
    return value


def _plain(value: Json, expression: Expression) -> Json:
    """What came out of the computation as JSON: no tuples, no subclasses of text, no infinity."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, tuple):
        return [_plain(item, expression) for item in value]
    if value is None or isinstance(value, bool | int | list | dict) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise _Refused(f"`{expression.text}` gives {value!r}, which JSON cannot hold")


def _join(values: Json, separator: str = "") -> str:
    parts = [as_text(value) for value in values]
    _check_size(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _replace(text: str, old: str, new: str) -> str:
    _check_size(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _check_size(size: int) -> None:
    if size > MAX_RENDERED:
        raise ValueError(f"the result would be larger than {MAX_RENDERED:,} characters")


_ENVIRONMENT = Environment(
    undefined_behavior="strict",
    fuel=FUEL,
    pycompat=False,
    debug=False,
    filters={"join": _join, "replace": _replace, "string": as_text, "tojson": as_text},
)
