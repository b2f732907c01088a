"""Tests of checking values against a schema within a bound. The attacks here would not end, were they decided in the usual way."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from workflows_app.dialects.bounded_schema import MAX_ERRORS, TooMuchWork, errors, unknown_names

EVIL = "^(a+)+$"


def messages(schema, value) -> list[str]:
    return [error.message for error in errors(schema, value)]


def test_a_pattern_that_backtracks_for_ever_elsewhere_is_decided():
    assert messages({"pattern": EVIL}, "a" * 5000) == []
    (message,) = messages({"pattern": EVIL}, "a" * 60 + "!")
    assert "does not match" in message


def test_patterns_of_names_are_decided_too():
    schema = {"patternProperties": {EVIL: {"type": "integer"}}, "additionalProperties": False}
    assert messages(schema, {"aaa": 1}) == []
    assert "not of type" in messages(schema, {"aaa": "x"})[0]
    assert "'" + "a" * 60 + "!'" in messages(schema, {"a" * 60 + "!": 1})[0]
    assert unknown_names({"aaa": 1, "b": 2, "c": 3}, {"patternProperties": {EVIL: {}}, "properties": {"c": {}}}) == ["b"]


def test_other_names_may_have_a_schema_of_their_own():
    (error,) = errors({"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}, {"a": "x", "b": "x", "c": 1})
    assert list(error.absolute_path) == ["b"]


@pytest.mark.parametrize("draft", ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"])
def test_a_part_that_names_another_draft_is_bounded_too(draft):
    schema = {"$schema": draft, "properties": {"a": {"$schema": draft, "not": {"$schema": draft, "pattern": EVIL}}}}
    assert messages(schema, {"a": "a" * 60 + "!"}) == []
    assert len(messages(schema, {"a": "aaa"})) == 1


def test_many_objects_are_told_apart():
    rows = [{"id": number, "name": "x"} for number in range(20_000)]
    assert messages({"uniqueItems": True}, rows) == []
    assert messages({"uniqueItems": True}, [*rows, {"name": "x", "id": 7}]) == ["the items must all be different"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, -0.0, 1.5, "", "1", "true"]),
    lambda parts: st.lists(parts, max_size=2) | st.dictionaries(st.sampled_from("ab"), parts, max_size=2),
    max_leaves=4,
)


@given(st.lists(JSON, max_size=4))
def test_what_is_unique_is_what_the_standard_says(items):
    """Compared pair by pair: the library's own `uniqueItems` takes `[[false], [0], [false]]` for unique."""
    pairs = combinations(items, 2)
    is_unique = not any(Draft202012Validator({"const": one}).is_valid(other) for one, other in pairs)
    assert (not errors({"uniqueItems": True}, items)) == is_unique


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"allOf": [{"items": {}}] * 5000}, [1] * 5000),
        ({"anyOf": [{"type": "integer"}] * 5000}, [["x" * 200_000]]),
        ({"allOf": [{"uniqueItems": True}] * 5000}, [["x" * 200_000]]),
        ({"pattern": "[01]*1[01]{1000}"}, "01" * 200_000),
        ({"items": {"enum": [[n] for n in range(3000)]}}, [[2999]] * 3000),
    ],
)
def test_what_would_take_too_long_is_refused(schema, value):
    with pytest.raises(TooMuchWork, match="too much to check"):
        errors(schema, value)


def test_doubled_references_are_refused_for_their_work():
    levels = {f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(40)} | {"l40": {}}
    with pytest.raises(TooMuchWork):
        errors({"$ref": "#/$defs/l0", "$defs": levels}, {})


def test_each_check_has_the_whole_budget():
    for _ in range(12):
        assert messages({"items": {"type": "integer"}}, [1] * 50_000) == []


def test_errors_are_not_listed_without_end():
    assert len(errors({"items": {"type": "integer"}}, ["x"] * 1000)) == MAX_ERRORS


@pytest.mark.parametrize(
    ("value", "rule", "fits"),
    [
        (10**400, 0.1, True),
        (10**4000 + 1, 0.5, True),
        (10**400 + 1, 1e300, False),
        (10**400 + 1, 7, (10**400 + 1) % 7 == 0),
        (1e308, 0.123456789, False),
        (12391239123, 1e-8, True),
        (0.3, 0.1, True),
        (0.35, 0.1, False),
        (-4.5, 1.5, True),
        (0, 3, True),
        (True, 2, True),
        ("7", 2, True),
    ],
)
def test_multiples_are_told_whatever_size_the_numbers_have(value, rule, fits):
    """A number that no float can hold made the library fail, and with it every event that a template looked at."""
    assert (messages({"multipleOf": rule}, value) == []) == fits
