"""A stretch of what a step said: the last lines, those around one of them, those before or after; and a search over all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from workflows_app.engine.report.logs import LEVELS
from workflows_app.models import LogLine

MOST_LINES = 2_000
MOST_MATCHES = 1_000
LOWEST = LEVELS[0]
COLUMNS = ("id", "at", "level", "attempt", "message")


@dataclass(frozen=True, slots=True)
class Line:
    """`number` is its place in the step's whole log, counted from 1."""

    key: int
    number: int
    at: datetime
    level: str
    attempt: int
    message: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines in order, and how many of those chosen are before and after them."""

    lines: Sequence[Line]
    earlier: int
    later: int


@dataclass(frozen=True, slots=True)
class Log:
    """What one step said: of one attempt only (None: of all), of this level and above."""

    step_id: int
    attempt: int | None = None
    level: str = LOWEST

    def count(self) -> int:
        return self._chosen().count()

    def tail(self) -> Stretch:
        """The last lines."""
        return self._stretch(self._before(None, MOST_LINES))

    def around(self, key: int) -> Stretch:
        """The line with this key in the middle, as far as there are lines on both sides."""
        before = self._before(key, MOST_LINES // 2)
        return self._stretch([*before, *self._from(key, MOST_LINES - len(before))])

    def before(self, number: int) -> Stretch:
        """Lines above the one with this number."""
        key = self.key_of(number)
        return self._stretch(self._before(key, MOST_LINES) if key else [])

    def after(self, key: int) -> Stretch:
        """Lines that came since the one with this key."""
        return self._stretch(self._from(key + 1, MOST_LINES))

    def key_of(self, number: int) -> int | None:
        """Of the line with this number in the whole log."""
        found = self._whole().values_list("id", flat=True)[max(0, number - 1) : max(1, number)]
        return next(iter(found), None)

    def matches(self, words: str) -> list[int]:
        """Keys of the lines in which the words are, the first thousand; capitals do not matter."""
        found = self._chosen().filter(message__icontains=words).values_list("id", flat=True)
        return list(found[:MOST_MATCHES])

    def _whole(self) -> QuerySet[LogLine]:
        return LogLine.objects.filter(step_id=self.step_id).order_by("id")

    def _chosen(self) -> QuerySet[LogLine]:
        found = self._whole() if self.attempt is None else self._whole().filter(attempt=self.attempt)
        return found if self.level == LOWEST else found.filter(level__in=LEVELS[LEVELS.index(self.level) :])

    def _before(self, key: int | None, most: int) -> list[tuple[int, datetime, str, int, str]]:
        found = self._chosen() if key is None else self._chosen().filter(id__lt=key)
        return list(found.order_by("-id").values_list(*COLUMNS)[:most])[::-1]

    def _from(self, key: int, most: int) -> list[tuple[int, datetime, str, int, str]]:
        return list(self._chosen().filter(id__gte=key).values_list(*COLUMNS)[:most])

    def _stretch(self, rows: Sequence[tuple[int, datetime, str, int, str]]) -> Stretch:
        if not rows:
            return Stretch((), self.count(), 0)
        first, last = rows[0][0], rows[-1][0]
        numbers = self._numbers(first, last)
        lines = [Line(row[0], numbers[row[0]], *row[1:]) for row in rows]
        return Stretch(lines, self._chosen().filter(id__lt=first).count(), self._chosen().filter(id__gt=last).count())

    def _numbers(self, first: int, last: int) -> Mapping[int, int]:
        """Places in the whole log by key."""
        base = self._whole().filter(id__lt=first).count()
        keys = self._whole().filter(id__range=(first, last)).values_list("id", flat=True)
        return {key: base + place for place, key in enumerate(keys, start=1)}


def all_lines(steps: Mapping[int, str], *, attempt: int | None = None) -> Iterator[tuple[str, LogLine]]:
    """`(step id, line)` of these steps (ids by key), one step after the other, a few at a time: however long, it needs no memory."""
    for key, id in steps.items():
        log, last = Log(key, attempt=attempt), 0
        while page := list(log._chosen().filter(id__gt=last)[:MOST_LINES]):
            last = page[-1].pk
            yield from ((id, line) for line in page)
