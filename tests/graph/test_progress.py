"""Tests of progress and durations as the contract writes them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.graph.progress import format_duration, progress
from workflows_app.graph.weight import weigh


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_progress_is_whole_rises_and_is_100_exactly_at_the_end(total, done):
    done = min(done, total)
    assert progress(done=done, total=total) == int(done / total * 100) or abs(progress(done=done, total=total) - done / total * 100) < 1
    assert (progress(done=done, total=total) == 100) == (done == total)
    assert progress(done=max(0, done - 1), total=total) <= progress(done=done, total=total)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 sec"), (5.9, "5 sec"), (59.99, "59 sec"), (60, "1 min 0 sec"), (90, "1 min 30 sec"), (8100, "2 hr 15 min"), (-3, "0 sec")],
)
def test_durations_are_written_in_words(seconds, expected):
    assert format_duration(timedelta(seconds=seconds)) == expected


def test_shared_parts_weigh_each_time():
    part: list = [1]
    for _ in range(60):
        part = [part, part]
    assert weigh(part, 1000) > 1000


@given(st.lists(st.text(max_size=5)))
def test_weight_grows_with_the_text(values):
    assert weigh(values) >= sum(map(len, values))
