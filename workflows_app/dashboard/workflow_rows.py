"""The rows of the workflow list, in a number of queries that does not depend on the number of rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from workflows_app.dashboard import same_errors, strips, waits
from workflows_app.dashboard.filters import Filters
from workflows_app.dashboard.looks import LOOKS, Look, Moment, Took, look, moment, took
from workflows_app.engine.report.usual import Usual, is_slow, usual
from workflows_app.graph.progress import format_duration, progress
from workflows_app.graph.statuses import ACTIVE, Status
from workflows_app.models import Step, Workflow
from workflows_app.models.workflows import WorkflowQuerySet

UNREAD = ("params", "metadata", "description", "tags")
SHORTEST_TOLD = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """`reason` says why it failed or what it waits for; `url_of_error` leads to the line of the log that explains it, `same` to
    others that failed so. `usual` is how long it takes as a rule."""

    pk: int
    uid: str
    name: str
    template: str
    look: Look
    strip: strips.Strip
    percent: int
    steps: str
    began: Moment | None
    took: Took | None
    usual: str
    is_slow: bool
    reason: str
    url_of_error: str = ""
    same: str = ""
    url_of_same: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of all rows at once. `failures` counts errors by their beginning."""

    strips: Mapping[int, strips.Strip]
    waiting: Mapping[int, str]
    usual: Mapping[int, Usual]
    failures: Counter[str]
    filters: Filters


def listable() -> WorkflowQuerySet:
    return Workflow.objects.select_related("template_version__template").defer(
        *UNREAD, "template_version__source", "template_version__params_schema"
    )


def rows(workflows: Sequence[Workflow], filters: Filters, *, now: datetime) -> list[Row]:
    has_failed = any(workflow.status == Status.FAILED for workflow in workflows)
    known = Known(
        strips=_strips(workflows),
        waiting=waits.of_workflows(workflows, now=now),
        usual=usual({workflow.template_version_id for workflow in workflows if workflow.template_version_id}),
        failures=same_errors.counted(filters, now=now) if has_failed else Counter(),
        filters=filters,
    )
    return _said_once([_row(workflow, known, now) for workflow in workflows])


def _said_once(rows: list[Row]) -> list[Row]:
    """How many more failed the same way is told by the first row that did."""
    first: dict[str, str] = {}
    return [row if first.setdefault(row.url_of_same, row.uid) == row.uid else replace(row, same="", url_of_same="") for row in rows]


def _row(workflow: Workflow, known: Known, now: datetime) -> Row:
    version = workflow.template_version
    usually = known.usual.get(version.pk) if version else None
    return Row(
        pk=workflow.pk,
        uid=str(workflow.uid),
        name=workflow.name,
        template=f"{version.template.slug} v{version.number}" if version else "",
        look=look(workflow.status),
        strip=known.strips[workflow.pk],
        percent=progress(done=workflow.done_steps, total=workflow.total_steps),
        steps=f"{workflow.done_steps:,}/{workflow.total_steps:,}",
        began=moment(workflow.started_at or workflow.created_at, now=now),
        took=took(workflow.started_at, workflow.ended_at, now=now),
        usual=_usually(usually),
        is_slow=is_slow(workflow, usually, now=now),
        **_why(workflow, known),
    )


def _usually(known: Usual | None) -> str:
    """Nothing for what is over at once."""
    return format_duration(timedelta(seconds=round(known.median_seconds))) if known and known.median_seconds >= SHORTEST_TOLD else ""


def _why(workflow: Workflow, known: Known) -> dict[str, str]:
    if workflow.status != Status.FAILED:
        return {"reason": known.waiting.get(workflow.pk, "")}
    others = known.failures[same_errors.beginning(workflow.error)] - 1
    return {
        "reason": workflow.error,
        "url_of_error": _url_of_error(workflow),
        "same": f"{others:,} more with the same error" if others > 0 else "",
        "url_of_same": same_errors.url(known.filters, workflow.error) if others > 0 else "",
    }


def _url_of_error(workflow: Workflow) -> str:
    """An error begins with the id of the step that failed first."""
    step, colon, _ = workflow.error.partition(": ")
    return f"{reverse('dashboard:workflow', args=[workflow.uid])}?{urlencode({'step': step})}#error" if colon else ""


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
