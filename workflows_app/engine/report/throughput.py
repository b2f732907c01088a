"""How many workflows ended in each quarter of an hour, and how many that began in it are still active."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from workflows_app.engine.sql.throughput import active_by_minute, ended_by_minute
from workflows_app.engine.sql.transaction import Session
from workflows_app.graph.statuses import Status

QUARTER = timedelta(minutes=15)
QUARTERS = 96
KEPT_FOR = timedelta(minutes=1)
MOST_ACTIVE = 10_000
Counts = Counter[tuple[datetime, Status]]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A quarter of an hour from `start`: what ended in it, and what began in it and has not ended."""

    start: datetime
    counts: Counter[Status]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What had ended in which quarter when it was read, a moment ago."""

    at: datetime
    counts: Counts


_kept: _Kept | None = None


def last_day(now: datetime) -> list[Bucket]:
    """The last 96 quarters, the present one last. Of those that are over, ended ones are counted once a minute in each process."""
    first = start_of(now) - (QUARTERS - 1) * QUARTER
    counts = _ended(first, now) + _active(first)
    found = {first + place * QUARTER: Counter[Status]() for place in range(QUARTERS)}
    for (start, status), n in counts.items():
        if start in found:
            found[start][status] += n
    return [Bucket(start, each) for start, each in found.items()]


def start_of(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def forget() -> None:
    global _kept  # noqa: PLW0603  what one process keeps for a minute
    _kept = None


def _ended(first: datetime, now: datetime) -> Counts:
    global _kept  # noqa: PLW0603  as above
    kept = _kept
    if kept is None or not timedelta(0) <= now - kept.at < KEPT_FOR:
        kept = _kept = _Kept(now, _read_ended(first))
        return kept.counts
    since = start_of(kept.at)
    over = Counter({key: n for key, n in kept.counts.items() if key[0] < since})
    return over + _read_ended(since)


def _read_ended(since: datetime) -> Counts:
    session = Session()
    return _counted(session.run(ended_by_minute(session.statements.dialect), since=since))


def _active(since: datetime) -> Counts:
    session = Session()
    return _counted(session.run(active_by_minute(session.statements.dialect), since=since, most=MOST_ACTIVE))


def _counted(rows: Iterable[Sequence[Any]]) -> Counts:
    found: Counts = Counter()
    for status, minute, n in rows:
        found[start_of(datetime.fromisoformat(minute).replace(tzinfo=UTC)), Status(status)] += n
    return found
