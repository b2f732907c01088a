"""Fan-in: what ended counts down its successors; what that decides ends too, level by level, all in the recording transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows_app.engine.claims import WorkflowInfo
from workflows_app.engine.outcomes import Outcome
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
    """How many dependencies of one step ended in this round, and how. `cause` says why it may not run."""

    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    cause: str = ""

    def count(self, ended: str, cause: str = "") -> None:
        setattr(self, ended, getattr(self, ended) + 1)
        self.cause = self.cause or cause


@dataclass
class Recorded:
    """What a batch changed. `refused` came too late: their lease was lost, nothing of them was recorded."""

    deltas: defaultdict[int, Delta] = field(default_factory=lambda: defaultdict(Delta))
    refused: list[Outcome] = field(default_factory=list)
    ready: int = 0


def propagate(session: Session, accepted: Sequence[Outcome], recorded: Recorded, *, now: datetime) -> None:
    """Count down the successors of what ended; what a skip or a failure decides ends too, and so on down the graph."""
    needs: dict[Key, Needs] = defaultdict(Needs)
    workflows: dict[int, WorkflowInfo] = {}
    for outcome in accepted:
        workflows[outcome.claim.workflow_id] = outcome.claim.workflow
        delta = recorded.deltas[outcome.claim.workflow_id]
        if outcome.is_final and outcome.claim.parent_id is None:  # elements are counted in their map (elements.py)
            _count(outcome, delta)
            _tell_successors(outcome, needs)
    while needs:
        needs = _decide_level(session, needs, workflows, recorded, now)


def ruling(readiness: Readiness, cause: str) -> dict[str, Any]:
    """The metadata of a step that will not run: skipped (done, for progress) or kept from running by a failure."""
    is_skipped = readiness is Readiness.SKIP
    return {"skipped": is_skipped, "reason": cause or ("the steps it needs were skipped" if is_skipped else "a step it needs failed")}


def _is_forgiven(outcome: Outcome) -> bool:
    return outcome.status == Status.FAILED and outcome.claim.node.on_failure == "continue"


def _count(outcome: Outcome, delta: Delta) -> None:
    is_failure = outcome.status == Status.FAILED
    delta.active -= 1
    delta.done += not is_failure or _is_forgiven(outcome)
    delta.failed += is_failure
    if is_failure and not _is_forgiven(outcome):
        delta.error = delta.error or f"{outcome.claim.node_id}: {outcome.error}"


def _tell_successors(outcome: Outcome, needs: dict[Key, Needs]) -> None:
    claim, chosen = outcome.claim, outcome.chosen
    ended, cause = _ended(outcome)
    for successor in claim.workflow.definition.successors[claim.node_id]:
        if chosen is not None and successor in chosen.targets and successor not in chosen.next:
            needs[claim.workflow_id, successor].count("skipped", f"branch {claim.node_id} took {chosen.case!r}")
        else:
            needs[claim.workflow_id, successor].count(ended, cause)


def _ended(outcome: Outcome) -> tuple[str, str]:
    if outcome.is_skipped:
        return "skipped", f"step {outcome.claim.node_id} was skipped"
    if outcome.status == Status.FAILED and not _is_forgiven(outcome):
        return "failed", f"upstream step {outcome.claim.node_id} failed"
    return "succeeded", ""


def _decide_level(
    session: Session, needs: dict[Key, Needs], workflows: dict[int, WorkflowInfo], recorded: Recorded, now: datetime
) -> dict[Key, Needs]:
    """One level of the graph: count down, decide those whose rule is met, and return what that means for the next level."""
    below: dict[Key, Needs] = defaultdict(Needs)
    decisions = []
    for step_id, workflow_id, node_id, status, *counts in session.run(session.statements.count_down, batch=_batch(needs), now=now):
        if status == Status.PENDING:
            _count_decision(Readiness.RUN, recorded, workflow_id)
            continue
        definition = workflows[workflow_id].definition
        readiness = decide(definition.by_id[node_id].trigger_rule, Dependencies(*counts))
        if readiness is Readiness.WAIT:
            continue
        decisions.append(_decision(step_id, readiness, needs[workflow_id, node_id].cause))
        _count_decision(readiness, recorded, workflow_id)
        for successor in definition.successors[node_id] if readiness is not Readiness.RUN else ():
            _pass_on(readiness, node_id, below[workflow_id, successor])
    if decisions:
        session.run(session.statements.decide, batch=decisions, now=now)
    return below


def _batch(needs: dict[Key, Needs]) -> list[dict[str, Any]]:
    return [
        {"workflow_key": workflow_id, "node_key": node_id, "succeeded": n.succeeded, "failed": n.failed, "skipped": n.skipped}
        for (workflow_id, node_id), n in sorted(needs.items(), key=lambda item: item[0])
    ]


def _pass_on(readiness: Readiness, node_id: str, needs: Needs) -> None:
    if readiness is Readiness.SKIP:
        needs.count("skipped", f"step {node_id} was skipped")
    else:
        needs.count("failed", f"upstream step {node_id} did not run")


def _decision(step_id: int, readiness: Readiness, cause: str) -> dict[str, Any]:
    if readiness is Readiness.RUN:
        return {"key": step_id, "status": Status.PENDING, "is_skipped": False, "metadata": "{}"}
    is_skipped = readiness is Readiness.SKIP
    return {"key": step_id, "status": Status.STOPPED, "is_skipped": is_skipped, "metadata": json.dumps(ruling(readiness, cause))}


def _count_decision(readiness: Readiness, recorded: Recorded, workflow_id: int) -> None:
    if readiness is Readiness.RUN:
        recorded.deltas[workflow_id].active += 1
        recorded.ready += 1
    elif readiness is Readiness.SKIP:
        recorded.deltas[workflow_id].done += 1
