"""Whether a failed attempt is worth another, and when."""

from __future__ import annotations

import math

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.engine import retry
from workflows_app.graph.definition import Node, RetryPolicy


def test_tries_are_the_first_and_its_retries() -> None:
    assert retry.max_attempts(Node("a", "x", retry=RetryPolicy(retries=0))) == 1
    assert retry.max_attempts(Node("a", "x", retry=RetryPolicy(retries=5))) == 6
    assert retry.max_attempts(Node("a", "x")) == 1 + settings.ENV.retry_max_retries


@pytest.mark.parametrize(
    ("on", "kind", "expected"),
    [
        (None, "anything", True),
        ((), "timeout", False),
        (("timeout",), "timeout", True),
        (("timeout",), "error", False),
        (("5xx",), "503", True),
        (("5xx",), "429", False),
        (("4xx",), "429", True),
        (("429",), "429", True),
        (("5xx",), "5", False),
        (("exx",), "err", True),
    ],
)
def test_a_kind_is_named_by_itself_or_by_its_class(on: tuple[str, ...] | None, kind: str, expected: bool) -> None:
    assert retry.is_worth_retrying(RetryPolicy(on=on), kind) is expected


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1.5), (2, 3), (3, 6), (4, 10), (50, 10), (10**6, 10)])
def test_back_off_doubles_up_to_its_ceiling(failures: int, seconds: float) -> None:
    assert retry.delay_seconds(RetryPolicy(initial_delay=1.5, max_delay=10, jitter=False), failures) == seconds


def test_the_settings_fill_what_the_step_leaves_open() -> None:
    assert retry.delay_seconds(RetryPolicy(jitter=False), 1) == settings.ENV.retry_initial_delay
    assert retry.delay_seconds(RetryPolicy(jitter=False), 99) == settings.ENV.retry_max_delay


@given(st.integers(1, 200), st.floats(0, 86_400), st.floats(0, 86_400), st.floats(0, 1, exclude_max=True))
def test_jitter_keeps_between_half_the_delay_and_the_whole(failures: int, initial: float, ceiling: float, draw: float) -> None:
    whole = retry.delay_seconds(RetryPolicy(initial_delay=initial, max_delay=ceiling, jitter=False), failures)
    found = retry.delay_seconds(RetryPolicy(initial_delay=initial, max_delay=ceiling), failures, draw=lambda: draw)
    assert whole / 2 <= found <= whole <= ceiling


@given(st.floats())
def test_a_wait_that_others_ask_for_is_between_nothing_and_a_year(seconds: float) -> None:
    found = retry.within_bounds(seconds)
    assert 0 <= found <= 366 * 24 * 3600
    assert found == seconds or math.isnan(seconds) or not 0 <= seconds <= 366 * 24 * 3600
