"""Why a step does not run yet, in words and ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from workflows_app.engine.report.rows import StepRow
from workflows_app.engine.report.times import iso
from workflows_app.graph.statuses import FINAL, Status

Reason = dict[str, Any]


def waiting_for(row: StepRow, statuses: Mapping[str, str], now: datetime) -> list[Reason]:
    """One `{"kind": "step"|"time"|"worker"|"limit"|"answer", "id", "at", "text"}` for each thing that is missing.
    `statuses` maps the ids of the workflow's steps to how they are."""
    if row.values["status"] == Status.PENDING:
        return [_claim(row, now)]
    if row.values["status"] == Status.WAITING_FOR_DEPENDENCY:
        return list(_upstream(row, statuses)) or [_outside(row)]
    return []


def _claim(row: StepRow, now: datetime) -> Reason:
    at = row.values["available_at"]
    if at <= now:
        return _reason("worker", "a free worker")
    return _reason("time", f"attempt {row.values['attempt'] + 1} of {row.max_attempts}, due at {iso(at)}", at=at)


def _upstream(row: StepRow, statuses: Mapping[str, str]) -> Iterator[Reason]:
    for need in row.node.needs:
        if statuses.get(need) not in FINAL:
            yield _reason("step", f"step {need}, which is {statuses.get(need)}", id=need)


def _outside(row: StepRow) -> Reason:
    at, why = row.values["available_at"], row.values["metadata"].get("waitingFor", "")
    if at is None and not row.values["attempt"]:
        return _reason("limit", "a place: as many workflows run as MAX_CONCURRENT_WORKFLOWS allows")
    if at is None:
        return _reason("answer", why or "an answer from outside")
    return _reason("time", why or f"its time, {iso(at)}", at=at)


def _reason(kind: str, text: str, *, id: str | None = None, at: datetime | None = None) -> Reason:
    return {"kind": kind, "id": id, "at": iso(at), "text": text}
