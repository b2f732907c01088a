"""Names and durations that fit."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.dashboard.cutting import brief, cleaned, cut


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@pytest.mark.parametrize(
    ("text", "short"), [("load", "load"), ("load_all", "load_a…"), ("データ", "データ"), ("データ処理", "デー…"), ("", "")]
)
def test_what_is_longer_ends_in_an_ellipsis(text, short):
    assert cut(text, 7 if text.isascii() else 6) == short


@given(st.text(max_size=40), st.integers(2, 30))
def test_it_is_never_wider_than_it_may_be_and_whole_where_it_fits(text, most):
    assert columns(cut(text, most)) <= most
    if columns(cleaned(text)) <= most:
        assert cut(text, most) == cleaned(text)


@given(st.text(max_size=40))
def test_nothing_that_is_not_seen_is_left_and_nothing_else_changes(text):
    assert len(cleaned(text)) == len(text)
    assert not {unicodedata.category(c) for c in cleaned(text)} & {"Cc", "Cf", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 ms"), (0.0404, "40 ms"), (0.9999999, "1 s"), (59.4, "59 s"), (60, "1m 0s"), (72, "1m 12s"), (8_100, "2h 15m"),
        (273_600, "3d 4h"),
    ],
)  # fmt: skip
def test_durations_are_brief(seconds, words):
    assert brief(seconds) == words
