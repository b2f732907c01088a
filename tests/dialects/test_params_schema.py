"""Tests of the schema that parameters must fit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workflows_app.dialects.params_schema import MAX_DEPTH, as_written, check, errors, in_order, is_closed, normalise


def test_a_schema_is_of_an_object_and_closed_unless_it_says_otherwise():
    assert normalise(None) == {"type": "object", "properties": {}, "additionalProperties": False}
    assert normalise({"properties": {"a": {}}})["properties"] == {"a": {}}
    assert is_closed(normalise(None))
    assert not is_closed(normalise({"additionalProperties": True}))
    assert not is_closed(normalise({"additionalProperties": {"type": "string"}}))
    assert not is_closed(normalise({"patternProperties": {"^x": {}}}))


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": {"day": {"type": "string", "format": "date", "default": "2026-11-21"}}, "required": ["day"]},
        {"properties": {"a": {"pattern": "^[A-Z]{3}-\\d{4}$", "default": "ABC-1234"}}},
        {
            "properties": {"host": {"pattern": r"^[a-z]{1,63}(\.[a-z]{1,63}){0,10}$"}},
            "patternProperties": {"^x-\\p{L}+$": {"type": "string"}},
        },
        {"properties": {"pattern": {"type": "string"}}},
        {"properties": {"a": {"enum": [1, 2]}}, "allOf": [{"required": ["a"]}]},
    ],
)
def test_a_good_schema_has_no_problem(schema):
    assert check(normalise(schema)) == []


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "string"}, "type"),
        ({"properties": {"a": {"type": "whole"}}}, "properties.a.type"),
        ({"properties": {"a": {"minimum": "1"}}}, "properties.a.minimum"),
        ({"required": "a"}, "required"),
        ({"properties": {"a": {"enum": 3}}}, "properties.a.enum"),
        ({"properties": {"a": {"type": "integer", "default": "1"}}}, "properties.a.default"),
        ({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "integer"}}}, "properties.a.$ref"),
        ({"properties": {"a": {"pattern": "^b", "default": "a"}}}, "properties.a.default"),
        ({"properties": {"a": {"$recursiveRef": "#"}}}, "properties.a.$recursiveRef"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties"),
        ({"properties": {"a": {"pattern": "(?=a)"}}}, "properties.a.pattern"),
        ({"properties": {"a": {"pattern": "a("}}}, "properties.a.pattern"),
        ({"properties": {"a": {"pattern": 3}}}, "properties.a.pattern"),
        ({"properties": {"a": {"pattern": "(a{1000}){1000}"}}}, "properties.a.pattern"),
        ({"patternProperties": {"(a)\\1": {}}}, "patternProperties"),
        ({"properties": {"a": {"enum": ["x" * 100_000]}}}, ""),
        ({"properties": {"a": {"$ref": "https://example.com/schema"}}}, "properties.a.$ref"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "properties.a.$ref"),
        ({"allOf": [{"$ref": "other.json"}]}, "allOf[0].$ref"),
        ({"$id": "http://example.com/"}, "$id"),
        ({"properties": {"a": {"$dynamicRef": "#x"}}}, "properties.a.$dynamicRef"),
    ],
)
def test_a_bad_schema_is_refused_where_it_is_bad(schema, path):
    ((found, message), *_) = check(normalise(schema))
    assert found == path
    assert message


@pytest.mark.parametrize(
    ("format", "good", "bad"),
    [
        ("date", "2026-11-21", "2026-13-01"),
        ("date-time", "2026-11-21T10:00:00Z", "2026-11-21 10:00"),
        ("email", "ann@example.com", "ann"),
        ("uri", "https://example.com/x", "example"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("uuid", "45a4f478-dad3-4380-83b6-1c6fd2b4d9a1", "45a4"),
        ("regex", "a+", "a(["),
    ],
)
def test_formats_are_checked(format, good, bad):
    rule = {"type": "string", "format": format}
    assert errors(rule, good) == []
    assert errors(rule, bad)


def test_a_refused_reference_says_what_to_do_instead():
    levels = {f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(60)}
    ((path, message), *_) = check(normalise({"properties": {"a": {"$ref": "#/$defs/l0"}}, "$defs": levels}))
    assert path == "properties.a.$ref"
    assert "write out" in message


def test_a_refused_pattern_is_quoted_with_the_reason():
    ((_, message),) = check(normalise({"properties": {"a": {"pattern": "(?=a)b"}}}))
    assert "'(?=a)b'" in message
    assert "look-around" in message


def test_a_schema_is_not_nested_without_end():
    schema = {}
    for _ in range(MAX_DEPTH + 1):
        schema = {"items": schema}
    ((_, message),) = check(normalise({"properties": {"a": schema}}))
    assert "levels deep" in message


def test_a_schema_of_very_many_parts_is_refused_and_a_large_one_is_not():
    ((_, message),) = check(normalise({"allOf": [{}] * 20_000}))
    assert "too much to check" in message
    assert check(normalise({"properties": {f"p{number}": {"type": "string", "title": "P"} for number in range(1000)}})) == []


def test_the_order_in_which_an_author_names_parameters_is_kept_beside_them() -> None:
    """Canonical JSON sorts keys, and PostgreSQL orders them by length."""
    schema = normalise({"properties": {"when": {}, "amount": {}, "by": {}}})
    stored = json.loads(json.dumps(schema, sort_keys=True))
    assert list(stored["properties"]) == ["amount", "by", "when"]
    assert in_order(stored) == ["when", "amount", "by"]


@pytest.mark.parametrize("kept", [["b", "gone", "a"], "ba", None, [], [["b"], "b"]], ids=["old", "text", "null", "empty", "odd"])
def test_an_order_that_does_not_fit_loses_no_parameter(kept: Any) -> None:
    assert sorted(in_order({"x-order": kept, "properties": {"a": {}, "b": {}}})) == ["a", "b"]


def test_a_reader_gets_a_schema_as_it_was_written() -> None:
    written = {"type": "object", "additionalProperties": False, "properties": {"when": {}, "amount": {"default": 1}, "by": True}}
    shown = as_written(json.loads(json.dumps(normalise(written), sort_keys=True)))
    assert shown == written and list(shown["properties"]) == ["when", "amount", "by"]


def test_a_reader_of_no_schema_gets_none() -> None:
    assert as_written({}) == {}
