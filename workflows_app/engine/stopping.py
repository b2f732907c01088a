"""Stop a workflow: one transaction under its lock."""

from __future__ import annotations

from datetime import datetime

from workflows_app.engine import doorbell
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.locking import hold, locked, update
from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models import Attempt, LogLine, Step, Workflow

STOPPED_REASON = "the workflow was stopped"


def stop(*, uid: object, now: datetime) -> Workflow:
    """Stop it now: running steps are cancelled, their late results refused, nothing starts afterwards.
    Raises WorkflowNotFound, NotAllowed."""
    with locked(uid) as workflow:
        if workflow.status in FINAL:
            raise NotAllowed(f"The workflow is {workflow.status} already: there is nothing to stop")
        hold(workflow.steps.filter(status__in=ACTIVE))
        begun = workflow.steps.filter(status__in=ACTIVE, claimed_at__isnull=False).defer("element", "resume", "answer")
        running = [step for step in begun if step.status != Status.PENDING]
        Attempt.objects.bulk_create(_stopped_attempt(step, now) for step in running)
        LogLine.objects.bulk_create(
            LogLine(step=step, attempt=step.attempt, at=now, level="WARNING", message="Stopped by an operator") for step in running
        )
        workflow.steps.filter(status__in=ACTIVE).update(
            status=Status.STOPPED, available_at=None, worker_id="", lease_expires_at=None, ended_at=now, waits_for=None,
            metadata={"skipped": False, "reason": STOPPED_REASON},
        )  # fmt: skip
        update(workflow, now, status=Status.STOPPED, active_steps=0, ended_at=now, awaits_trigger=False)
    doorbell.ring("stop")
    return workflow


def _stopped_attempt(step: Step, now: datetime) -> Attempt:
    started = step.claimed_at or now
    return Attempt(step=step, number=step.attempt, worker_id=step.worker_id, outcome="stopped", started_at=started, ended_at=now)
