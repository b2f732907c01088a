"""Figures of one workflow, taken from its step rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from workflows_app.engine.report.rows import StepRow
from workflows_app.engine.report.times import seconds
from workflows_app.graph.statuses import Status


def metrics(rows: Sequence[StepRow], *, created: datetime, started: datetime | None, ended: datetime) -> dict[str, Any]:
    """Steps per status, and how long all took, steps ran and steps stood ready before a worker took them."""
    counts = Counter(row.values["status"] for row in rows)
    finished = {row.node.id: row.values["ended_at"] for row in rows}
    return {
        "steps": len(rows),
        "statuses": {status.value: counts[status.value] for status in Status},
        "skipped": sum(row.values["is_skipped"] for row in rows),
        "attempts": sum(row.values["attempt"] for row in rows),
        "retries": sum(max(0, row.values["attempt"] - 1) for row in rows),
        "totalSeconds": seconds(started, ended),
        "runSeconds": _total(seconds(row.values["started_at"], row.values["ended_at"] or ended) for row in rows),
        "queuedSeconds": _total(seconds(_ready_at(row, finished, created), row.values["started_at"]) for row in rows),
    }


def _ready_at(row: StepRow, finished: Mapping[str, datetime | None], created: datetime) -> datetime:
    """When the last dependency that it waited for had ended; at the workflow's creation if it needs nothing."""
    return max([created, *(at for need in row.node.needs if (at := finished.get(need)))])


def _total(parts: Iterable[float]) -> float:
    return round(sum(parts), 3)
