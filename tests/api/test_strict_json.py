"""JSON as we take it."""

from __future__ import annotations

import json

import pytest

from workflows_app.api.strict_json import MAX_DEPTH, Malformed, Refused, loads


@pytest.mark.parametrize("value", [None, True, 0, -1.5, "", "größe 😀", [], {}, {"a": [1, {"b": None}]}, 10**30])
def test_json_is_read(value: object) -> None:
    assert loads(json.dumps(value)) == value
    assert loads(json.dumps(value).encode("utf-16")) == value


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", "nul", "1 2", b"\xff\xfe\xff", b"\x80", "9" * 5_000, '"\n"'])
def test_what_is_not_json_is_malformed(text: str | bytes) -> None:
    with pytest.raises(Malformed, match="This is not JSON"):
        loads(text)


@pytest.mark.parametrize("text", ["NaN", '{"a": [Infinity]}', "-Infinity", "1e400", "[-1e999]"])
def test_numbers_that_json_does_not_know_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        loads(text)


@pytest.mark.parametrize("text", [r'"\u0000"', r'{"a\u0000": 1}', r'[[{"a": ["\u0000"]}]]', r'"\ud800"', r'{"\udfff": 1}'])
def test_text_that_no_database_keeps_is_refused_in_keys_and_values(text: str) -> None:
    with pytest.raises(Refused, match="NUL"):
        loads(text)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert loads(r'"\ud83d\ude00"') == "😀"


@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_counted_exactly(left: str, right: str) -> None:
    loads(left * MAX_DEPTH + "1" + right * MAX_DEPTH)
    with pytest.raises(Refused, match="64 levels"):
        loads(left * (MAX_DEPTH + 1) + "1" + right * (MAX_DEPTH + 1))


def test_a_hundred_thousand_brackets_are_refused_and_not_a_crash() -> None:
    with pytest.raises(Refused, match="64 levels"):
        loads("[" * 100_000 + "]" * 100_000)
