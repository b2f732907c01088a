"""A host whose clock is wrong: imported by a worker group as one of its task modules, it shifts what the engine reads of it."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from workflows_app.engine import clock

SHIFT = Path(os.environ.get("HYBRID_TEST_PLACE", ".")) / "shift"


class ShiftedClock(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        """Off by as many seconds as the file says, from the moment on that it says so."""
        seconds = float(SHIFT.read_text() or 0) if SHIFT.exists() else 0.0
        return datetime.now(tz) + timedelta(seconds=seconds)


if "HYBRID_TEST_PLACE" in os.environ:
    clock.datetime = ShiftedClock  # type: ignore[misc]
