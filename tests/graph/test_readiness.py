"""Tests of the trigger rules: the table by example, and what must hold for every count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.graph.readiness import Dependencies, Readiness, decide

RULES = ["all_success", "none_failed", "all_done", "one_success"]
counts = st.integers(0, 4)


def outcome(rule: str, *, remaining: int = 0, succeeded: int = 0, failed: int = 0, skipped: int = 0) -> Readiness:
    return decide(rule, Dependencies(remaining=remaining, succeeded=succeeded, failed=failed, skipped=skipped))


@pytest.mark.parametrize("rule", RULES)
def test_a_step_without_dependencies_runs(rule):
    assert outcome(rule) is Readiness.RUN


@pytest.mark.parametrize(
    ("rule", "ends", "expected"),
    [
        ("all_success", {"succeeded": 2}, Readiness.RUN),
        ("all_success", {"succeeded": 1, "skipped": 1}, Readiness.SKIP),
        ("all_success", {"succeeded": 1, "failed": 1}, Readiness.BLOCK),
        ("all_success", {"failed": 1, "skipped": 1}, Readiness.BLOCK),
        ("none_failed", {"succeeded": 1, "skipped": 1}, Readiness.RUN),
        ("none_failed", {"skipped": 2}, Readiness.SKIP),
        ("none_failed", {"succeeded": 1, "failed": 1}, Readiness.BLOCK),
        ("all_done", {"failed": 1, "skipped": 1}, Readiness.RUN),
        ("one_success", {"succeeded": 1, "remaining": 3}, Readiness.RUN),
        ("one_success", {"skipped": 1, "remaining": 1}, Readiness.WAIT),
        ("one_success", {"skipped": 2}, Readiness.SKIP),
        ("one_success", {"failed": 1, "skipped": 1}, Readiness.BLOCK),
    ],
)
def test_the_rules(rule, ends, expected):
    assert outcome(rule, **ends) is expected


@given(st.sampled_from(RULES), counts, counts, counts)
def test_when_nothing_is_open_the_step_never_waits(rule, succeeded, failed, skipped):
    assert outcome(rule, succeeded=succeeded, failed=failed, skipped=skipped) is not Readiness.WAIT


@given(st.sampled_from(RULES), st.integers(1, 4), counts, counts, counts)
def test_with_something_open_only_one_success_decides(rule, remaining, succeeded, failed, skipped):
    early = outcome(rule, remaining=remaining, succeeded=succeeded, failed=failed, skipped=skipped)
    assert early is (Readiness.RUN if rule == "one_success" and succeeded else Readiness.WAIT)


@given(counts, counts, counts)
def test_all_done_always_runs_in_the_end(succeeded, failed, skipped):
    assert outcome("all_done", succeeded=succeeded, failed=failed, skipped=skipped) is Readiness.RUN
