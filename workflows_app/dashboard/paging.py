"""Pages by cursor: the place of the last row seen. No page costs more than the first, and none looks through more than a window."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from typing import Any

from django.db.models import Q

from workflows_app.dashboard.lanes import Group, Lane, Order
from workflows_app.models.workflows import WorkflowQuerySet

PER_PAGE = 25
WINDOW = 10_000
CURSOR = re.compile(r"(\d{1,18})(?:\.(\d{1,17}))?")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Keys of rows, each ending with the id. `cut` is where the search stopped before it was through with all there is."""

    keys: list[Key]
    cut: Key | None = None

    @property
    def ids(self) -> list[int]:
        return [key[-1] for key in self.keys]


def find(groups: Sequence[Group], *, limit: int, after: str = "", window: int = WINDOW) -> Found:
    """The first so many after this cursor; one that means nothing means the first page."""
    rest, start = _resumed(groups, key_of(after))
    keys: list[Key] = []
    for group in rest:
        found = _in_group(group, start, limit - len(keys), window)
        keys, start = keys + found.keys, None
        if len(keys) >= limit:
            return Found(keys)
        if found.cut:
            return Found(keys, found.cut)
    return Found(keys)


def _resumed(groups: Sequence[Group], start: Key | None) -> tuple[Sequence[Group], Key | None]:
    """From the group that the cursor is of."""
    rest = [] if start is None else list(dropwhile(lambda group: len(group[0].order) != len(start), groups))
    return (rest, start) if rest else (groups, None)


def count(groups: Sequence[Group], *, limit: int, window: int = WINDOW) -> tuple[int, bool]:
    """How many there are, at most `limit`, and whether there may be more."""
    total = 0
    for group in groups:
        cut = _group_cut(group, None, window)
        total += sum(_narrowed(lane, None, cut)[: limit + 1].count() for lane in group)
        if total > limit or cut:
            return min(total, limit), True
    return total, False


def first_rows(groups: Sequence[Group], *, limit: int) -> Iterator[WorkflowQuerySet]:
    """Of each lane the first so many, unevaluated."""
    for group in groups:
        cut = _group_cut(group, None, WINDOW)
        yield from (_ordered(_narrowed(lane, None, cut), lane.order)[:limit] for lane in group)


def is_newer(one: str, other: str) -> bool:
    """Whether the first cursor's place is before the other's in a list. Active ones stand before ended ones."""
    first, second = key_of(one), key_of(other)
    if first is None or second is None:
        return first is not None
    return first > second if len(first) == len(second) else len(first) < len(second)


def cursor(key: Key) -> str:
    return str(key[0]) if len(key) == 1 else f"{key[1]}.{(key[0] - EPOCH) // timedelta(microseconds=1)}"


def key_of(text: str) -> Key | None:
    found = CURSOR.fullmatch(text)
    if not found:
        return None
    id = int(found[1])
    try:
        return (id,) if found[2] is None else (EPOCH + timedelta(microseconds=int(found[2])), id)
    except OverflowError:
        return None


def _in_group(group: Group, start: Key | None, room: int, window: int) -> Found:
    cut = _group_cut(group, start, window)
    keys = sorted((key for lane in group for key in _keys(lane, start, cut, room)), reverse=True)
    return Found(keys[:room], cut if len(keys) < room else None)


def _group_cut(group: Group, start: Key | None, window: int) -> Key | None:
    """The nearest of those of its lanes, so that what is merged has no gap. They share the window."""
    searched = [lane for lane in group if lane.is_searched]
    each = max(1, window // max(1, len(searched)))
    return max((found for lane in searched if (found := _cut(lane, start, each))), default=None)


def _cut(lane: Lane, start: Key | None, window: int) -> Key | None:
    """The last row that is looked at, found in the index alone."""
    keys = _ordered(_beyond(lane.rows, lane.order, start), lane.order).values_list(*lane.order)
    return next(iter(keys[window - 1 : window]), None)


def _keys(lane: Lane, start: Key | None, cut: Key | None, room: int) -> Iterator[Key]:
    yield from _ordered(_narrowed(lane, start, cut), lane.order).values_list(*lane.order)[:room]


def _narrowed(lane: Lane, start: Key | None, cut: Key | None) -> WorkflowQuerySet:
    rows = _beyond(lane.rows, lane.order, start)
    rows = rows.filter(_from(lane.order, cut)) if cut and not lane.is_short else rows
    return rows if lane.text is None else rows.filter(lane.text)


def _ordered(rows: WorkflowQuerySet, order: Order) -> WorkflowQuerySet:
    return rows.order_by(*(f"-{name}" for name in order))


def _beyond(rows: WorkflowQuerySet, order: Order, start: Key | None) -> WorkflowQuerySet:
    """Those that come after this one in the descending order."""
    if start is None:
        return rows
    if len(order) == 1:
        return rows.filter(id__lt=start[0])
    at, id = start
    earlier = Q(**{f"{order[0]}__lt": at}) | Q(**{order[0]: at}, id__lt=id)
    return rows.filter(**{f"{order[0]}__lte": at}).filter(earlier)  # the first half is where an index can begin


def _from(order: Order, cut: Key) -> Q:
    if len(order) == 1:
        return Q(id__gte=cut[0])
    at, id = cut
    return Q(**{f"{order[0]}__gte": at}) & (Q(**{f"{order[0]}__gt": at}) | Q(**{order[0]: at}, id__gte=id))
