"""The length of the queue over the last five minutes, as a small picture of bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows_app.dashboard.looks import plural

SECONDS_APART, BARS = 10, 30
BAR_WIDTH, HEIGHT = 6, 32


@dataclass(frozen=True, slots=True)
class Bar:
    """`title` is its text for who points at it."""

    x: int
    y: float
    width: int
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Trend:
    """`label` says the same in words. No bar where no sample was taken: nothing was due and nothing ran."""

    bars: list[Bar]
    width: int
    height: int
    label: str


def draw(samples: Sequence[Mapping[str, Any]], *, due: int, now: datetime) -> Trend:
    """Samples as in `GET /api/queue`; `due` is how long the queue is now."""
    highest = max([1, *(sample["due"] for sample in samples)])
    bars = [bar for sample in samples if (bar := _bar(sample, highest, now))]
    most = max((sample["due"] for sample in samples), default=0)
    label = f"Due in the last 5 minutes: at most {most:,}, now {due:,}" if samples else "Nothing was due in the last 5 minutes"
    return Trend(bars, BARS * BAR_WIDTH, HEIGHT, label)


def _bar(sample: Mapping[str, Any], highest: int, now: datetime) -> Bar | None:
    age = (now - datetime.fromisoformat(sample["at"])).total_seconds()
    place = BARS - 1 - int(age // SECONDS_APART)
    if not 0 <= place < BARS:
        return None
    height = round(max(1.5, sample["due"] / highest * HEIGHT), 1)
    title = f"{plural(int(age), 'second')} ago: {sample['due']:,} due, {sample['running']:,} running"
    return Bar(place * BAR_WIDTH, round(HEIGHT - height, 1), BAR_WIDTH - 1, height, title)
