"""Record a batch of outcomes in one transaction: results, history, fan-in, progress (DESIGN.md section 2)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows_app.engine.claims import WorkflowInfo
from workflows_app.engine.outcomes import Line, Outcome
from workflows_app.engine.sql.transaction import Session
from workflows_app.graph.readiness import Dependencies, Readiness, decide
from workflows_app.graph.statuses import Status

Key = tuple[int, str]


@dataclass(slots=True)
class Delta:
    """What a workflow's counters gain."""

    done: int = 0
    failed: int = 0
    active: int = 0
    error: str = ""


@dataclass(slots=True)
class Needs:
    """How many dependencies of one step ended in this round, and how."""

    succeeded: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass
class Recorded:
    """What a batch changed. `refused` came too late: their lease was lost, nothing of them was recorded."""

    deltas: defaultdict[int, Delta] = field(default_factory=lambda: defaultdict(Delta))
    refused: list[Outcome] = field(default_factory=list)
    ready: int = 0


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
    add_log_lines(session, [*_lines(accepted), *(_late_line(outcome) for outcome in recorded.refused)])
    _propagate(session, accepted, recorded, now)
    return recorded


def lock(session: Session, workflow_ids: set[int]) -> None:
    """Lock workflows before their steps are touched. SQLite's write lock is lock enough."""
    if not session.statements.dialect.is_sqlite:
        session.run(session.statements.lock_workflows, batch=[{"key": id} for id in workflow_ids])


def apply(session: Session, deltas: dict[int, Delta], *, now: datetime) -> list[int]:
    """Raise the counters and `seq` of workflows, in the order of their ids; the ids of those that ended."""
    if not deltas:
        return []
    batch = [
        {"key": id, "done": d.done, "failed": d.failed, "active": d.active, "error": d.error} for id, d in sorted(deltas.items())
    ]
    rows = session.run(session.statements.progress, batch=batch, now=now)
    return [id for id, status in rows if status != Status.RUNNING]


def add_log_lines(session: Session, lines: Sequence[Line]) -> None:
    if lines:
        session.run(session.statements.add_log_lines, batch=[{**line, "at": session.time(line["at"])} for line in lines])


def _finish(session: Session, outcome: Outcome) -> dict[str, Any]:
    return {
        **outcome.claim.fence,
        "status": outcome.status,
        "output": outcome.output,
        "error": outcome.error,
        "metadata": json.dumps(outcome.metadata),
        "resume": outcome.resume,
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
        session.run(session.statements.record_attempts, worker=worker_id, batch=batch)


def _lines(outcomes: Iterable[Outcome]) -> Iterable[Line]:
    return (line for outcome in outcomes for line in outcome.lines)


def _late_line(outcome: Outcome) -> Line:
    what = f"A late result of attempt {outcome.claim.attempt} ({outcome.recorded or 'waiting'})"
    message = f"{what} was refused: its lease had been taken back"
    return {
        "step_id": outcome.claim.step_id, "attempt": outcome.claim.attempt, "at": outcome.at, "level": "WARNING", "message": message,
    }  # fmt: skip


def _propagate(session: Session, accepted: Sequence[Outcome], recorded: Recorded, now: datetime) -> None:
    """Count down the successors of what ended; what a skip or a failure decides ends too, and so on down the graph."""
    needs: dict[Key, Needs] = defaultdict(Needs)
    workflows: dict[int, WorkflowInfo] = {}
    for outcome in accepted:
        workflows[outcome.claim.workflow_id] = outcome.claim.workflow
        _count(outcome, recorded.deltas[outcome.claim.workflow_id], needs)
    while needs:
        needs = _decide_round(session, needs, workflows, recorded, now)


def _count(outcome: Outcome, delta: Delta, needs: dict[Key, Needs]) -> None:
    if not outcome.is_final:
        return
    claim, node = outcome.claim, outcome.claim.node
    is_failure = outcome.status == Status.FAILED
    is_forgiven = is_failure and node.on_failure == "continue"
    delta.active -= 1
    delta.done += not is_failure or is_forgiven
    delta.failed += is_failure
    if is_failure and not is_forgiven:
        delta.error = delta.error or f"{claim.node_id}: {outcome.error}"
    ended = "skipped" if outcome.is_skipped else "failed" if is_failure and not is_forgiven else "succeeded"
    chosen = outcome.chosen
    for successor in claim.workflow.definition.successors[claim.node_id]:
        is_ruled_out = chosen is not None and successor in chosen.targets and successor not in chosen.next
        _add(needs[claim.workflow_id, successor], "skipped" if is_ruled_out else ended)


def _add(needs: Needs, ended: str) -> None:
    setattr(needs, ended, getattr(needs, ended) + 1)


def _decide_round(
    session: Session, needs: dict[Key, Needs], workflows: dict[int, WorkflowInfo], recorded: Recorded, now: datetime
) -> dict[Key, Needs]:
    """One level of the graph: count down, decide those whose rule is met, and return what that means for the next level."""
    batch = [
        {"workflow_key": w, "node_key": n, "succeeded": c.succeeded, "failed": c.failed, "skipped": c.skipped}
        for (w, n), c in sorted(needs.items())
    ]
    below: dict[Key, Needs] = defaultdict(Needs)
    decisions = []
    for step_id, workflow_id, node_id, status, *counts in session.run(session.statements.count_down, batch=batch, now=now):
        if status == Status.PENDING:
            recorded.deltas[workflow_id].active += 1
            recorded.ready += 1
            continue
        definition = workflows[workflow_id].definition
        readiness = decide(definition.by_id[node_id].trigger_rule, Dependencies(*counts))
        if readiness is Readiness.WAIT:
            continue
        decisions.append({"key": step_id, **_decision(readiness)})
        _count_decision(readiness, recorded, workflow_id)
        if readiness is not Readiness.RUN:
            for successor in definition.successors[node_id]:
                _add(below[workflow_id, successor], "skipped" if readiness is Readiness.SKIP else "failed")
    if decisions:
        session.run(session.statements.decide, batch=decisions, now=now)
    return below


def _decision(readiness: Readiness) -> dict[str, Any]:
    if readiness is Readiness.RUN:
        return {"status": Status.PENDING, "is_skipped": False, "metadata": "{}"}
    is_skipped = readiness is Readiness.SKIP
    reason = "ruled out: the steps it needs were skipped" if is_skipped else "not run: a step it needs failed"
    return {"status": Status.STOPPED, "is_skipped": is_skipped, "metadata": json.dumps({"skipped": is_skipped, "reason": reason})}


def _count_decision(readiness: Readiness, recorded: Recorded, workflow_id: int) -> None:
    if readiness is Readiness.RUN:
        recorded.deltas[workflow_id].active += 1
        recorded.ready += 1
    elif readiness is Readiness.SKIP:
        recorded.deltas[workflow_id].done += 1
