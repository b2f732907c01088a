"""How many workers live, for the tags of polls: a moment old at most."""

from __future__ import annotations

from datetime import datetime

from workflows_app.dashboard.kept import Kept
from workflows_app.engine.liveness import live_workers

_counts: Kept[int] = Kept()


def count(now: datetime) -> int:
    """A page that shows a worker reads the rows; this only says when to look."""
    return _counts.get("count", lambda: len(live_workers(now=now)))
