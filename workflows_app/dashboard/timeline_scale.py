"""From seconds to places on the axis of a timeline; where nothing ran for long, the axis is folded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[float, float]
LONG, LEAST_SECONDS = 0.3, 2.0  # of the whole: a longer gap is folded
FOLDED = 3.0  # per cent that a folded gap takes
MOST_TICKS, CLOSEST = 8, 9.0
STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400,
         21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """Places in per cent of the width. `gaps` are folded; `_seconds` and `_places` are the corners between which it is even."""

    end: float
    gaps: tuple[Span, ...]
    _seconds: tuple[float, ...]
    _places: tuple[float, ...]

    def at(self, seconds: float) -> float:
        seconds = min(max(seconds, 0.0), self.end)
        i = min(max(bisect_right(self._seconds, seconds) - 1, 0), len(self._seconds) - 2)
        (start, place), (stop, next_place) = ((self._seconds[j], self._places[j]) for j in (i, i + 1))
        return round(place + (next_place - place) * (seconds - start) / (stop - start), 3)

    def ticks(self) -> list[float]:
        """Round seconds, not too close together, none within a folded gap."""
        seen = self.end - sum(stop - start for start, stop in self.gaps)
        step = next((step for step in STEPS if seen / step <= MOST_TICKS), STEPS[-1])
        found: list[float] = []
        for start, stop in _between(self.gaps, self.end):
            number = -(-start // step)
            while number * step <= stop:
                tick = number * step
                found += [tick] if not found or self.at(tick) - self.at(found[-1]) >= CLOSEST else []
                number += 1
        return found


def scale_of(busy: Sequence[Span], end: float, *, keeps_gaps: bool) -> Scale:
    """`busy` is when something ran, in seconds from the start; `end` is the last moment shown."""
    end = max(end, 0.001)
    gaps = () if keeps_gaps else tuple(gap for gap in _between(_joined(busy), end) if gap[1] - gap[0] > max(LEAST_SECONDS, LONG * end))
    seen = end - sum(stop - start for start, stop in gaps)
    if seen <= 0:  # nothing ever ran
        gaps, seen = (), end
    rate = (100 - FOLDED * len(gaps)) / seen
    seconds, places = [0.0], [0.0]
    for start, stop in gaps:
        places.append(places[-1] + (start - seconds[-1]) * rate)
        seconds.append(start)
        places.append(places[-1] + FOLDED)
        seconds.append(stop)
    corners = [*zip(seconds, places, strict=True), (end, 100.0)]
    corners = [corner for i, corner in enumerate(corners) if not i or corner[0] > corners[i - 1][0]]
    return Scale(end, gaps, tuple(second for second, _ in corners), tuple(place for _, place in corners))


def _joined(spans: Sequence[Span]) -> list[Span]:
    """In order, overlapping ones as one."""
    found: list[Span] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


def _between(spans: Sequence[Span], end: float) -> list[Span]:
    """What these leave of the time from 0 to `end`."""
    edges = [0.0, *(edge for span in spans for edge in span), end]
    return [(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True) if stop > start]
