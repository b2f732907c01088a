"""Tests of reading YAML and JSON from strangers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.dialects.source import MAX_BYTES, read
from workflows_app.graph.problems import DefinitionError


def refused(source) -> tuple[str, int | None]:
    with pytest.raises(DefinitionError) as caught:
        read(source)
    (problem,) = caught.value.problems
    return problem.message, problem.line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1", {"a": 1}),
        ("a: 1.5\nb: -2\nc: 1e3\nd: .5", {"a": 1.5, "b": -2, "c": 1000.0, "d": 0.5}),
        ("a: true\nb: False\nc: null\nd: ~\ne:", {"a": True, "b": False, "c": None, "d": None, "e": None}),
        ("a: on\nb: yes\nc: 2026-11-21\nd: 1_000", {"a": "on", "b": "yes", "c": "2026-11-21", "d": "1_000"}),
        ("a: '1'\nb: \"true\"\nc: 0x1F\nd: 0o17", {"a": "1", "b": "true", "c": 31, "d": 15}),
        ("a: [1, {b: c}]\nd:\n  - e\n  -\n    - f", {"a": [1, {"b": "c"}], "d": ["e", ["f"]]}),
        ("200: x\ntrue: y", {"200": "x", "true": "y"}),
        ("a: |\n  one\n  two\nb: >-\n  one\n  two", {"a": "one\ntwo\n", "b": "one two"}),
        ("# only\na: b # comment", {"a": "b"}),
        ('{"a": [1, 2.5, null, "x"]}', {"a": [1, 2.5, None, "x"]}),
        ("{a: b}", {"a": "b"}),
        ("[]", []),
        ('""', ""),
        ("--- \na: 1\n...", {"a": 1}),
    ],
)
def test_plain_data_is_read_by_the_core_schema(text, expected):
    assert read(text).value == expected


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a: &x 1\nb: *x", "anchors and aliases", 1),
        ("a: 1\nb: *x", "anchors and aliases", 2),
        ("a: !!python/name:os.system x", "tags", 1),
        ("a: !!python/object/apply:os.system ['ls']", "tags", 1),
        ("- !custom {a: b}", "tags", 1),
        ("a: 1\nb: 2\na: 3", "'a' stands here twice", 3),
        ("a: [1\nb: 2", "this is not YAML", 2),
        ("a: b: c", "this is not YAML", 1),
        ("\ta: 1", "this is not YAML", 1),
        ("a: 1\n---\nb: 2", "more than one document", None),
        ("", "the text is empty", None),
        ("# nothing", "the text is empty", None),
        ("a: .inf", "not finite", 1),
        ("a: .nan", "not finite", 1),
        ("a: 1e999", "not finite", 1),
        ("? [a]\n: b", "a key must be a plain text", 1),
        ('{"a": NaN, "a": 1}', "stands here twice", 1),
        ('{"a": 1,}}', "this is not YAML", 1),
        ("a: \x00", "this is not YAML", None),
        ("a: 1\n  b: 2", "this is not YAML", 2),
    ],
)
def test_anything_else_is_refused_with_its_line(text, message, line):
    found, found_line = refused(text)
    assert message in found
    assert found_line == line


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "a: " + "{b: " * 70 + "}" * 70, '{"a":' * 70 + "1" + "}" * 70])
def test_deep_nesting_is_refused(text):
    assert "deeper than 64" in refused(text)[0]


def test_a_text_over_a_megabyte_is_refused():
    assert f"larger than {MAX_BYTES:,} bytes" in refused("a: " + "ä" * (MAX_BYTES // 2))[0]


@pytest.mark.parametrize("value", [{"a": {1: 2}}, {"a": object()}, {"a": [float("nan")]}, {"a": (1,)}, {"a": {1, 2}}, {"a": b"x"}])
def test_a_mapping_that_is_not_json_is_refused(value):
    assert refused(value)


def test_a_mapping_nested_too_deeply_is_refused():
    value: dict = {}
    for _ in range(70):
        value = {"a": value}
    assert "deeper than 64" in refused(value)[0]


@pytest.mark.parametrize(
    "text", ["name: x\nsteps:\n  - id: a\n    needs: [b, c]\n", '{"name": "x",\n "steps":\n  [{"id": "a",\n "needs": ["b", "c"]}]}']
)
def test_every_path_has_its_position_in_yaml_and_in_json(text):
    source = read(text)
    lines = text.splitlines()
    for path, word in (("name", "name"), ("steps[0].id", "id"), ("steps[0].needs[1]", "c")):
        line, column = source.position(path)
        assert lines[line - 1][column - 1 :].lstrip("\"'").startswith(word)


def test_a_path_that_is_not_there_has_the_position_of_what_is_around_it():
    source = read("name: x\nsteps:\n  - id: a\n")
    assert source.position("steps[0].with.url") == (3, 5)
    assert source.position("steps[0].id.x[3]") == (3, 5)
    assert source.position("nothing") == (1, 1)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_what_json_says_is_what_is_read(value):
    assert read(json.dumps(value)).value == value


@given(st.text(alphabet="ab:-[]{}&*!#|>'\",?%@`~ \n\t1.", max_size=80))
def test_any_text_is_read_or_refused_with_a_message(text):
    try:
        read(text)
    except DefinitionError as error:
        assert str(error)


@pytest.mark.parametrize("text", ["a: [" + "b," * 200_000 + "]", "- - a\n" * 100_000, "a: " + "[" * 60 + "b," * 200_000])
def test_yaml_of_too_many_parts_is_refused_before_it_is_read_to_its_end(text):
    """A megabyte of commas would keep a processor for 13 seconds."""
    with pytest.raises(DefinitionError, match="more than 100,000 parts: write what is that large as JSON"):
        read(text)
