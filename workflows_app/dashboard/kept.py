"""What may be a moment old: kept in this process for that long, so that a thousand pages ask the database once.

A hint like every cache here: whatever is decided or shown in full is read from the rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

SECONDS = 1.0
MOST = 2_000

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by key, each for SECONDS from when it began to be made. Two threads may make the same one; both are right."""

    def __init__(self) -> None:
        self._values: dict[Hashable, tuple[float, Value]] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        now = time.monotonic()
        found = self._values.get(key)
        if found and now < found[0]:
            return found[1]
        value = make()
        if len(self._values) >= MOST:
            self._values.clear()
        self._values[key] = (now + SECONDS, value)
        return value

    def clear(self) -> None:
        self._values.clear()
