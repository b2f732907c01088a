"""Tests of checking parameters and filling in defaults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.dialects.params import InvalidParams, accept
from workflows_app.dialects.params_schema import normalise

SCHEMA = normalise(
    {
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "count": {"type": "integer", "default": 3, "maximum": 10},
            "day": {"type": "string", "format": "date"},
            "at": {"type": "string", "format": "date-time"},
            "mail": {"type": "string", "format": "email"},
            "link": {"type": "string", "format": "uri"},
            "size": {"enum": ["S", "M"]},
            "customer": {
                "type": "object",
                "properties": {"id": {"type": "integer"}, "tier": {"default": "gold"}},
                "required": ["id"],
                "additionalProperties": False,
            },
            "rows": {"type": "array", "items": {"type": "number"}},
        },
        "required": ["name"],
    }
)


def errors(params, schema=SCHEMA) -> dict[str, str]:
    with pytest.raises(InvalidParams) as caught:
        accept(schema, params)
    return caught.value.errors


def test_defaults_are_filled_in_also_inside():
    assert accept(SCHEMA, {"name": "x"}) == {"name": "x", "count": 3}
    assert accept(SCHEMA, {"name": "x", "count": 1, "customer": {"id": 7}}) == {
        "name": "x",
        "count": 1,
        "customer": {"id": 7, "tier": "gold"},
    }


def test_what_was_given_is_not_changed():
    given = {"name": "x", "customer": {"id": 7}}
    accept(SCHEMA, given)
    assert given == {"name": "x", "customer": {"id": 7}}


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({}, "name", "is missing"),
        ({"name": ""}, "name", "should be non-empty"),
        ({"name": 3}, "name", "3 is not of type 'string'"),
        ({"name": "x", "count": "3"}, "count", "'3' is not of type 'integer'"),
        ({"name": "x", "count": True}, "count", "not of type 'integer'"),
        ({"name": "x", "count": 11}, "count", "greater than the maximum"),
        ({"name": "x", "day": "2026-02-30"}, "day", "is not a 'date'"),
        ({"name": "x", "day": "tomorrow"}, "day", "is not a 'date'"),
        ({"name": "x", "at": "2026-11-21T12:00:00"}, "at", "is not a 'date-time'"),
        ({"name": "x", "at": "2026-11-21"}, "at", "is not a 'date-time'"),
        ({"name": "x", "mail": "nobody"}, "mail", "is not a 'email'"),
        ({"name": "x", "link": "nowhere"}, "link", "is not a 'uri'"),
        ({"name": "x", "size": "L"}, "size", "is not one of ['S', 'M']"),
        ({"name": "x", "nmae": "y"}, "nmae", "there is no such parameter; did you mean 'name'?"),
        ({"name": "x", "zebra": "y"}, "zebra", "there is no such parameter; there are: name, count"),
        ({"name": "x", "customer": {}}, "customer.id", "is missing"),
        ({"name": "x", "customer": {"id": 1, "teir": 2}}, "customer.teir", "did you mean 'tier'?"),
        ({"name": "x", "rows": [1, "2"]}, "rows.1", "is not of type 'number'"),
        ([1], "params", "must be a JSON object"),
        (None, "params", "must be a JSON object"),
    ],
)
def test_each_error_names_its_field(params, field, message):
    found = errors(params)
    assert list(found) == [field]
    assert message in found[field]


def test_all_errors_are_reported_together():
    assert set(errors({"count": "x", "nope": 1, "customer": {}})) == {"name", "count", "nope", "customer.id"}


@pytest.mark.parametrize(
    "params",
    [{"name": "x", "at": "2026-11-21T12:00:00Z"}, {"name": "x", "at": "2026-11-21t12:00:00.5+02:00"}, {"name": "x", "link": "http://h/x"}],
)
def test_well_formed_values_pass(params):
    assert accept(SCHEMA, params)


def test_without_a_schema_nothing_may_be_given():
    assert accept(normalise(None), {}) == {}
    assert errors({"x": 1}, normalise(None)) == {"x": "there is no such parameter; this takes no parameters"}


def test_an_open_schema_takes_anything():
    assert accept(normalise({"additionalProperties": True}), {"x": 1}) == {"x": 1}


def test_a_schema_that_refers_to_itself_without_end_is_refused():
    schema = normalise({"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}})
    assert "without end" in errors({"x": 1}, schema)["params"]


@given(
    st.dictionaries(
        st.sampled_from(["name", "count", "rows", "customer", "other"]),
        st.none() | st.integers() | st.text() | st.lists(st.integers()),
        max_size=5,
    )
)
def test_params_are_accepted_or_refused_with_fields(params):
    try:
        accepted = accept(SCHEMA, params)
    except InvalidParams as error:
        assert error.errors
        assert all(error.errors.values())
    else:
        assert accept(SCHEMA, accepted) == accepted


def test_what_takes_too_long_to_check_is_refused():
    schema = normalise({"properties": {"rows": {"allOf": [{"items": {}}] * 5000}}})
    assert "too much to check" in errors({"rows": [1] * 5000}, schema)["params"]


def test_an_unknown_parameter_is_told_from_one_that_a_pattern_describes():
    schema = normalise({"patternProperties": {"^x-": {}}})
    assert set(errors({"x-a": 1, "y": 2}, schema)) == {"y"}
