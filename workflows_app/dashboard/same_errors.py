"""Failures that say the same: the latest of a filter, counted by the beginning of their error."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db.models.functions import Substr

from workflows_app.dashboard import lanes, paging, query_language
from workflows_app.dashboard.filters import Filters

MOST_READ, BEGINNING = 1_000, 150


def beginning(error: str) -> str:
    """What errors are told apart by, and looked for with: one line, for the search box has no more."""
    return error[:BEGINNING].partition("\n")[0].strip()


def counted(filters: Filters, *, now: datetime) -> Counter[str]:
    """By that beginning, over the latest thousand that failed; of the filters those on template, tag and time count."""
    found: Counter[str] = Counter()
    for rows in paging.first_rows(lanes.of(filters.narrowed(status="failed", q=""), now=now), limit=MOST_READ):
        found.update(beginning(error) for error in rows.values_list(Substr("error", 1, BEGINNING), flat=True))
    return found


def url(filters: Filters, error: str) -> str:
    """The failures of the same filter with this error."""
    return filters.url(status="failed", q=f"error:{query_language.quoted(beginning(error))}")
