"""What actions ask for besides their output: elements, sub-workflows, subscriptions, notifications; recorded with the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workflows_app.actions.base import Fail, Listen
from workflows_app.engine import elements, notices, outcomes, sub_workflows, subscriptions
from workflows_app.engine.clock import parse
from workflows_app.engine.outcomes import Outcome
from workflows_app.engine.sql.transaction import Session
from workflows_app.models import Subscription


def checked(outcome: Outcome) -> Outcome:
    """The outcome, or a failure when what it asks for cannot be done: no such template, no such user. Call before the transaction."""
    if outcome.order is not None or not (outcome.launch or outcome.notices):
        return outcome
    try:
        if outcome.launch:
            sub_workflows.prepare(outcome)
        notices.check(outcome.notices)
    except Fail as error:
        failed = outcomes.failed(outcome.claim, str(error), at=outcome.at)
        failed.lines = [*outcome.lines, _line(failed)]
        return failed
    return outcome


def record(session: Session, accepted: Sequence[Outcome], *, now: datetime) -> None:
    """In the transaction that records the outcomes."""
    elements.record(session, accepted, now=now)
    sub_workflows.record(session, [outcome for outcome in accepted if outcome.order is not None], now=now)
    _subscribe([outcome for outcome in accepted if outcome.listen is not None], now)
    notices.record([outcome for outcome in accepted if outcome.notices], now=now)


def committed(outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """After it: an event may have come in between the claim of a step and its subscription."""
    if ids := [outcome.claim.step_id for outcome in outcomes if outcome.listen is not None]:
        subscriptions.catch_up(now=now, step_ids=ids)


def _subscribe(outcomes: Sequence[Outcome], now: datetime) -> None:
    """One subscription for each step: it listens for what it said last."""
    if outcomes:
        Subscription.objects.filter(step_id__in=[outcome.claim.step_id for outcome in outcomes]).delete()
        Subscription.objects.bulk_create(_subscription(outcome, now) for outcome in outcomes)


def _subscription(outcome: Outcome, now: datetime) -> Subscription:
    claim, listen = outcome.claim, outcome.listen or Listen()
    began = claim.workflow.created_at if listen.since == "workflow" else parse(claim.claimed_at)
    return Subscription(
        step_id=claim.step_id, attempt=claim.attempt, source=listen.source, path=listen.path, condition=listen.condition,
        value_digest=subscriptions.digest(listen.value) if listen.path else "", since=began, created_at=now,
    )  # fmt: skip


def _line(outcome: Outcome) -> outcomes.Line:
    claim = outcome.claim
    return {
        "step_id": claim.step_id, "attempt": claim.attempt, "at": outcome.at, "level": "ERROR", "message": f"Failed: {outcome.error}",
    }  # fmt: skip
