"""The form made from a parameter schema, and what it reads back."""

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.dashboard import params_form
from workflows_app.dialects.params import InvalidParams

SCHEMA = {
    "type": "object",
    "required": ["region", "day"],
    "properties": {
        "region": {"type": "string", "enum": ["EU", "US"], "default": "EU"},
        "day": {"type": "string", "format": "date", "title": "Day", "description": "The day to load"},
        "size": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5},
        "ratio": {"type": ["number", "null"]},
        "at": {"type": "string", "format": "date-time"},
        "dry": {"type": "boolean", "default": True},
        "more": {"type": "object"},
        "list": {"type": "array"},
        "level": {"enum": [1, 2, "high"]},
        "either": {"type": ["string", "integer"]},
        "note": {"type": "string", "maxLength": 5_000},
    },
}


def posted(**values: str) -> QueryDict:
    query = QueryDict(mutable=True)
    query.update({f"p.{key}": value for key, value in values.items()})
    return query


def field(key: str, **more) -> params_form.Field:
    return next(field for field in params_form.fields(SCHEMA, more.get("values", {}), more.get("errors")) if field.key == key)


def test_every_parameter_gets_the_field_of_its_type():
    kinds = {field.key: field.kind for field in params_form.fields(SCHEMA, {})}
    assert kinds == {
        "region": "choice", "day": "date", "size": "number", "ratio": "number", "at": "datetime-local", "dry": "checkbox", "more": "json",
        "list": "json", "level": "choice", "either": "json", "note": "long",
    }  # fmt: skip


def test_a_field_carries_label_help_limits_and_whether_it_is_required():
    assert (field("day").label, field("day").help, field("day").is_required) == ("Day", "The day to load", True)
    assert (field("size").label, field("size").limits, field("size").step, field("size").is_required) == (
        "size",
        "1 to 10, 5 if left empty",
        "1",
        False,
    )
    assert (field("at").limits, field("more").limits, field("note").limits) == ("UTC", "JSON", "at most 5000 characters")


def test_defaults_and_earlier_values_fill_the_fields():
    assert params_form.defaults(SCHEMA) == {"region": "EU", "size": 5, "dry": True}
    values = {"dry": True, "region": "US", "more": {"a": 1}, "at": "2026-11-21T10:00:00Z", "level": 2}
    assert field("dry", values=values).is_checked
    assert [choice.value for choice in field("region", values=values).choices if choice.is_selected] == ["US"]
    assert [choice.value for choice in field("level", values=values).choices if choice.is_selected] == ["2"]
    assert field("more", values=values).value == '{\n  "a": 1\n}'
    assert field("at", values=values).value == "2026-11-21T10:00"


@pytest.mark.parametrize(
    ("rule", "limits"),
    [
        ({"type": "string", "default": "EU"}, "EU if left empty"),
        ({"type": "array", "default": [1, 2]}, "JSON, [1, 2] if left empty"),
        ({"type": "string", "default": "long " * 20}, "the default if left empty"),
        ({"type": "integer", "default": 0}, "0 if left empty"),
        ({"type": "string", "default": ""}, ""),
        ({"type": ["string", "null"], "default": None}, ""),
        ({"type": "boolean", "default": True}, ""),
        ({"type": "string"}, ""),
    ],
    ids=["text", "list", "long", "zero", "empty", "null", "checkbox", "none"],
)
def test_a_field_says_what_it_stands_for_when_it_is_emptied(rule, limits):
    (shown,) = params_form.fields({"properties": {"a": rule}}, {})
    assert shown.limits == limits


def test_an_error_stands_at_its_field():
    assert field("size", errors={"size": "must be at most 10"}).error == "must be at most 10"
    assert field("day", errors={"size": "must be at most 10"}).error == ""


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("region", "US", "US"),
        ("region", "MARS", "MARS"),
        ("level", "2", 2),
        ("level", "high", "high"),
        ("day", "2026-11-21", "2026-11-21"),
        ("size", "7", 7),
        ("size", "7.0", 7),
        ("size", "7.5", 7.5),
        ("size", "seven", "seven"),
        ("size", "9" * 5_000, "9" * 5_000),
        ("ratio", "0.5", 0.5),
        ("ratio", "NaN", "NaN"),
        ("at", "2026-11-21T10:00", "2026-11-21T10:00:00Z"),
        ("at", "2026-11-21T10:00:30", "2026-11-21T10:00:30Z"),
        ("more", '{"a": [1]}', {"a": [1]}),
        ("more", "{broken", "{broken"),
        ("list", "[1, 2]", [1, 2]),
        ("either", "7", 7),
        ("note", "a\r\nb", "a\nb"),
    ],
)
def test_what_was_typed_is_read_as_its_type_and_stays_text_where_it_is_not(key, text, value):
    read = params_form.read(SCHEMA, posted(**{key: text}))
    assert read[key] == value
    assert type(read[key]) is type(value)


