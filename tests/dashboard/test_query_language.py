"""The small language of the search box."""

import pytest

from workflows_app.dashboard.query_language import KEYS, Term, parse, quoted


def terms(text: str) -> list[tuple[str, str]]:
    return [(term.key, term.value) for term in parse(text).terms]


def test_words_stand_for_themselves_and_keys_have_values():
    assert terms('night load tag:eu  step:load error:"HTTP 504: gone" TEMPLATE:nightly') == [
        ("", "night"), ("", "load"), ("tag", "eu"), ("step", "load"), ("error", "HTTP 504: gone"), ("template", "nightly"),
    ]  # fmt: skip


def test_words_in_quotes_are_one():
    assert terms('"night load" "a:b"') == [("", "night load"), ("", "a:b")]


@pytest.mark.parametrize("value", ['say "no"', "C:\\temp\\", "", "a:b c", "ü 🙂", '\\"'])
def test_a_quoted_value_comes_back_as_it_was(value):
    found = parse(f"x error:{quoted(value)} y")
    assert [term.value for term in found.terms if term.key == "error"] == ([value.strip()] if value else [])


@pytest.mark.parametrize("text", ["foo:bar", 'Foo:"b c"'])
def test_an_unknown_key_is_told_with_those_that_there_are(text):
    found = parse(f"{text} load")
    assert found.terms == (Term("", "load", "load"),)
    assert "is not a key of the search" in found.problems[0]
    assert all(f"{key}:" in found.problems[0] for key in KEYS)


def test_a_key_without_a_value_is_told():
    assert parse("tag:").problems == ("“tag:” is not complete: write tag:something, without a space after the colon.",)
    assert parse('error:""').terms == ()


@pytest.mark.parametrize("text", ['"', 'error:"never closed', "::", ":x", "a:b:c", "\\", '""""', "x" * 2_000, "\x00", "tag:eu:west"])
def test_nothing_that_is_typed_breaks_it(text):
    found = parse(text)
    assert all(term.typed in text for term in found.terms)


def test_there_is_one_thing_that_a_workflow_can_be_said_to_be():
    assert terms("is:waiting") == [("is", "waiting")]
    assert "There is is:waiting" in parse("is:slow").problems[0]


def test_a_part_can_be_taken_out():
    found = parse('night tag:eu error:"a b"')
    assert [found.without(term) for term in found.terms] == ['tag:eu error:"a b"', 'night error:"a b"', "night tag:eu"]
