"""Tests of reading expressions: what is a name, what is an operator, how texts are taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.graph.syntax import Expression, ExpressionSyntaxError, parse, split


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b.c", ("a", "b", "c")),
        ("a-b.output", ("a-b", "output")),
        ("a.b-c", ("a", "b-c")),
        ("a-.x", ("a-", "x")),
        ("1st.x", ("1st", "x")),
        ("12.x", ("12", "x")),
        ("a.0.b", ("a", "0", "b")),
        ("a[0][-1]", ("a", 0, -1)),
        ("a[ 2 ].b", ("a", 2, "b")),
        ("a['b c'].d", ("a", "b c", "d")),
        ('a["b"]', ("a", "b")),
        ("true.x", ("true", "x")),
    ],
)
def test_a_path_is_one_name_with_its_segments(text, path):
    expression = parse(text)
    assert expression.is_path
    assert expression.paths == (path,)


@pytest.mark.parametrize(
    ("text", "source", "count"),
    [
        ("a - b", "v0 - v1", 2),
        ("a.x + 1", "v0 + 1", 1),
        ("5-3", "5 - 3", 0),
        ("1.5 * a", "1.5 * v0", 1),
        ("not a and b.c", "not v0 and v1", 2),
        ("a|default('x')", "v0 | default ( 'x' )", 1),
        ("a is not none", "v0 is not none", 1),
        ("a[b.c]", "v0 [ v1 ]", 2),
        ("a[b].c", "v0 [ v1 ] .c", 2),
        ("'a.b'", "'a.b'", 0),
        ("true", "true", 0),
    ],
)
def test_paths_are_replaced_and_the_rest_stays(text, source, count):
    expression = parse(text)
    assert expression.source == source
    assert len(expression.paths) == count


@pytest.mark.parametrize(
    "text", ["a..b", "a.", ".a", "a[", "a[]", "a ! b", "a & b", "a; b", "{a}", "a => b", "a = b", "'a", "a\\b", "#", "a?b"]
)
def test_what_is_not_of_the_language_is_not_read(text):
    from workflows_app.graph.expressions import ExpressionError, references

    with pytest.raises(ExpressionError):
        references("{{ " + text + " }}")


def test_only_paths_that_a_multiplication_meets_bare_must_be_numbers():
    assert parse("a * b|length").factors == (0,)
    assert parse("a + b").factors == ()
    assert parse("'*' + a").factors == ()
    with pytest.raises(ExpressionSyntaxError, match="only numbers"):
        parse("a * 'b'")


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("plain", ["plain"]),
        ("{{ a }}", [None]),
        ("x{{ a }}y{{ b }}", ["x", None, "y", None]),
        ("{{ a }}{{ b }}", [None, None]),
        ("{{ '}}' }}", [None]),
        ("{ { a } }", ["{ { a } }"]),
        ("}} a", ["}} a"]),
        ("", []),
    ],
)
def test_a_text_is_taken_apart_at_its_braces(text, shape):
    assert [None if isinstance(piece, Expression) else piece for piece in split(text)] == shape


@pytest.mark.parametrize("text", ["{{ a", "x {{", "{{ a }", "{{ 'a }}", "{{ a }} {{ b"])
def test_open_braces_are_refused(text):
    with pytest.raises(ExpressionSyntaxError):
        split(text)


@given(st.text(max_size=40))
def test_a_text_without_double_braces_is_one_piece(text):
    if "{{" not in text:
        assert split(text) == ((text,) if text else ())


@given(st.lists(st.sampled_from(["a", "bc", "x-y", "_z", "r2"]), min_size=1, max_size=5))
def test_any_dotted_name_is_a_path(segments):
    assert parse(".".join(segments)).paths == (tuple(segments),)