def test_empty_fields_are_left_out_and_an_unticked_box_means_no():
    assert params_form.read(SCHEMA, posted(day="", size="  ", region="")) == {"dry": False}
    assert params_form.read(SCHEMA, posted(dry="true"))["dry"] is True


def test_fields_that_the_schema_does_not_know_are_not_read():
    assert "other" not in params_form.read(SCHEMA, posted(other="1"))


@given(st.dictionaries(st.sampled_from(list(SCHEMA["properties"])), st.text(max_size=30)))
def test_reading_never_fails_whatever_is_typed(texts):
    params_form.fields(SCHEMA, params_form.read(SCHEMA, posted(**texts)))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_the_form_survives_any_value_it_is_filled_with(value):
    params_form.fields(SCHEMA, dict.fromkeys(SCHEMA["properties"], value))


def test_an_error_inside_a_value_stands_at_its_field():
    assert field("more", errors={"more.a.b": "is missing", "moreover": "no"}).error == "a.b: is missing"


def test_a_parameter_that_allows_anything_is_typed_as_json():
    (anything,) = params_form.fields({"properties": {"x": True}}, {"x": [1]})
    assert (anything.kind, anything.value) == ("json", "[\n  1\n]")


def test_a_template_without_parameters_has_no_fields():
    assert params_form.fields({}, {}) == []
    assert params_form.read({}, posted(a="1")) == {}


@pytest.mark.parametrize(
    "schema", [{"additionalProperties": True}, {"additionalProperties": {"type": "integer"}}, {"patternProperties": {"^x": {}}}]
)
def test_a_schema_that_takes_more_than_it_names_has_a_field_for_the_rest(schema):
    (rest,) = params_form.fields(schema, {"x": 1})
    assert (rest.name, rest.kind, rest.value) == ("p.*", "json", '{\n  "x": 1\n}')
    assert params_form.read(schema, posted(**{"*": '{"y": 2}'})) == {"y": 2}
    assert params_form.read(schema, posted(**{"*": "  "})) == {}


def test_what_has_a_field_of_its_own_is_not_among_the_rest():
    schema = {"properties": {"day": {"type": "string"}}, "additionalProperties": True}
    day, rest = params_form.fields(schema, {"day": "today", "x": 1})
    assert (day.value, rest.value) == ("today", '{\n  "x": 1\n}')
    assert params_form.read(schema, posted(day="today", **{"*": '{"day": "never", "x": 1}'})) == {"day": "today", "x": 1}


@pytest.mark.parametrize("text", ["[1]", "5", "null", "{", '"text"'])
def test_what_is_no_object_is_refused_and_stays_typed(text):
    schema = {"additionalProperties": True}
    values = params_form.read(schema, posted(**{"*": text}))
    with pytest.raises(InvalidParams) as refused:
        params_form.refuse_unread(values)
    (rest,) = params_form.fields(schema, values, refused.value.errors)
    assert (rest.value, rest.error) == (text, "must be a JSON object")
    params_form.refuse_unread({"x": 1})


@pytest.mark.parametrize("text", ["1e999", "-1e999", "NaN", "9" * 5_000, "[1e999]", '"\\ud800"', '{"a": "\\u0000"}', "[" * 100 + "]" * 100])
@pytest.mark.parametrize("key", ["size", "ratio", "more", "list", "either", "level"])
def test_what_no_database_keeps_stays_text(key: str, text: str):
    """The validator names it then; as a value it would fail where it is stored."""
    assert params_form.read(SCHEMA, posted(**{key: text}))[key] == text


def test_nul_is_dropped():
    assert params_form.read(SCHEMA, posted(note="a\0b", size="\0" + "7"))["note"] == "ab"
    assert params_form.read(SCHEMA, posted(size="\0" + "7"))["size"] == 7
