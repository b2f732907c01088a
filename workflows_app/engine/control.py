"""What an operator does to a workflow: stop, resume, retry, rerun, delete. Each is one transaction under the workflow's lock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from workflows_app.engine import approved, doorbell, endings, stopping, sub_workflows
from workflows_app.engine.definitions import REBUILT, compiled
from workflows_app.engine.errors import NotAllowed, StepNotFound
from workflows_app.engine.locking import find, locked, update
from workflows_app.engine.reopen import reopen
from workflows_app.engine.run_again import failed, unrun, with_all_below
from workflows_app.engine.sql.tables import REMOVED, REVISION
from workflows_app.engine.start import Order, start
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Attempt, LogLine, Step, Workflow

__all__ = ["delete", "find", "rerun", "resume", "retry", "stop"]
INSTEAD_OF_A_PART = {Status.FAILED: "retry that one instead", Status.STOPPED: "resume that one instead"}


def stop(*, uid: object, now: datetime) -> Workflow:
    """Stop it now, and the sub-workflows it waits for: running steps are cancelled, their late results refused, nothing starts
    afterwards. Raises WorkflowNotFound, NotAllowed."""
    workflow = stopping.stop(uid=uid, now=now)
    endings.after_stop([workflow.pk], now=now)
    return workflow


def resume(*, uid: object, now: datetime) -> Workflow:
    """Go on with a stopped workflow: what was stopped or never ran is open again. Raises WorkflowNotFound, NotAllowed."""
    with locked(uid) as workflow:
        if workflow.status != Status.STOPPED:
            raise NotAllowed(f"Only a stopped workflow can be resumed; this one is {workflow.status}")
        _require_definition(workflow)
        _reopen(workflow, unrun(workflow), now)
    doorbell.ring()
    return workflow


def retry(*, uid: object, now: datetime, from_step: str | None = None, params: Mapping[str, Any] | None = None) -> Workflow:
    """Run failed steps again and all that did not run because of them; or `from_step` and all below it, with other `params` if given.
    What was approved above stays approved, so not for other params. Raises WorkflowNotFound, StepNotFound, NotAllowed."""
    with locked(uid) as workflow:
        if workflow.status not in FINAL:
            raise NotAllowed(f"The workflow is {workflow.status}: stop it or let it end before a retry")
        _require_definition(workflow)
        if params is not None and from_step is None:
            raise NotAllowed("Other params need a step to retry from: name it in fromStep, or start a rerun")
        again = failed(workflow) if from_step is None else {from_step}
        if not again:
            instead = "resume" if workflow.status == Status.STOPPED else "rerun"
            raise NotAllowed(f"No step failed: there is nothing to retry in a {workflow.status} workflow; {instead} it instead")
        definition = compiled(workflow.definition_id)
        if from_step is not None and from_step not in definition.by_id:
            raise StepNotFound(uid, from_step)
        reopened = with_all_below(definition, again) | unrun(workflow)
        if params is not None:
            _take_params(workflow, params, reopened)
        if from_step is not None:
            _forget_elements(workflow, with_all_below(definition, again))
        _reopen(workflow, reopened, now)
    doorbell.ring()
    return workflow


def rerun(*, uid: object, now: datetime, params: Mapping[str, Any] | None = None, by: User | None = None) -> Workflow:
    """A new workflow of the same definition, with the same or other parameters; its `parent` is the old one, `by` who asks for it.
    Raises WorkflowNotFound, NotAllowed."""
    old = find(uid)
    _require_definition(old)
    order = Order(
        definition=old.definition, name=old.name, params=old.params if params is None else params, description=old.description,
        tags=old.tags, template_version=old.template_version, parent=old, metadata=old.metadata, started_by_id=by.pk if by else None,
    )  # fmt: skip
    return start(order=order, now=now)


def delete(*, uid: object) -> None:
    """Remove a final workflow and everything it recorded. Raises WorkflowNotFound, NotAllowed."""
    with locked(uid) as workflow:
        if workflow.status not in FINAL:
            raise NotAllowed(f"The workflow is {workflow.status}: stop it before deleting it")
        if sub_workflows.below([workflow.pk], 1):
            raise NotAllowed("A sub-workflow of it still runs; it is stopped within seconds, and then this one can be deleted")
        LogLine.objects.filter(step__workflow=workflow).delete()
        Attempt.objects.filter(step__workflow=workflow).delete()
        workflow.steps.all().delete()
        workflow.delete()


def _require_definition(workflow: Workflow) -> None:
    if workflow.metadata.get(REMOVED):
        raise NotAllowed("It is older than it is kept, and is just being removed: start its template anew")
    if workflow.metadata.get(REBUILT):
        raise NotAllowed(
            "It was imported without its definition.json: what its steps were told to do is not known. Start its template anew, or delete "
            "it and import it with that file"
        )


def _take_params(workflow: Workflow, params: Mapping[str, Any], reopened: set[str]) -> None:
    """Raises NotAllowed."""
    approved.refuse_other_params(workflow, params, reopened)
    metadata = {**workflow.metadata, REVISION: workflow.metadata.get(REVISION, 0) + 1}
    Workflow.objects.filter(pk=workflow.pk).update(params=dict(params), metadata=metadata)


def _forget_elements(workflow: Workflow, node_ids: set[str]) -> None:
    """These run again from the start: elements of a map that completed, too."""
    Step.objects.filter(parent__workflow=workflow, parent__node_id__in=node_ids).update(element=None)


def _reopen(workflow: Workflow, node_ids: set[str], now: datetime) -> None:
    if workflow.parent_step and not sub_workflows.is_awaited(workflow):
        whole, part = workflow.parent_step.workflow, workflow.parent_step.node_id
        raise NotAllowed(
            f"It was a part of workflow {whole.uid}, whose step {part!r} does not wait for it any more: "
            f"{INSTEAD_OF_A_PART.get(Status(whole.status), 'rerun this one instead')}"
        )
    counters = reopen(workflow=workflow, node_ids=node_ids, now=now)
    active = counters["active_steps"]
    status = Status.PENDING if not workflow.started_at else Status.RUNNING
    if not active:
        raise NotAllowed("Nothing can run again: every step is decided by how the steps before it ended; rerun the workflow instead")
    update(workflow, now, status=status, error="", ended_at=None, **counters)
