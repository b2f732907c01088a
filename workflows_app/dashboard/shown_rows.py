"""Which rows the list shows: the first of the filter, or in a poll those that the page shows already, so that nothing jumps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflows_app.dashboard import paging, workflow_rows
from workflows_app.dashboard.filters import Filters
from workflows_app.dashboard.lanes import Group
from workflows_app.dashboard.paging import PER_PAGE, Found
from workflows_app.models import Workflow

MOST_NEW = 99


@dataclass(frozen=True, slots=True)
class Shown:
    """`found` is what a fresh look finds; `older` the cursor of the page after; `news` what differs, in words."""

    workflows: list[Workflow]
    found: Found
    older: str
    news: str = ""


def shown(groups: Sequence[Group], filters: Filters) -> Shown:
    found = paging.find(groups, limit=(MOST_NEW if filters.rows else 0) + PER_PAGE + 1, after=filters.after)
    held = _in_order(filters.rows)
    if not held:
        return Shown(_in_order(found.ids[:PER_PAGE]), found, _older(found, PER_PAGE))
    place = _place_of_last(filters.rows, found.ids)
    news = "" if filters.after else _news(filters.rows, found)
    return Shown(held, found, _older(found, PER_PAGE if place is None else place + 1), news)


def _in_order(ids: Sequence[int]) -> list[Workflow]:
    by_id = workflow_rows.listable().in_bulk(list(ids)) if ids else {}
    return [by_id[id] for id in ids if id in by_id]


def _older(found: Found, count: int) -> str:
    """After so many keys; when the search was cut short, from where it stopped."""
    if len(found.keys) > count:
        return paging.cursor(found.keys[count - 1])
    return paging.cursor(found.cut) if found.cut else ""


def _place_of_last(rows: Sequence[int], ids: Sequence[int]) -> int | None:
    """Where the last of these rows now stands that is still found."""
    held = set(rows)
    return max((place for place, id in enumerate(ids) if id in held), default=None)


def _news(rows: Sequence[int], found: Found) -> str:
    """How many would be inserted above or among these rows, and how many of these match no more."""
    ids, held = found.ids, set(rows)
    last = _place_of_last(rows, ids)
    new = sum(id not in held for id in (ids if last is None else ids[: last + 1]))
    gone = _gone(rows, set(ids), is_all=len(ids) < MOST_NEW + PER_PAGE + 1)
    said = [f"{new} new" if new < MOST_NEW else f"{MOST_NEW}+ new"] if new else []
    return ", ".join([*said, *([f"{gone} no longer {'matches' if gone == 1 else 'match'}"] if gone else [])])


def _gone(rows: Sequence[int], found: set[int], *, is_all: bool) -> int:
    """Of a list that was not read to its end, only what stood before one that is still there can be told to be gone."""
    last = max((place for place, id in enumerate(rows) if id in found), default=-1)
    return sum(id not in found for id in (rows if is_all else rows[: last + 1]))
