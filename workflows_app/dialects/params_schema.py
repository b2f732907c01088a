"""The JSON Schema that a template's parameters must fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError

Json = Any
FORMATS = FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: Json) -> bool:
    """RFC 3339: a date, a time and an offset."""
    return not isinstance(value, str) or ("T" in value.upper() and datetime.fromisoformat(value.upper()).tzinfo is not None)


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: Json) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


def normalise(schema: Mapping[str, Json] | None) -> dict[str, Json]:
    """The schema of an object that takes only what it names, unless it says otherwise."""
    return {"type": "object", "properties": {}, "additionalProperties": False, **(schema or {})}


def check(schema: Mapping[str, Json]) -> list[tuple[str, str]]:
    """What is wrong with a normalised schema, as path and message."""
    if schema["type"] != "object":
        return [("type", "parameters are an object: the type must be 'object'")]
    if found := list(_references(schema, "")):
        return found
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return [(_path(error.absolute_path), error.message)]
    return list(_bad_defaults(schema))


def _references(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """A schema that points elsewhere would be fetched from there, so it may only point into itself."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            where = f"{path}.{key}" if path else str(key)
            if key in {"$id", "$dynamicRef"} or (key == "$ref" and not str(part).startswith("#/$defs/")):
                yield where, f"'{key}' may only be a '$ref' to '#/$defs/...'"
            yield from _references(part, where)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _references(part, f"{path}[{index}]")


def _bad_defaults(schema: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, part in schema["properties"].items():
        if isinstance(part, Mapping) and "default" in part:
            rule = {"$defs": schema.get("$defs", {}), **part}
            for error in validator(rule).iter_errors(part["default"]):
                yield f"properties.{name}.default", f"the default does not fit: {error.message}"


def validator(schema: Mapping[str, Json]) -> Draft202012Validator:
    """Checks values against the schema, formats included."""
    return Draft202012Validator(schema, format_checker=FORMATS)


def is_closed(schema: Mapping[str, Json]) -> bool:
    """Whether the schema names every parameter there may be."""
    return schema.get("additionalProperties") is False and not schema.get("patternProperties")


def _path(parts: Any) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path
