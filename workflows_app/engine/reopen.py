"""Open steps of a final workflow again: the only way out of a final status (CONTRACT.md section 2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workflows_app.engine.definitions import compiled
from workflows_app.engine.fan_in import ruling
from workflows_app.engine.sql.transaction import Session
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.readiness import Dependencies, Readiness, decide
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow


def reopen(*, workflow: Workflow, node_ids: set[str], now: datetime) -> dict[str, int]:
    """Reset these steps to where their dependencies now leave them; the workflow's counters as they then are.
    Call under the workflow's lock. Attempts and log lines stay, and numbering of attempts goes on."""
    steps = {step.node_id: step for step in workflow.steps.top_level().defer("output", "resume", "answer", "element")}
    definition = compiled(workflow.definition_id)
    for node in in_order(definition):
        if node.id in node_ids:
            _reset(steps[node.id])
            place(steps[node.id], node, definition, steps, now)
    session = Session()
    session.run(session.statements.reopen, batch=[row(steps[id]) for id in sorted(node_ids)], now=now)
    return counters(definition, steps)


def row(step: Step) -> dict[str, Any]:
    return {
        "key": step.pk,
        "status": step.status,
        "remaining": step.remaining,
        "succeeded": step.succeeded_needs,
        "failed": step.failed_needs,
        "skipped": step.skipped_needs,
        "is_skipped": step.is_skipped,
        "metadata": json.dumps(step.metadata),
    }


def in_order(definition: Definition) -> list[Node]:
    """Nodes so that each comes after those it needs."""
    missing = {node.id: len(node.needs) for node in definition.nodes}
    ready = list(definition.roots)
    ordered = []
    while ready:
        id = ready.pop()
        ordered.append(definition.by_id[id])
        for successor in definition.successors[id]:
            missing[successor] -= 1
            if not missing[successor]:
                ready.append(successor)
    return ordered


def _reset(step: Step) -> None:
    """As the statement `reopen` leaves it in the row: no time but `now` is kept, nothing of earlier attempts."""
    step.status, step.is_skipped, step.metadata = Status.WAITING_FOR_DEPENDENCY, False, {}
    step.available_at = step.claimed_at = None


def place(step: Step, node: Node, definition: Definition, steps: Mapping[str, Step], now: datetime) -> None:
    """Where a reset step stands: waiting, ready, or ruled out by what is decided upstream already."""
    ends = [_ended(steps[need], node, definition) for need in node.needs]
    counts = {name: ends.count(name) for name in ("succeeded", "failed", "skipped")}
    step.remaining = ends.count("open")
    step.succeeded_needs, step.failed_needs, step.skipped_needs = counts.values()
    readiness = decide(node.trigger_rule, Dependencies(step.remaining, **counts))
    if readiness is Readiness.RUN:
        step.status, step.available_at, step.remaining = Status.PENDING, now, 0
    elif readiness is not Readiness.WAIT:
        step.is_skipped = readiness is Readiness.SKIP
        step.status, step.metadata = Status.STOPPED, ruling(readiness, "")


def _ended(need: Step, node: Node, definition: Definition) -> str:
    """How a dependency ended, as this node sees it: a branch that chose another way counts as skipped."""
    if need.status not in (Status.COMPLETED, Status.FAILED, Status.STOPPED):
        return "open"
    if need.is_skipped:
        return "skipped"
    if need.status == Status.COMPLETED:
        return "skipped" if node.id in need.metadata.get("ruledOut", ()) else "succeeded"
    is_forgiven = need.status == Status.FAILED and definition.by_id[need.node_id].on_failure == "continue"
    return "succeeded" if is_forgiven else "failed"


def counters(definition: Definition, steps: Mapping[str, Step]) -> dict[str, int]:
    """What the workflow counts when its steps are as these rows say."""
    failed = [step for step in steps.values() if step.status == Status.FAILED]
    forgiven = sum(definition.by_id[step.node_id].on_failure == "continue" for step in failed)
    done = sum(step.status == Status.COMPLETED or step.is_skipped for step in steps.values()) + forgiven
    active = sum(_is_active(step) for step in steps.values())
    return {"done_steps": done, "failed_steps": len(failed), "active_steps": active}


def _is_active(step: Step) -> bool:
    """It may run, runs, or waits in the middle of an attempt."""
    is_mid_attempt = step.status == Status.WAITING_FOR_DEPENDENCY and step.claimed_at is not None
    return step.status in (Status.PENDING, Status.RUNNING) or is_mid_attempt
