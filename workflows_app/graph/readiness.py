"""Whether a step may run, given how its dependencies ended (CONTRACT.md section 7, trigger rules)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

TriggerRule = Literal["all_success", "none_failed", "all_done", "one_success"]


class Readiness(StrEnum):
    WAIT = "wait"
    RUN = "run"
    SKIP = "skip"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """How many dependencies of a step are still open, and how the others ended.

    `failed` counts those that failed (or were blocked by a failure) without `on_failure: continue`;
    `skipped` those that a condition or a branch ruled out.
    """

    remaining: int
    succeeded: int
    failed: int
    skipped: int


def decide(rule: TriggerRule, dependencies: Dependencies) -> Readiness:
    """The one rule table. A step decides once: nothing but WAIT is ever taken back."""
    d = dependencies
    if rule == "one_success" and d.succeeded:
        return Readiness.RUN
    if d.remaining:
        return Readiness.WAIT
    if rule == "all_done" or not (d.succeeded or d.failed or d.skipped):
        return Readiness.RUN
    if d.failed:
        return Readiness.BLOCK
    if rule == "all_success":
        return Readiness.SKIP if d.skipped else Readiness.RUN
    return Readiness.RUN if d.succeeded else Readiness.SKIP
