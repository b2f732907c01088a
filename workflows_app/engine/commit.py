"""Record a batch of outcomes in one transaction: results, history, fan-in, progress (docs/architecture.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows_app.engine import effects, fan_in
from workflows_app.engine.fan_in import Delta, Recorded
from workflows_app.engine.outcomes import Line, Outcome
from workflows_app.engine.sql.transaction import Session


def record(session: Session, *, worker_id: str, outcomes: Sequence[Outcome], now: datetime) -> Recorded:
    """Write what is still this worker's to write, and make ready what waited for it. Apply `deltas` with `apply` afterwards."""
    recorded = Recorded()
    if not outcomes:
        return recorded
    lock(session, {outcome.claim.workflow_id for outcome in outcomes})
    mine = {row[0] for row in session.run(session.statements.finish, worker=worker_id, batch=[_finish(session, o) for o in outcomes])}
    accepted = [outcome for outcome in outcomes if outcome.claim.step_id in mine]
    recorded.refused = [outcome for outcome in outcomes if outcome.claim.step_id not in mine]
    _record_attempts(session, worker_id, accepted)
    _note_late(session, worker_id, recorded.refused)
    add_log_lines(session, [*_lines(accepted), *(_late_line(outcome) for outcome in recorded.refused)])
    fan_in.propagate(session, accepted, recorded, now=now)
    effects.record(session, accepted, now=now)
    return recorded


def lock(session: Session, workflow_ids: set[int]) -> None:
    """Lock workflows before their steps are touched. SQLite's write lock is lock enough."""
    if not session.statements.dialect.is_sqlite:
        session.soon(session.statements.lock_workflows, batch=[{"key": id} for id in workflow_ids])


@dataclass(frozen=True, slots=True)
class Ended:
    """A workflow that ended, and the step of another that waited for it."""

    workflow_id: int
    parent_step_id: int | None


def apply(session: Session, deltas: dict[int, Delta], *, now: datetime) -> list[Ended]:
    """Raise the counters and `seq` of workflows, in the order of their ids; those that ended."""
    if not deltas:
        return []
    rows = session.run(session.statements.progress, batch=_gains(deltas), now=now)
    over = [{"key": id} for id, active in rows if not active]
    return [Ended(*row) for row in session.run(session.statements.end, batch=over, now=now)] if over else []


def advance(session: Session, deltas: dict[int, Delta], *, now: datetime) -> list[Ended]:
    """The same for workflows that had an active step before: unless one has fewer now, none has ended and no answer is waited for."""
    if any(delta.active < 0 for delta in deltas.values()):
        return apply(session, deltas, now=now)
    if deltas:
        session.soon(session.statements.progress, batch=_gains(deltas), now=now)
    return []


def show_free(session: Session, workflow_ids: set[int], *, now: datetime) -> set[int]:
    """Raise `seq` of those that nobody else holds, without waiting; which they are. On SQLite all: whoever writes holds everything."""
    if session.statements.dialect.is_sqlite:
        advance(session, {id: Delta() for id in workflow_ids}, now=now)
        return workflow_ids
    batch = [{"key": id} for id in workflow_ids]
    return {row[0] for row in session.run(session.statements.show_free, batch=batch, now=now)} if batch else set()


def _gains(deltas: dict[int, Delta]) -> list[dict[str, Any]]:
    return [{"key": id, "done": d.done, "failed": d.failed, "active": d.active, "error": d.error} for id, d in sorted(deltas.items())]


def add_log_lines(session: Session, lines: Sequence[Line]) -> None:
    if lines:
        batch = [{**line, "place": place, "at": session.time(line["at"])} for place, line in enumerate(lines)]
        session.soon(session.statements.add_log_lines, batch=batch)


def _finish(session: Session, outcome: Outcome) -> dict[str, Any]:
    return {
        **outcome.claim.fence,
        "status": outcome.status,
        "output": outcome.output,
        "error": outcome.error,
        "metadata": json.dumps(outcome.metadata),
        "resume": outcome.resume,
        "waits_for": outcome.waits_for,
        "answer": outcome.answer,
        "is_skipped": outcome.is_skipped,
        "failed": outcome.failed,
        "crashed": outcome.crashed,
        "available_at": session.time(outcome.available_at),
        "ended_at": session.time(outcome.at) if outcome.is_final else None,
    }


def _record_attempts(session: Session, worker_id: str, outcomes: Sequence[Outcome]) -> None:
    batch = [
        {
            "step_id": outcome.claim.step_id,
            "number": outcome.claim.attempt,
            "outcome": outcome.recorded,
            "error": outcome.error,
            "started_at": outcome.claim.claimed_at,
            "ended_at": session.time(outcome.at),
        }
        for outcome in outcomes
        if outcome.recorded
    ]
    if batch:
        session.soon(session.statements.record_attempts, worker=worker_id, batch=batch)


def _note_late(session: Session, worker_id: str, refused: Sequence[Outcome]) -> None:
    """In the history, too: what came after the lease was lost."""
    if refused:
        batch = [{**outcome.claim.fence, "late_result": outcome.recorded or "waiting"} for outcome in refused]
        session.run(session.statements.note_late, worker=worker_id, batch=batch)


def _lines(outcomes: Iterable[Outcome]) -> Iterable[Line]:
    return (line for outcome in outcomes for line in outcome.lines)


def _late_line(outcome: Outcome) -> Line:
    what = f"A late result of attempt {outcome.claim.attempt} ({outcome.recorded or 'waiting'})"
    message = f"{what} was refused: its lease had been taken back"
    return {
        "step_id": outcome.claim.step_id, "attempt": outcome.claim.attempt, "at": outcome.at, "level": "WARNING", "message": message,
    }  # fmt: skip
