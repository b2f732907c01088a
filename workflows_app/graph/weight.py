"""How large a JSON value is, told without writing it out: shared parts count each time, as they would in the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_WEIGHT = 8_000_000


def weigh(value: Any, limit: int = MAX_WEIGHT) -> int:
    """About how many characters the value has as JSON; stops counting soon after `limit`."""
    total, queue = 0, [value]
    while queue and total <= limit:
        item = queue.pop()
        total += len(item) + 2 if isinstance(item, str) else 4
        if isinstance(item, Mapping):
            queue += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            queue += item
    return total
