"""Answers: what a waiting step was waiting for has come; it goes on with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F

from workflows_app.engine import doorbell
from workflows_app.engine.locking import under_lock
from workflows_app.engine.sql.transaction import write
from workflows_app.models import Step, Workflow


def answer(*, step_id: int, attempt: int, kind: str, answer: Any, now: datetime) -> bool:
    """Hand `answer` to a step that waits for one of this `kind` (`Step.WAITS_FOR`) in this attempt. False when it does no more:
    somebody was quicker, its time ran out, it was stopped. One answer at most is ever taken."""
    workflow_id = Step.objects.filter(pk=step_id).values_list("workflow_id", flat=True).first()
    if workflow_id is None:
        return False
    with write():
        under_lock(Workflow.objects.filter(pk=workflow_id)).first()
        waiting = Step.objects.filter(pk=step_id, attempt=attempt, waits_for=kind)
        if not waiting.update(answer=answer, waits_for=None, available_at=now):
            return False
        Workflow.objects.filter(pk=workflow_id).update(seq=F("seq") + 1, updated_at=now)
    doorbell.ring()
    return True
