"""Moments and durations as the contract writes them (CONTRACT.md section 2)."""

from __future__ import annotations

from datetime import UTC, datetime

from workflows_app.graph.progress import format_duration


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with its offset."""
    return moment.astimezone(UTC).isoformat() if moment else None


def took(started: datetime | None, ended: datetime | None, now: datetime) -> str | None:
    """How long it took, or has taken until `now` while it has not ended; None before it starts."""
    return format_duration((ended or now) - started) if started else None


def seconds(started: datetime | None, ended: datetime | None) -> float:
    """Seconds between the two, never less than none; 0.0 while one is missing."""
    if started is None or ended is None:
        return 0.0
    return round(max(0.0, (ended - started).total_seconds()), 3)
