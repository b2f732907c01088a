"""The rows of the workflow list, in a number of queries that does not depend on the number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows_app.dashboard import strips, waits
from workflows_app.dashboard.looks import LOOKS, Look, Moment, Took, look, moment, took
from workflows_app.graph.progress import progress
from workflows_app.graph.statuses import ACTIVE, Status
from workflows_app.models import Step, Workflow
from workflows_app.models.workflows import WorkflowQuerySet

UNREAD = ("params", "metadata", "description", "tags")


@dataclass(frozen=True, slots=True)
class Row:
    """`reason` says why it failed or what it waits for; empty otherwise."""

    uid: str
    name: str
    template: str
    look: Look
    strip: strips.Strip
    percent: int
    steps: str
    began: Moment | None
    took: Took | None
    reason: str


def listable() -> WorkflowQuerySet:
    return Workflow.objects.select_related("template_version__template").defer(
        *UNREAD, "template_version__source", "template_version__params_schema"
    )


def rows(workflows: Sequence[Workflow], *, now: datetime) -> list[Row]:
    drawn = _strips(workflows)
    waiting = waits.of_workflows(workflows, now=now)
    return [_row(workflow, drawn[workflow.pk], waiting.get(workflow.pk, ""), now) for workflow in workflows]


def _row(workflow: Workflow, strip: strips.Strip, waiting: str, now: datetime) -> Row:
    version = workflow.template_version
    return Row(
        uid=str(workflow.uid),
        name=workflow.name,
        template=f"{version.template.slug} v{version.number}" if version else "",
        look=look(workflow.status),
        strip=strip,
        percent=progress(done=workflow.done_steps, total=workflow.total_steps),
        steps=f"{workflow.done_steps:,}/{workflow.total_steps:,}",
        began=moment(workflow.started_at or workflow.created_at, now=now),
        took=took(workflow.started_at, workflow.ended_at, now=now),
        reason=workflow.error if workflow.status == Status.FAILED else waiting,
    )


def _strips(workflows: Sequence[Workflow]) -> Mapping[int, strips.Strip]:
    small = [workflow.pk for workflow in workflows if workflow.total_steps <= strips.MAX_BLOCKS]
    steps: dict[int, list[tuple[str, Look]]] = defaultdict(list)
    found = Step.objects.top_level().filter(workflow_id__in=small).order_by("workflow_id", "position")
    for pk, node_id, status, is_skipped in found.values_list("workflow_id", "node_id", "status", "is_skipped"):
        steps[pk].append((node_id, look(status, is_skipped=is_skipped)))
    return {w.pk: strips.of_steps(steps[w.pk]) if w.pk in steps else strips.of_counts(_counts(w)) for w in workflows}


def _counts(workflow: Workflow) -> dict[Look, int]:
    """From the counters of the workflow's own row: 25 rows of 10,000 steps must not read 250,000."""
    done, failed, active = workflow.done_steps, workflow.failed_steps, workflow.active_steps
    rest = max(0, workflow.total_steps - done - failed - active)
    unfinished = Status.WAITING_FOR_DEPENDENCY if workflow.status in ACTIVE else Status.STOPPED
    pairs = ((Status.COMPLETED, done), (Status.FAILED, failed), (Status.RUNNING, active), (unfinished, rest))
    return {LOOKS[status]: n for status, n in pairs}
