"""Made-up history, to measure with and to try things on: ended workflows of some templates, their attempts and log lines."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from workflows_app.catalog.publish import publish
from workflows_app.engine.sql import history
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.engine.stopping import STOPPED_REASON
from workflows_app.graph.statuses import Status
from workflows_app.models import TemplateVersion, Workflow

NAMES = ("Nightly orders", "Invoice run", "Customer export", "Price import", "Stock check", "Mail campaign", "Monthly report", "Clean-up")
STOPPED = json.dumps({"skipped": False, "reason": STOPPED_REASON})
TAGS = ("night", "etl", "finance", "shop", "mail", "urgent")
STATUSES = (Status.COMPLETED,) * 90 + (Status.FAILED,) * 7 + (Status.STOPPED,) * 3
TEMPLATES, STEPS_AT_ONCE, RETRIED = 5, 10_000, 0.03
WORKER, LINE, ERROR = "made-up-history", "It said what a step says", "Connection refused, as made-up history has it"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much history: so many workflows of so many steps each, begun over so many days before `now`."""

    workflows: int
    steps: int
    days: float
    now: datetime
    dice: random.Random

    @property
    def at_once(self) -> int:
        return max(1, STEPS_AT_ONCE // self.steps)


def make(plan: Plan) -> Iterator[int]:
    """Write it in batches; after each, how many workflows there are."""
    versions = [_version(number, plan) for number in range(TEMPLATES)]
    for first in range(0, plan.workflows, plan.at_once):
        numbers = range(first, min(first + plan.at_once, plan.workflows))
        with write() as session:
            _add(session, [_workflow(number, plan, versions) for number in numbers], plan)
        yield numbers.stop


def _version(number: int, plan: Plan) -> TemplateVersion:
    """A chain: what its steps are named and when they ran is counted."""
    steps = [
        {"id": f"step{i}", "action": "transform", "with": {"value": i}, "needs": [f"step{i - 1}"] if i else []} for i in range(plan.steps)
    ]
    return publish(slug=f"history-{number}", source=json.dumps({"name": f"Made-up history {number}", "steps": steps}), now=plan.now)


def _workflow(number: int, plan: Plan, versions: Sequence[TemplateVersion]) -> Workflow:
    dice, version = plan.dice, versions[number % len(versions)]
    status = dice.choice(STATUSES)
    done = plan.steps if status == Status.COMPLETED else dice.randrange(plan.steps)
    created = plan.now - timedelta(days=plan.days) * (1 - number / plan.workflows)
    ended = min(plan.now, created + timedelta(seconds=0.05 + dice.expovariate(0.2)))
    name = dice.choice(NAMES)
    return Workflow(
        name=f"{name} {number}", tags=dice.sample(TAGS, dice.randint(0, 2)), status=status, seq=plan.steps + 2,
        definition_id=version.definition_id, template_version=version, params={"number": number}, total_steps=plan.steps,
        done_steps=done, failed_steps=int(status == Status.FAILED), error=f"step{done}: {ERROR}" if status == Status.FAILED else "",
        created_at=created, started_at=created, updated_at=ended, ended_at=ended,
    )  # fmt: skip


def _add(session: Session, workflows: Sequence[Workflow], plan: Plan) -> None:
    d = session.statements.dialect
    Workflow.objects.bulk_create(workflows, batch_size=500)
    rows = [row for workflow in workflows for row in _steps(session, workflow, plan)]
    first = min(int(row[0]) for row in session.run(history.add_ended_steps(d), batch=rows))
    session.run(history.add_last_attempts(d), first=first, worker=WORKER)
    session.run(history.add_first_attempts(d), first=first, worker=WORKER, error=ERROR)
    session.run(history.add_lines(d), first=first, message=LINE)


def _steps(session: Session, workflow: Workflow, plan: Plan) -> Iterator[dict[str, Any]]:
    """Each took an equal part of the time; what came after the step that ended the workflow never ran."""
    began, ended = workflow.created_at, workflow.updated_at
    each = (ended - began) / plan.steps
    for place in range(plan.steps):
        status = _status(workflow, place)
        is_run = status != Status.STOPPED
        attempt = int(is_run) + int(is_run and plan.dice.random() < RETRIED)
        yield {
            "workflow_id": workflow.pk,
            "node_id": f"step{place}",
            "position": place,
            "action": "transform",
            "status": status,
            "attempt": attempt,
            "failures": max(0, attempt - 1) + int(status == Status.FAILED),
            "output": str(place) if status == Status.COMPLETED else None,
            "error": ERROR if status == Status.FAILED else "",
            "metadata": "{}" if is_run else STOPPED,
            "started_at": session.time(began + place * each) if is_run else None,
            "claimed_at": session.time(began + (place + 0.5 * (attempt > 1)) * each) if is_run else None,
            "ended_at": session.time(began + (place + 1) * each if is_run else ended),
        }


def _status(workflow: Workflow, place: int) -> Status:
    if place < workflow.done_steps:
        return Status.COMPLETED
    is_failed = place == workflow.done_steps and workflow.status == Status.FAILED
    return Status.FAILED if is_failed else Status.STOPPED
