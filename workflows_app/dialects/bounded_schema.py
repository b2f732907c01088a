"""JSON Schema with a bound on the work: patterns in linear time, unique items by a set, and a budget for everything together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from fractions import Fraction
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from workflows_app.dialects import patterns
from workflows_app.graph.weight import weigh

Json = Any
Keyword = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]
MAX_WORK = 1_000_000  # units of a few microseconds
MAX_ERRORS = 100
STATES_PER_UNIT = 200
REFERENCES = {"$ref", "$dynamicRef"}  # looking one up costs as much as many other keywords
_work_left: ContextVar[list[int]] = ContextVar("work_left")


class TooMuchWork(ValueError):
    """Deciding whether the value fits would take too long."""


def errors(schema: Mapping[str, Json], value: Json, formats: FormatChecker | None = None) -> list[ValidationError]:
    """Why the value does not fit, MAX_ERRORS reasons at most. Raises TooMuchWork."""
    token = _work_left.set([MAX_WORK])
    try:
        return list(islice(_Bounded(schema, format_checker=formats).iter_errors(value), MAX_ERRORS))
    finally:
        _work_left.reset(token)


def unknown_names(value: Mapping[str, Json], schema: Mapping[str, Json]) -> list[str]:
    """The names that the schema neither lists nor describes by a pattern."""
    known, rules = schema.get("properties", {}), list(schema.get("patternProperties", {}))
    return [name for name in value if name not in known and not any(_matches(rule, name) for rule in rules)]


def _spend(units: int) -> None:
    left = _work_left.get([MAX_WORK])
    left[0] -= units
    if left[0] < 0:
        raise TooMuchWork("there is too much to check: send less, or make the schema simpler")


def _counted(keyword: Keyword, price: int) -> Keyword:
    """The keyword, paid for by the size of its rule, of what it looks at, and of what it says."""

    def check(validator: Any, rule: Json, value: Json, schema: Json) -> Iterator[ValidationError]:
        _spend(price + _size(rule) + _size(value))
        for error in keyword(validator, rule, value, schema) or ():
            _spend(1 + len(error.message) // 100)
            yield error

    return check


def _size(value: Json) -> int:
    return len(value) // 100 if isinstance(value, str) else len(value) if isinstance(value, dict | list) else 0


def _matches(pattern: str, text: str) -> bool:
    _spend(1 + patterns.weight(pattern) * len(text) // STATES_PER_UNIT)
    return patterns.search(pattern, text)


def _pattern(validator: Any, rule: str, value: Json, schema: Json) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _matches(rule, value):
        yield ValidationError(f"{value!r} does not match {rule!r}")


def _pattern_properties(validator: Any, rules: Mapping[str, Json], value: Json, schema: Json) -> Iterator[ValidationError]:
    if not isinstance(value, Mapping):
        return
    for rule, part in rules.items():
        for name in value:
            if _matches(rule, name):
                yield from validator.descend(value[name], part, path=name, schema_path=rule)


def _additional_properties(validator: Any, rule: Json, value: Json, schema: Mapping[str, Json]) -> Iterator[ValidationError]:
    if not isinstance(value, Mapping):
        return
    unknown = unknown_names(value, schema)
    if isinstance(rule, Mapping):
        for name in unknown:
            yield from validator.descend(value[name], rule, path=name)
    elif rule is False and unknown:
        yield ValidationError(f"Additional properties are not allowed: {', '.join(map(repr, unknown))}")


def _multiple_of(validator: Any, rule: Json, value: Json, schema: Json) -> Iterator[ValidationError]:
    """Exactly, as the digits say: the library divides floats, which end at 1e308 and know no 0.1."""
    if validator.is_type(value, "number") and Fraction(repr(value)) % Fraction(repr(rule)):
        yield ValidationError(f"{value!r} is not a multiple of {rule!r}")


def _unique_items(validator: Any, rule: bool, value: Json, schema: Json) -> Iterator[ValidationError]:
    if not rule or not isinstance(value, list):
        return
    _spend(weigh(value) // 10)
    if len({json.dumps(_whole(item), sort_keys=True) for item in value}) < len(value):
        yield ValidationError("the items must all be different")


def _whole(value: Json) -> Json:
    """To JSON Schema 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    return [_whole(part) for part in value] if isinstance(value, list) else value


_KEYWORDS: Mapping[str, Keyword] = {
    **Draft202012Validator.VALIDATORS,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
    "multipleOf": _multiple_of,
}
_Bounded: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {name: _counted(keyword, 20 if name in REFERENCES else 1) for name, keyword in _KEYWORDS.items()}
)
_FIELDS = [(field.name, field.alias) for field in _Bounded.__attrs_attrs__ if field.init]


def _evolved(validator: Any, **changes: Any) -> Any:
    """Of the same class always: the library takes another for a part with a `$schema` of its own, and that one knows no bound."""
    return _Bounded(**{alias: getattr(validator, name) for name, alias in _FIELDS} | changes)


_Bounded.evolve = _evolved
