"""Tests of the names that expressions and conditions read."""

import pytest

from workflows_app.graph.names import MAX_COMPARED, STEP_ID, did_you_mean, is_step, reference, step_field


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("params", "day"), "params.day"),
        (("params", "day", "month"), "params.day"),
        (("input", "day"), "params.day"),
        (("params",), "params"),
        (("steps", "fetch", "output"), "fetch"),
        (("steps",), "steps"),
        (("fetch", "output", 0), "fetch"),
        (("workflow", "id"), "workflow"),
        (("engine", "url"), "engine"),
        (("payload", "x"), "payload"),
    ],
)
def test_a_path_refers_to_a_parameter_a_step_or_a_built_in_name(path, expected):
    assert reference(path) == expected


def test_only_names_that_are_not_reserved_are_steps():
    assert is_step("fetch")
    assert is_step("a-b")
    assert not any(is_step(name) for name in ("params.day", "params", "payload", "workflow", "engine", "steps", "item"))


def test_the_field_of_a_step_is_found_with_and_without_the_steps_prefix():
    assert step_field(("fetch", "output", "x")) == "output"
    assert step_field(("steps", "fetch", "status")) == "status"
    assert step_field(("fetch",)) is None
    assert step_field(("steps", "fetch")) is None
    assert step_field(("params", "day")) is None


def test_a_near_word_is_suggested_and_a_far_one_is_not():
    assert did_you_mean("ulr", ["url", "method"]) == "; did you mean 'url'?"
    assert did_you_mean("zebra", ["url", "method"]) == ""


def test_only_so_many_names_are_compared_and_no_long_ones():
    """Two long words take milliseconds each; a text of a megabyte could ask for millions of comparisons."""
    far = ["zzz"] * (MAX_COMPARED - 1)
    assert did_you_mean("ulr", [*far, "url"]) == "; did you mean 'url'?"
    assert did_you_mean("ulr", [*far, "zzz", "url"]) == ""
    assert did_you_mean("ulr", [*far, "far too long", "url"]) == "; did you mean 'url'?"
    assert did_you_mean("u" * 61, ["u" * 60]) == ""


@pytest.mark.parametrize("id", ["a", "A-1", "_x", "1st", "fetch_page-2"])
def test_letters_digits_hyphens_and_underscores_make_an_id(id):
    assert STEP_ID.fullmatch(id)


@pytest.mark.parametrize("id", ["", "-a", "a b", "a.b", "ä", "a\n", "a/b", "{{a}}"])
def test_anything_else_does_not_make_an_id(id):
    assert not STEP_ID.fullmatch(id)
