"""What "all that match" meant when a page showed it, signed: so that it is never more than the reader saw."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core import signing

from workflows_app.dashboard import lanes, paging
from workflows_app.dashboard.filters import Filters, of_text
from workflows_app.dashboard.paging import Key

MOST = 1_000
SHOWN, ASKED = "workflows.shown", "workflows.asked"
GOOD_FOR_SECONDS = 3_600


class Changed(ValueError):
    """What would be touched is not what was shown; the message says how."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The filters, how many matched, and the place of the first of them in the list."""

    query: str
    count: int
    newest: str

    @property
    def signed(self) -> str:
        return signing.dumps([self.query, self.count, self.newest], salt=SHOWN)


def of_page(filters: Filters, count: int, keys: Sequence[Key]) -> Snapshot:
    return Snapshot(filters.url().removeprefix("?"), count, paging.cursor(keys[0]) if keys else "")


def ids_of(signed: str, *, now: datetime) -> list[int]:
    """All that match now, when that is no more than was shown. Raises Changed."""
    shown = _read(signed)
    found = paging.find(lanes.of(of_text(shown.query), now=now), limit=MOST + 1)
    _refuse_more(shown, found.ids, paging.cursor(found.keys[0]) if found.keys else "")
    return found.ids


def asked(verb: str, ids: Sequence[int]) -> str:
    """What a page asks to confirm: this verb, exactly these."""
    return signing.dumps([verb, list(ids)], salt=ASKED, compress=True)


def confirmed(signed: str) -> tuple[str, list[int]]:
    """Raises Changed."""
    try:
        verb, ids = signing.loads(signed, salt=ASKED, max_age=GOOD_FOR_SECONDS)
    except signing.BadSignature:
        raise Changed("This question was asked more than an hour ago, or not by this page.") from None
    return str(verb), [int(id) for id in ids]


def digest(parts: object) -> str:
    return hashlib.blake2s(repr(parts).encode(), digest_size=8).hexdigest()


def _read(signed: str) -> Snapshot:
    try:
        query, count, newest = signing.loads(signed, salt=SHOWN, max_age=24 * GOOD_FOR_SECONDS)
    except signing.BadSignature:
        raise Changed("The list that this came from was shown more than a day ago, or not by this site.") from None
    return Snapshot(str(query), int(count), str(newest))


def _refuse_more(shown: Snapshot, ids: Sequence[int], newest: str) -> None:
    if len(ids) > shown.count:
        now = f"{len(ids):,}" if len(ids) <= MOST else f"more than {MOST:,}"
        raise Changed(f"You saw {shown.count:,} that matched; now {now} do.")
    if newest and paging.is_newer(newest, shown.newest):
        raise Changed(f"You saw {shown.count:,} that matched; since then another one joined them.")
