"""Tests of following paths and of saying where they end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.graph.lookup import MISSING, explain, find, kind, write

DATA = {"a": {"rows": [{"x": None}, 2], "text": "abc", "n": 1, "yes": True, "empty": {}}, "b-c": 1}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a", "rows", 0, "x"), None),
        (("a", "rows", "1"), 2),
        (("a", "rows", -1), 2),
        (("b-c",), 1),
        ((), DATA),
    ],
)
def test_a_path_leads_to_its_value(path, expected):
    assert find(path, DATA) == expected


@pytest.mark.parametrize(
    "path",
    [
        ("z",),
        ("a", "z"),
        ("a", "rows", 2),
        ("a", "rows", -3),
        ("a", "rows", "x"),
        ("a", "text", 0),
        ("a", "n", "real"),
        ("a", "text", "upper"),
    ],
)
def test_a_path_that_leads_nowhere_is_missing(path):
    assert find(path, DATA) is MISSING


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("z",), "`z`: there is no `z`; there are: a, b-c"),
        (("a", "row"), "`a.row`: `a` has no `row`; it has: empty, n, rows, text, yes; did you mean 'rows'?"),
        (("a", "empty", "x"), "`a.empty.x`: `a.empty` has no `x`; it has: nothing"),
        (("a", "rows", 5), "`a.rows[5]`: `a.rows` is a list of 2, there is no `5` in it"),
        (("a", "rows", 0, "x", "y"), "`a.rows[0].x.y`: `a.rows[0].x` is null and has no `y`"),
        (("a", "text", "x"), "`a.text.x`: `a.text` is a text and has no `x`"),
        (("a", "n", "x"), "`a.n.x`: `a.n` is a number and has no `x`"),
        (("a", "yes", "x"), "`a.yes.x`: `a.yes` is true and has no `x`"),
    ],
)
def test_the_explanation_says_how_far_it_led(path, message):
    assert explain(path, DATA) == message


def test_a_secret_that_is_not_there_is_told_with_what_to_do():
    assert explain(("secrets", "KEY"), {"secrets": {}}).startswith(
        "the secret `KEY` is not stored, or with a key that is gone: `manage.py sec"
    )


def test_a_long_list_of_names_is_cut():
    assert explain(("x",), {f"n{i:02}": i for i in range(40)}).count(",") == 12


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "null"), (True, "true"), (False, "false"), (1.5, "a number"), ("", "a text"), ([], "a list"), ({}, "an object")],
)
def test_types_have_names(value, words):
    assert kind(value) == words


keys = st.text(alphabet="abcxyz", min_size=1, max_size=3)
data = st.recursive(st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=12)


@given(st.dictionaries(keys, data, min_size=1, max_size=3), st.lists(keys | st.integers(-3, 3), min_size=1, max_size=4))
def test_a_path_either_leads_somewhere_or_is_explained(names, path):
    path = tuple(path)
    if find(path, names) is MISSING:
        assert explain(path, names).startswith(f"`{write(path)}`: ")
    else:
        with pytest.raises(AssertionError):
            explain(path, names)
