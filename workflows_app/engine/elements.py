"""Elements of a map: a step for each, so many at once, counted as they end; all inside the recording transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows_app.engine.outcomes import Outcome
from workflows_app.engine.sql.transaction import Session
from workflows_app.engine.start import executor_of
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

STOPPED = json.dumps({"skipped": False, "reason": "the map it belongs to has ended"})


@dataclass(slots=True)
class Ended:
    """How many elements of one map ended in this round, and how many of them failed."""

    ended: int = 0
    failed: int = 0


def record(session: Session, accepted: Sequence[Outcome], *, now: datetime) -> None:
    """What these outcomes mean for maps: new elements, elements that ended, maps that did."""
    _spread(session, [outcome for outcome in accepted if outcome.spread is not None], now)
    _count(session, [outcome for outcome in accepted if outcome.claim.parent_id is not None and outcome.is_final], now)
    _stop(session, [outcome for outcome in accepted if outcome.claim.node.body is not None and outcome.is_final], now)


def _spread(session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    for outcome in outcomes:
        _remove_surplus(outcome)
        session.run(session.statements.add_elements, batch=list(_rows(outcome, session.time(now))))
        if outcome.spread and outcome.spread.limit:
            _release(session, outcome.claim.step_id, outcome.spread.limit, now)
    if outcomes:
        session.run(session.statements.open_elements, batch=[{"key": outcome.claim.step_id} for outcome in outcomes], now=now)


def _remove_surplus(outcome: Outcome) -> None:
    """A retry with other parameters may have fewer elements than the try before."""
    if outcome.claim.attempt > 1 and outcome.spread:
        Step.objects.filter(parent_id=outcome.claim.step_id, position__gte=len(outcome.spread.elements)).delete()


def _rows(outcome: Outcome, at: str | None) -> Iterator[dict[str, Any]]:
    claim, spread = outcome.claim, outcome.spread
    body = claim.node.body
    if body is None or spread is None:
        raise ValueError(f"step {claim.node_id} has no body to run for each element")
    turn = (Status.WAITING_FOR_DEPENDENCY, Step.TURN, None) if spread.limit else (Status.PENDING, None, at)
    same = {
        "workflow_id": claim.workflow_id, "parent_id": claim.step_id, "action": body.action, "executor": executor_of(body.action),
        "priority": body.priority, "concurrency_key": body.concurrency_key or None, "concurrency_limit": body.concurrency_limit,
        **dict(zip(("status", "waits_for", "available_at"), turn, strict=True)),
    }  # fmt: skip
    for index, element in enumerate(spread.elements):
        yield {**same, "node_id": f"{claim.node_id}[{index}]", "position": index, "element": json.dumps(element)}


def _count(session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Count down the maps of these elements; in those that go on waiting, as many others may begin."""
    if not outcomes:
        return
    tally: dict[int, Ended] = defaultdict(Ended)
    for outcome in outcomes:
        ended = tally[outcome.claim.parent_id or 0]
        ended.ended += 1
        ended.failed += outcome.status == Status.FAILED
    batch = [{"key": id, "ended": ended.ended, "failed": ended.failed} for id, ended in sorted(tally.items())]
    for id, is_over in session.run(session.statements.count_elements, batch=batch, now=now):
        if not is_over:
            _release(session, id, tally[id].ended, now)


def _release(session: Session, parent_id: int, most: int, now: datetime) -> None:
    session.run(session.statements.release_elements, parent=parent_id, most=most, now=now)


def _stop(session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    if not outcomes:
        return
    batch = [{"key": outcome.claim.step_id} for outcome in outcomes]
    if not session.statements.dialect.is_sqlite:
        session.run(session.statements.lock_elements, batch=batch)
    session.run(session.statements.record_stopped_elements, batch=batch, now=now)
    session.run(session.statements.stop_elements, batch=batch, now=now, metadata=STOPPED)
