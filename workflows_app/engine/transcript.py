"""What one attempt says, as much of it as is kept: the beginning as it comes, the last part at its end, between them a count."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

Line = dict[str, Any]
MOST_LINES, MOST_CHARACTERS = 2_000, 1_000_000
LAST_LINES = 1_000
LAST_SHARE = 10


@dataclass(slots=True)
class Room:
    """How much one commit takes, at least one line."""

    lines: int = MOST_LINES
    characters: int = MOST_CHARACTERS

    def __bool__(self) -> bool:
        return self.lines > 0 and self.characters > 0

    def take(self, lines: list[Line]) -> list[Line]:
        """Take from the front what fits."""
        count = 0
        while self and count < len(lines):
            self.lines -= 1
            self.characters -= len(lines[count]["message"])
            count += 1
        taken = lines[:count]
        del lines[:count]
        return taken


class Transcript:
    """At most MAX_LOG_LINES and MAX_LOG_BYTES. The action's threads add, the ledger's takes."""

    __slots__ = (
        "_bytes_cut",
        "_bytes_left",
        "_bytes_of_last",
        "_first",
        "_is_begun",
        "_is_over",
        "_last",
        "_lines_cut",
        "_lines_left",
        "_lock",
        "last_bytes",
        "last_lines",
    )  # fmt: skip

    def __init__(self) -> None:
        self._is_begun = False  # most steps say nothing: the limits are looked up for the first line
        self._first: list[Line] = []
        self._last: deque[Line] = deque()
        self._bytes_of_last = self._lines_cut = self._bytes_cut = 0
        self._is_over = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many lines could be taken."""
        return len(self._first)

    def add(self, line: Line) -> None:
        size = _size(line)
        with self._lock:
            if self._is_over:
                return
            if not self._is_begun:
                self._begin()
            if self._last or not self._lines_left or size > self._bytes_left:
                return self._add_last(line, size)
            self._lines_left -= 1
            self._bytes_left -= size
            self._first.append(line)

    def extend(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.add(line)

    def take(self, room: Room) -> list[Line]:
        """What was said since the last look, of the beginning."""
        with self._lock:
            return room.take(self._first)

    def end(self) -> list[Line]:
        """All that is left, after which nothing more is heard. The last line is always among it."""
        with self._lock:
            self._is_over = True
            lines = [*self._first, *self._mark(), *self._last]
            self._first, self._last = [], deque()
            return lines

    def _begin(self) -> None:
        most_lines, most_bytes = settings.ENV.max_log_lines, settings.ENV.max_log_bytes
        self.last_lines = min(LAST_LINES, most_lines // LAST_SHARE)
        self.last_bytes = most_bytes // LAST_SHARE
        self._lines_left, self._bytes_left = most_lines - self.last_lines, most_bytes - self.last_bytes
        self._is_begun = True

    def _add_last(self, line: Line, size: int) -> None:
        self._last.append(line)
        self._bytes_of_last += size
        while len(self._last) > 1 and (len(self._last) > self.last_lines or self._bytes_of_last > self.last_bytes):
            cut = _size(self._last.popleft())
            self._bytes_of_last -= cut
            self._lines_cut += 1
            self._bytes_cut += cut

    def _mark(self) -> list[Line]:
        if not self._lines_cut:
            return []
        most = f"at most {settings.ENV.max_log_lines:,} lines (MAX_LOG_LINES) and {settings.ENV.max_log_bytes:,} bytes (MAX_LOG_BYTES)"
        message = f"… {self._lines_cut:,} lines ({self._bytes_cut:,} bytes) are left out here: of one attempt {most} are kept"
        return [{**self._last[0], "level": "WARNING", "message": message}]


def _size(line: Line) -> int:
    text: str = line["message"]
    return len(text) if text.isascii() else len(text.encode())
