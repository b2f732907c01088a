"""Whether a failed attempt is worth another, and when."""

from __future__ import annotations

import random
from collections.abc import Callable

from django.conf import settings

from workflows_app.graph.definition import Node, RetryPolicy

MAX_WAIT_SECONDS = 366 * 24 * 3600.0


def max_attempts(node: Node) -> int:
    """Tries a step may use up: the first, and its retries (RETRY_MAX_RETRIES unless the step says otherwise)."""
    retries = node.retry.retries
    return 1 + (settings.ENV.retry_max_retries if retries is None else retries)


def is_worth_retrying(policy: RetryPolicy, kind: str) -> bool:
    """Whether `retry.on` names this kind of failure: itself, or its class (`"5xx"` for `503`)."""
    if policy.on is None:
        return True
    return kind in policy.on or (len(kind) == 3 and f"{kind[0]}xx" in policy.on)


def delay_seconds(policy: RetryPolicy, failures: int, draw: Callable[[], float] = random.random) -> float:
    """Exponential back-off after the `failures`-th failure, with full jitter in its upper half
    (cf. "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): between half the delay and the whole."""
    initial = settings.ENV.retry_initial_delay if policy.initial_delay is None else policy.initial_delay
    ceiling = settings.ENV.retry_max_delay if policy.max_delay is None else policy.max_delay
    whole = min(ceiling, initial * 2.0 ** min(failures - 1, 60))
    return whole * (0.5 + 0.5 * draw()) if policy.jitter else whole


def within_bounds(seconds: float) -> float:
    """A wait that somebody else asked for (a server's Retry-After, a task): from nothing to a year."""
    return min(max(seconds, 0.0), MAX_WAIT_SECONDS) if seconds == seconds else 0.0  # noqa: PLR0124  NaN alone differs from itself
