"""Stop workflows, one or many: a transaction under their locks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from workflows_app.engine import doorbell
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.locking import locked
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.graph.statuses import FINAL
from workflows_app.models import Workflow

STOPPED_REASON = "the workflow was stopped"
STOPPED_LINE = "Stopped by an operator"


def stop(*, uid: object, now: datetime) -> Workflow:
    """Stop it now: running steps are cancelled, their late results refused, nothing starts afterwards.
    Raises WorkflowNotFound, NotAllowed."""
    with locked(uid) as workflow:
        if workflow.status in FINAL:
            raise NotAllowed(f"The workflow is {workflow.status} already: there is nothing to stop")
        _stop(Session(), [workflow.pk], now)
        workflow.refresh_from_db()
    doorbell.ring("stop")
    return workflow


def stop_these(*, workflow_ids: Sequence[int], now: datetime) -> list[int]:
    """Stop those of them that have not ended, in one transaction; which they were. Ring `stop` afterwards."""
    if not workflow_ids:
        return []
    with write() as session:
        return _stop(session, workflow_ids, now)


def _stop(session: Session, workflow_ids: Sequence[int], now: datetime) -> list[int]:
    statements = session.statements
    found = [int(row[0]) for row in session.run(statements.lock_active, batch=[{"key": id} for id in workflow_ids])]
    end_steps(session, found, now=now, reason=STOPPED_REASON, line=STOPPED_LINE)
    session.run(statements.stop_workflows, batch=[{"key": id} for id in found], now=now)
    return found


def end_steps(session: Session, workflow_ids: Sequence[int], *, now: datetime, reason: str, line: str) -> None:
    """Stop what has not ended of these workflows. Call under their locks."""
    statements, batch = session.statements, [{"key": id} for id in workflow_ids]
    if not statements.dialect.is_sqlite:
        session.run(statements.lock_active_steps, batch=batch)
    session.run(statements.record_stopped, batch=batch, now=now)
    session.run(statements.log_stopped, batch=batch, now=now, message=line)
    session.run(statements.stop_steps, batch=batch, now=now, metadata=json.dumps({"skipped": False, "reason": reason}))
