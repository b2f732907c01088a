"""Tests of the expression language: what is looked up, what is computed, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.graph.expressions import MAX_RENDERED, ExpressionError, as_text, is_templated, references, render, uses

NAMES = {
    "params": {"day": "2026-11-21", "n": 3, "on": True, "nothing": None, "i": 1},
    "input": {"day": "2026-11-21"},
    "fetch": {
        "output": {"rows": [{"q": 1}, {"q": 2}], "f": 2.0, "text": "x<b>", "items": [7], "keys": "k"},
        "status": "COMPLETED",
        "error": "",
    },
    "a-b": {"output": {"x": 1}},
    "1st": {"output": 5},
    "7": {"output": 6},
    "steps": {"fetch": {"output": {"f": 2.0}}},
}


def refused(text: str, names=NAMES) -> str:
    with pytest.raises(ExpressionError) as caught:
        render({"field": [text]}, names)
    assert caught.value.path == "field[0]"
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ params.day }}", "2026-11-21"),
        ("{{params.n}}", 3),
        ("{{ params.on }}", True),
        ("{{ params.nothing }}", None),
        ("{{ fetch.output.f }}", 2.0),
        ("{{ fetch.output.rows }}", [{"q": 1}, {"q": 2}]),
        ("{{ fetch.output.rows[1].q }}", 2),
        ("{{ fetch.output.rows.0.q }}", 1),
        ("{{ fetch.output.rows[-1].q }}", 2),
        ("{{ fetch.output.rows[params.i].q }}", 2),
        ("{{ fetch.output['text'] }}", "x<b>"),
        ("{{ fetch.output.items }}", [7]),
        ("{{ fetch.output.keys }}", "k"),
        ("{{ steps.fetch.output.f }}", 2.0),
        ("{{ a-b.output.x }}", 1),
        ("{{ 1st.output }}", 5),
        ("{{ 7.output }}", 6),
    ],
)
def test_a_text_that_is_exactly_one_path_keeps_the_type_of_its_value(text, expected):
    result = render(text, NAMES)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("day {{ params.day }}!", "day 2026-11-21!"),
        ("{{ params.n }}{{ params.on }}", "3true"),
        ("<{{ params.nothing }}>", "<null>"),
        ("rows: {{ fetch.output.rows }}", 'rows: [{"q": 1}, {"q": 2}]'),
        ("no expression", "no expression"),
        ("{% if x %} {# not a program #}", "{% if x %} {# not a program #}"),
        ("{{ 'a {{ b }} c' }}", "a {{ b }} c"),
        ("{ {params} }", "{ {params} }"),
    ],
)
def test_in_a_longer_text_values_are_written_as_json(text, expected):
    assert render(text, NAMES) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ params.n + 1 }}", 4),
        ("{{ params.n - 1 }}", 2),
        ("{{ params.n * 5 }}", 15),
        ("{{ fetch.output.rows|length * 2 }}", 4),
        ("{{ params.n / 2 }}", 1.5),
        ("{{ params.n > 2 and not params.nothing }}", True),
        ("{{ 'big' if params.n > 2 else 'small' }}", "big"),
        ("{{ fetch.output.rows|length }}", 2),
        ("{{ fetch.output.items|join('-') }}", "7"),
        ("{{ fetch.output.text|upper|replace('X', 'y') }}", "y<B>"),
        ("{{ fetch.output.rows|tojson }}", '[{"q": 1}, {"q": 2}]'),
        ("{{ params.missing|default('q') }}", "q"),
        ("{{ params.missing is defined }}", False),
        ("{{ params.missing is not defined }}", True),
        ("{{ params.day if params.on else params.missing }}", "2026-11-21"),
        ("{{ fetch.output.items + [8] }}", [7, 8]),
        ("{{ fetch.output.rows[0:1] }}", [{"q": 1}]),
        ("{{ 'it\\'s' }}", "it's"),
        ("{{ params.nothing or 'else' }}", "else"),
        ("{{ 7.5 }}", 7.5),
        ("{{ '7' in '678' }}", True),
    ],
)
def test_operators_filters_and_tests_compute(text, expected):
    assert render(text, NAMES) == expected


def test_lists_and_mappings_are_rendered_inside_and_keys_stay():
    value = {"{{ params.day }}": ["{{ params.n }}", {"deep": "{{ params.day }}"}], "number": 4, "none": None}
    assert render(value, NAMES) == {"{{ params.day }}": [3, {"deep": "2026-11-21"}], "number": 4, "none": None}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ fetch.output.rowz }}", "`fetch.output` has no `rowz`; it has: f, items, keys, rows, text; did you mean 'rows'?"),
        ("{{ fetc.output }}", "there is no `fetc`; there are: 1st, 7, a-b, fetch, input, params, steps; did you mean 'fetch'?"),
        ("{{ fetch.output.rows[5] }}", "`fetch.output.rows` is a list of 2, there is no `5` in it"),
        ("{{ params.day.month }}", "`params.day` is a text and has no `month`"),
        ("{{ params.nothing.x }}", "`params.nothing` is null"),
        ("{{ params.n.x }}", "`params.n` is a number"),
        ("{{ params.on.x }}", "`params.on` is true"),
        ("{{ params.n-1 }}", "for a subtraction put blanks around the `-`"),
        ("{{ params.missing + 1 }}", "`params` has no `missing`"),
        ("{{ params.missing if params.on else 1 }}", "`params` has no `missing`"),
        ("{{ params.n / 0 }}", "unable to calculate 3 / 0"),
        ("{{ params.day", "is not closed"),
        ("{{ }}", "is empty"),
        ("{{ params.day params.n }}", "unexpected input"),
        ("{{ 1e400 }}", "JSON cannot hold"),
    ],
)
def test_an_error_says_what_was_there(text, message):
    assert message in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ params.__class__ }}",
        "{{ params.__class__.__mro__ }}",
        "{{ fetch.output['__class__'] }}",
        "{{ params.day.upper() }}",
        "{{ params.day.format('x') }}",
        "{{ range(10) }}",
        "{{ dict(a=1) }}",
        "{{ namespace() }}",
        "{{ debug() }}",
        "{{ cycler }}",
        "{{ lipsum() }}",
        "{{ self }}",
        "{{ params|attr('__class__') }}",
        "{{ [1]|map('upper') }}",
        "{{ [1]|select }}",
        "{{ '%500000000d'|format(1) }}",
        "{{ 'a'|indent(99999999) }}",
        "{{ 'a' ~ 'b' }}",
        "{{ 2 ** 9999 }}",
        "{{ {'a': 1} }}",
        "{{ params.day; params.n }}",
        "{{ lambda: 1 }}",
        "{{ [x for x in params] }}",
        "{{ params.day = 1 }}",
        "{{ loop.index }}",
        "{{ import os }}",
        "{{ params.day is callable }}",
        "{{ `ls` }}",
        "{{ $PATH }}",
        "{{ @x }}",
        "{{ '\\x41'.__init__ }}",
        "{{ ().__class__.__bases__[0].__subclasses__() }}",
        "{{ caller() }}",
        "{{ (params.day).upper() }}",
        "{{ (params.day).__class__ }}",
        "{{ [params].append(1) }}",
        "{{ super() }}",
        "{{ joiner }}",
    ],
)
def test_whatever_is_not_a_look_up_or_a_listed_operation_is_refused(text):
    assert refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 50000000 }}",
        "{{ 50000000 * 'x' }}",
        "{{ params.day * 50000000 }}",
        "{{ [1] * 50000000 }}",
        "{{ fetch.output.items * 50000000 }}",
        "{{ ('x'|upper) * 50000000 }}",
        "{{ (params.n|string) * 50000000 }}",
        "{{ (params.day) * 50000000 }}",
        "{{ params.day|default('x') * 50000000 }}",
        "{{ fetch.output.rows|last * 50000000 }}",
    ],
)
def test_nothing_but_numbers_can_be_multiplied(text):
    assert "only numbers may be used" in refused(text)


def test_a_value_is_never_evaluated_again():
    names = {"params": {"evil": "{{ params.secret }}", "secret": "s3cret"}}
    assert render("{{ params.evil }}", names) == "{{ params.secret }}"
    assert render("<{{ params.evil }}>", names) == "<{{ params.secret }}>"
    assert render("{{ params.evil|lower }}", names) == "{{ params.secret }}"


def test_many_uses_of_a_large_value_are_refused():
    names = {"params": {"big": "x" * 1_000_000, "rows": [["x" * 1000] * 1000]}}
    assert render(["{{ params.big }}"] * 7, names)
    for text in ("{{ params.big }}", "{{ params.rows }}", "a{{ params.rows }}"):
        with pytest.raises(ExpressionError, match="larger than"):
            render([text] * 20, names)


@pytest.mark.parametrize("text", ["{{ params.many|join(params.big) }}", "{{ params.big|replace('x', params.big) }}"])
def test_filters_cannot_make_a_large_text_of_two_smaller_ones(text):
    names = {"params": {"many": ["a"] * 10_000, "big": "x" * 100_000}}
    assert f"larger than {MAX_RENDERED:,}" in refused(text, names)


def test_a_very_long_expression_or_one_that_reads_very_much_is_refused():
    assert "2000 characters" in refused("{{ " + "1 + " * 1000 + "1 }}")
    assert "20 values" in refused("{{ " + " + ".join(["params.n"] * 21) + " }}")


def test_references_name_parameters_and_steps():
    value = {"a": "{{ params.day }} {{ steps.fetch.output.x }}", "b": ["{{ a-b.output[params.i] }}", "{{ workflow.id }}"], "c": 3}
    assert references(value) == {"params.day", "fetch", "a-b", "params.i", "workflow"}


def test_each_use_tells_where_it_stands():
    found = {(use.where, use.name) for use in uses({"json": {"rows": ["{{ fetch.output }}"]}, "url": "{{ params.day }}"}, "with")}
    assert found == {("with.json.rows[0]", "fetch"), ("with.url", "params.day")}


def test_a_text_with_braces_counts_as_templated():
    assert is_templated({"a": ["x {{ y }}"]})
    assert not is_templated({"a": ["x } y {"], "n": 3})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_any_value_comes_out_as_it_went_in(value):
    assert render("{{ fetch.output }}", {"fetch": {"output": value}}) == value


@given(json_values)
def test_data_without_expressions_is_left_as_it_is(value):
    if not is_templated(value):
        assert render(value, {}) == value


@given(st.text(alphabet="{}[]()'\"|.*+-/% abcxparms019_,:<>=!~`$@\\\n", max_size=60))
def test_any_text_is_rendered_or_refused_with_a_message(text):
    try:
        render("{{ " + text + " }}", NAMES)
    except ExpressionError as error:
        assert error.message


@given(
    st.lists(
        st.sampled_from(["(", "[", "not ", "-", "params.n", ")", "]", " if ", " else ", "|", "first", " is ", "none", ","]), max_size=600
    )
)
def test_any_row_of_tokens_is_rendered_or_refused_with_a_message(tokens):
    try:
        as_text(render("{{ " + "".join(tokens) + " }}", NAMES))
    except ExpressionError as error:
        assert error.message
