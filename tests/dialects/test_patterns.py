"""Tests of the linear regular expressions."""

from __future__ import annotations

import pytest

from workflows_app.dialects.patterns import BadPattern, search, weight


def test_a_pattern_matches_anywhere_unless_it_is_anchored():
    assert search("b+", "abbc")
    assert not search("^b+", "abbc")
    assert search(r"^\p{Lu}\w*$", "Änne")


@pytest.mark.parametrize(("pattern", "reason"), [("a(", "unclosed group"), ("(?<=a)b", "look-around"), (r"(a)\1", "backreferences")])
def test_a_pattern_that_is_not_taken_says_why(pattern, reason):
    with pytest.raises(BadPattern, match=reason):
        search(pattern, "")


@pytest.mark.parametrize(
    ("pattern", "states"),
    [("abc", 3), ("a{3}", 3), ("(ab){2,5}c", 11), ("(a{10}){10}", 100), ("[(){9}]", 5), (r"\({3}", 15), ("a{0}b", 2), ("a+(b|c)*", 6)],
)
def test_repetitions_weigh_what_they_repeat(pattern, states):
    assert weight(pattern) == states
