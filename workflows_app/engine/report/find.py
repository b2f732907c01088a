"""Find a workflow or a step by the ids that the world knows."""

from __future__ import annotations

import uuid

from workflows_app.engine.errors import StepNotFound, WorkflowNotFound
from workflows_app.models import Step, Workflow


def the_workflow(uid: object) -> Workflow:
    """Raises WorkflowNotFound, also for what is no UUID."""
    workflow = Workflow.objects.filter(uid=parse_uid(uid)).first()
    if workflow is None:
        raise WorkflowNotFound(uid)
    return workflow


def the_step(uid: object, step_id: str) -> Step:
    """Raises WorkflowNotFound or StepNotFound."""
    workflow = the_workflow(uid)
    step = workflow.steps.filter(node_id=step_id).first() if step_id.isprintable() else None
    if step is None:
        raise StepNotFound(uid, step_id)
    return step


def parse_uid(uid: object) -> uuid.UUID:
    """The id as a UUID; raises WorkflowNotFound for anything else."""
    try:
        return uid if isinstance(uid, uuid.UUID) else uuid.UUID(str(uid))
    except ValueError:
        raise WorkflowNotFound(uid) from None
