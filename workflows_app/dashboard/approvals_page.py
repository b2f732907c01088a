"""Approvals as people see them: what is asked, of whom, since when, and the form to decide it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from workflows_app.catalog.approvals import ASKED, REASON, may_decide, waiting_for
from workflows_app.dashboard import params_form
from workflows_app.dashboard.forms import Typed
from workflows_app.dashboard.live import LIST_MILLISECONDS
from workflows_app.dashboard.looks import Moment, listed, moment
from workflows_app.engine.report.approvals import approvals
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Approval:
    """`prefix` keeps the ids of several forms on a page apart; `problems` belong to no field; `asks_reason` is false where the
    form has a reason of its own."""

    workflow: str
    workflow_name: str
    step: str
    title: str
    message: str
    approvers: str
    may_decide: bool
    since: Moment | None
    expires: Moment | None
    prefix: str
    fields: list[params_form.Field]
    problems: list[str]
    reason: str
    asks_reason: bool


@dataclass(frozen=True, slots=True)
class ApprovalsPage:
    approvals: list[Approval]
    more: int
    poll_milliseconds: int
    now: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what, and when; nobody when the time did."""

    css: str
    word: str
    by: str
    at: Moment | None
    reason: str


def build(user: User, *, now: datetime) -> ApprovalsPage:
    waiting = waiting_for(user)
    shown = [approval(step, now=now) for step in waiting[:MOST_SHOWN]]
    return ApprovalsPage(shown, len(waiting) - len(shown), LIST_MILLISECONDS, now.isoformat())


def approval(step: Step, reader: User | None = None, *, now: datetime, typed: Typed | None = None) -> Approval:
    """Of a step that waits for one; its workflow is read with it. Without a reader, for one who is known to be an approver."""
    (asked,) = approvals([step])
    schema = asked["form"]
    values, errors = (typed.values, typed.errors) if typed else (params_form.defaults(schema), {})
    fields = params_form.fields(schema, values, errors)
    return Approval(
        workflow=asked["workflowId"],
        workflow_name=asked["workflowName"],
        step=asked["stepId"],
        title=asked["title"],
        message=asked["message"],
        approvers=listed(asked["approvers"]),
        may_decide=reader is None or may_decide(reader, step.metadata.get(ASKED, {})),
        since=moment(asked["since"], now=now),
        expires=moment(asked["expiresAt"], now=now),
        prefix=f"a{step.pk}-{step.attempt}-",
        fields=fields,
        problems=params_form.problems(fields, errors),
        reason=typed.reason if typed else "",
        asks_reason=REASON not in schema.get("properties", {}),
    )


def decision(step: Step, *, now: datetime) -> Decision | None:
    """Of an approval that was decided; None of any other step."""
    if step.action != "approval":
        return None
    told = step.answer if isinstance(step.answer, dict) else step.output if isinstance(step.output, dict) else None
    if told is not None and "approved" in told:
        at, who, why = moment(told.get("at") or step.ended_at, now=now), str(told.get("by") or ""), str(told.get("reason") or "")
        return Decision(*_verdict(told["approved"], is_late=bool(told.get("expired"))), who, at, why)
    if step.status == Status.FAILED:
        return Decision("failed", step.error, "", moment(step.ended_at, now=now), "")
    return None


def _verdict(is_approved: bool, *, is_late: bool) -> tuple[str, str]:
    word = "Approved" if is_approved else "Rejected"
    return ("completed" if is_approved else "failed", f"{word}, as nobody decided in time" if is_late else word)
