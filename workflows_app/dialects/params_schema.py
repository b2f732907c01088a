"""The JSON Schema that a template's parameters must fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match

from workflows_app.dialects import bounded_schema, patterns
from workflows_app.graph.weight import weigh

Json = Any
FORMATS = FormatChecker()
ORDER = "x-order"
MAX_CHARACTERS = 100_000
MAX_DEPTH = 32
MAX_PATTERN_WEIGHT = 10_000
REFUSED = {
    **dict.fromkeys(("$ref", "$dynamicRef", "$recursiveRef"), "a parameter schema has no references: write out what is meant"),
    "$id": "a parameter schema has no '$id', as nothing refers to it",
    **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems"), "not supported: use additionalProperties, or items"),
}


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: Json) -> bool:
    """RFC 3339: a date, a time and an offset."""
    return not isinstance(value, str) or ("T" in value.upper() and datetime.fromisoformat(value.upper()).tzinfo is not None)


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: Json) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


@FORMATS.checks("regex", raises=(re.error, RecursionError, OverflowError))
def _is_pattern(value: Json) -> bool:
    return not isinstance(value, str) or (len(value) <= MAX_PATTERN_WEIGHT and bool(re.compile(value)))


def normalise(schema: Mapping[str, Json] | None) -> dict[str, Json]:
    """The schema of an object that takes only what it names, unless it says otherwise. `x-order` keeps the order in which its author
    names them, for forms: neither a database nor canonical JSON keeps that of keys."""
    found = {"type": "object", "properties": {}, "additionalProperties": False, **(schema or {})}
    names = list(found["properties"]) if isinstance(found["properties"], Mapping) else []
    return found if len(names) < 2 else {ORDER: names, **found}


def in_order(schema: Mapping[str, Json]) -> list[str]:
    """The names of its properties as their author ordered them."""
    properties, kept = schema.get("properties", {}), schema.get(ORDER, [])
    named = [name for name in kept if isinstance(name, str) and name in properties] if isinstance(kept, list) else []
    return list(dict.fromkeys([*named, *properties]))


def as_written(schema: Mapping[str, Json]) -> dict[str, Json]:
    """As its author wrote it: the properties in order, and without the list that keeps the order."""
    ordered = {name: schema["properties"][name] for name in in_order(schema)} if "properties" in schema else {}
    return {key: ordered if key == "properties" else value for key, value in schema.items() if key != ORDER}


def check(schema: Mapping[str, Json]) -> list[tuple[str, str]]:
    """What is wrong with a normalised schema, as path and message."""
    if schema["type"] != "object":
        return [("type", "parameters are an object: the type must be 'object'")]
    if found := _too_large(schema) or list(_refused(schema, "")):
        return found
    try:
        error = best_match(bounded_schema.errors(Draft202012Validator.META_SCHEMA, schema))
        if error is not None:
            return [(_path(error.absolute_path), error.message)]
        return list(_bad_patterns(schema)) or list(_bad_defaults(schema))
    except bounded_schema.TooMuchWork as error:
        return [("", str(error))]


def _too_large(schema: Json) -> list[tuple[str, str]]:
    if weigh(schema, MAX_CHARACTERS) > MAX_CHARACTERS:
        return [("", f"the schema is larger than {MAX_CHARACTERS:,} characters")]
    if _is_deeper(schema, MAX_DEPTH):
        return [("", f"the schema is nested more than {MAX_DEPTH} levels deep")]
    return []


def _is_deeper(value: Json, levels: int) -> bool:
    return levels < 0 or any(_is_deeper(part, levels - 1) for _, part in _parts(value, ""))


def _refused(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Keywords whose work has no bound, or that would fetch a schema from elsewhere."""
    for where, part in _parts(value, path):
        keyword = where.rpartition(".")[2]
        if isinstance(value, Mapping) and keyword in REFUSED:
            yield where, REFUSED[keyword]
        yield from _refused(part, where)


def _bad_patterns(schema: Json) -> Iterator[tuple[str, str]]:
    """Patterns that the engine does not take, and those that are too much together."""
    total = 0
    for where, pattern in _patterns(schema, ""):
        total += patterns.weight(pattern)
        if total > MAX_PATTERN_WEIGHT:
            yield where, "this pattern repeats too much: ask for the length with maxLength, or write a simpler pattern"
            return
        try:
            patterns.search(pattern, "")
        except patterns.BadPattern as error:
            yield where, f"the pattern {pattern!r} cannot be used: {error}"


def _patterns(value: Json, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if isinstance(value.get("pattern"), str):
            yield f"{path}.pattern".removeprefix("."), value["pattern"]
        rules = value.get("patternProperties")
        for rule in rules if isinstance(rules, Mapping) else ():
            yield f"{path}.patternProperties".removeprefix("."), str(rule)
    for where, part in _parts(value, path):
        yield from _patterns(part, where)


def _parts(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping):
        yield from ((f"{path}.{key}".removeprefix("."), part) for key, part in value.items())
    elif isinstance(value, list):
        yield from ((f"{path}[{index}]", part) for index, part in enumerate(value))


def _bad_defaults(schema: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, part in schema["properties"].items():
        if isinstance(part, Mapping) and "default" in part:
            for error in errors(part, part["default"]):
                yield f"properties.{name}.default", f"the default does not fit: {error.message}"


def errors(schema: Mapping[str, Json], value: Json) -> list[ValidationError]:
    """Why a value does not fit the schema, formats included. Raises bounded_schema.TooMuchWork."""
    return bounded_schema.errors(schema, value, FORMATS)


def is_closed(schema: Mapping[str, Json]) -> bool:
    """Whether the schema names every parameter there may be."""
    return schema.get("additionalProperties") is False and not schema.get("patternProperties")


def _path(parts: Any) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path
