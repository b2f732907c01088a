"""Tests of the schema that parameters must fit."""

from __future__ import annotations

import pytest

from workflows_app.dialects.params_schema import check, is_closed, normalise, validator


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
        {"properties": {"a": {"$ref": "#/$defs/a", "default": 1}}, "$defs": {"a": {"type": "integer"}}},
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
        ({"properties": {"a": {"$ref": "#/$defs/a", "default": "x"}}, "$defs": {"a": {"type": "integer"}}}, "properties.a.default"),
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
    rule = validator({"type": "string", "format": format})
    assert rule.is_valid(good)
    assert not rule.is_valid(bad)
