"""People decide: which approvals wait for a user, and what a decision must look like (CONTRACT.md section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from workflows_app.dialects.params import accept
from workflows_app.engine.answers import answer
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.report.find import the_step
from workflows_app.engine.report.times import iso
from workflows_app.models import Step

Json = Any
ASKED = "approval"
REASON = "reason"
MAX_WAITING_SHOWN = 500


class NotAnApprover(PermissionError):
    """The step names who may decide, and this user is not among them."""

    def __init__(self, step_id: str, user: User, approvers: Sequence[str]) -> None:
        super().__init__(f"Step {step_id!r} is decided by {' or '.join(approvers)}; you are {user.get_username()}")


def decide(*, uid: object, step_id: str, approved: bool, data: Mapping[str, Json], reason: str = "", by: User, now: datetime) -> Step:
    """Hand the step its decision: exactly one is taken. The data must fit the step's form; of a rejection nothing is required.

    Raises WorkflowNotFound, StepNotFound, NotAllowed (it waits for no approval, or somebody was quicker), NotAnApprover, InvalidParams.
    """
    step = the_step(uid, step_id)
    asked = _asked(step)
    if not may_decide(by, asked):
        raise NotAnApprover(step_id, by, asked["approvers"])
    decision = {
        "approved": approved,
        "by": by.get_username(),
        "at": iso(now),
        "data": _accepted(asked, data, reason, approved=approved),
        REASON: reason,
    }
    if not answer(step_id=step.pk, attempt=step.attempt, kind=Step.APPROVAL, answer=decision, now=now):
        step.refresh_from_db()
        raise _too_late(step)
    return step


def waiting_for(user: User) -> list[Step]:
    """Steps with their workflows that wait for an approval that this user may give, the longest waiting first."""
    waiting = Step.objects.filter(waits_for=Step.APPROVAL).select_related("workflow").order_by("claimed_at", "id")
    names = _names_of(user)
    found = (step for step in waiting.iterator() if _is_among(names, step.metadata.get(ASKED, {}).get("approvers")))
    return [step for step, _ in zip(found, range(MAX_WAITING_SHOWN), strict=False)]


def waiting_count(user: User) -> int:
    """How many of these there are. Two queries at most, which read no more than the approvers."""
    waiting = Step.objects.filter(waits_for=Step.APPROVAL).order_by()
    names = _names_of(user)
    if names is None:
        return waiting.count()
    return sum(_is_among(names, approvers) for approvers in waiting.values_list("metadata__approval__approvers", flat=True))


def may_decide(user: User, asked: Mapping[str, Json]) -> bool:
    """`approvers` are names of users and groups; without any, everybody may. A superuser always may."""
    return not asked.get("approvers") or _is_among(_names_of(user), asked["approvers"])


def _names_of(user: User) -> set[str] | None:
    """What `approvers` may call this user; None for one who needs no name."""
    return None if user.is_superuser else {user.get_username(), *user.groups.values_list("name", flat=True)}


def _is_among(names: set[str] | None, approvers: Sequence[str] | None) -> bool:
    return not approvers or names is None or not names.isdisjoint(approvers)


def _asked(step: Step) -> Mapping[str, Json]:
    """What the step shows while it waits. Raises NotAllowed."""
    if step.waits_for != Step.APPROVAL:
        raise _too_late(step)
    asked: Mapping[str, Json] = step.metadata.get(ASKED, {})
    return asked


def _too_late(step: Step) -> NotAllowed:
    decision = step.output if step.answer is None else step.answer
    if isinstance(decision, Mapping) and decision.keys() >= {"approved", "by", "at"}:
        who = f"it was decided already, by {decision['by']}" if decision["by"] else "nobody decided it in time"
        return NotAllowed(f"Step {step.node_id!r} is {step.status}: {who}")
    return NotAllowed(f"Step {step.node_id!r} is {step.status}: it does not wait for an approval")


def _accepted(asked: Mapping[str, Json], data: Mapping[str, Json], reason: str, *, approved: bool) -> dict[str, Json]:
    """The data as the form has it. A form may have a field called `reason` of its own."""
    form = dict(asked.get("form") or {})
    if not approved:
        form.pop("required", None)
    if reason and REASON in form.get("properties", {}):
        data = {REASON: reason, **data}
    return accept(form, data)
