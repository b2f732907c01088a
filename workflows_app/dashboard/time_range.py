"""The time range of the workflow list: `since=24h`, or from one moment to another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workflows_app.engine.report.throughput import QUARTER

SINCE = re.compile(r"(\d{1,4})\s*([mhdw])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
CHOICES = (("1h", "Past hour"), ("24h", "Past 24 h"), ("7d", "Past 7 days"), ("30d", "Past 30 days"))


class NoTime(ValueError):
    """The text is no time that we read; the message names those that are."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Either end may be open. A workflow stands at the time when it ended; while it is active, at the time when it was
    created, and in every range that reaches until now."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_set(self) -> bool:
        return self.start is not None or self.end is not None


def ago(text: str) -> timedelta:
    """Raises NoTime."""
    found = SINCE.fullmatch(text.strip().lower())
    if not found or not int(found[1]):
        raise NoTime(f"“{text}” is no length of time. Write 30m, 24h, 7d or 2w.")
    return int(found[1]) * UNITS[found[2]]


def moment(text: str) -> datetime:
    """In UTC unless it says otherwise. Raises NoTime."""
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoTime(f"“{text}” is no time. Write 2026-11-21T14:30, in UTC.") from None


def written(at: datetime) -> str:
    """As a URL has it, to the minute where that is exact."""
    at = at.astimezone(UTC).replace(tzinfo=None)
    return at.isoformat() if at.second or at.microsecond else at.isoformat(timespec="minutes")


def age(lengths: Iterable[timedelta], *, now: datetime) -> int:
    """Changes when time alone may change what is shown: the bars move each quarter of an hour, the start of a short range sooner."""
    step = max(timedelta(minutes=1), min([QUARTER, *(length / 60 for length in lengths)]))
    return int(now.timestamp() // step.total_seconds())
