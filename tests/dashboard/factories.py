"""Valid rows for the pages' tests; every function is plain and takes what matters to the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from workflows_app.engine import definitions
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Attempt, LogLine, Step, Template, TemplateVersion, Workflow

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def chain(*ids: str) -> list[Node]:
    """Nodes one after another."""
    return [
        Node(id=id, action="http_call", needs=ids[i - 1 : i] if i else (), config={"url": f"http://x/{id}"}) for i, id in enumerate(ids)
    ]


def template(slug: str = "nightly", *, nodes: Sequence[Node] = (), schema: Mapping[str, Any] | None = None, **fields: Any) -> Template:
    definition = definitions.store(definition=Definition(tuple(nodes or chain("fetch", "load"))), now=NOW)
    row = Template.objects.create(slug=slug, name=fields.pop("name", slug.title()), created_at=NOW, updated_at=NOW, **fields)
    row.current = TemplateVersion.objects.create(
        template=row, number=1, source="", params_schema=dict(schema or {}), definition=definition, created_at=NOW
    )
    row.save()
    return row


def workflow(status: Status = Status.PENDING, *, nodes: Sequence[Node] = (), at: datetime = NOW, **fields: Any) -> Workflow:
    """A workflow without steps; `steps` adds them."""
    nodes = tuple(nodes or chain("fetch", "load"))
    version: TemplateVersion | None = fields.pop("version", None)
    definition = version.definition if version else definitions.store(definition=Definition(nodes), now=at)
    is_final = status in FINAL
    values = {
        "name": "Nightly ETL", "total_steps": definition.node_count, "started_at": None if status == Status.PENDING else at - timedelta(minutes=2),
        "ended_at": at - timedelta(minutes=1) if is_final else None, "created_at": at - timedelta(minutes=3), "updated_at": at,
        "done_steps": definition.node_count if status == Status.COMPLETED else 0,
    } | fields  # fmt: skip
    return Workflow.objects.create(status=status, definition=definition, template_version=version, **values)


def step(workflow: Workflow, node_id: str, status: Status = Status.PENDING, *, at: datetime = NOW, **fields: Any) -> Step:
    """A row that the constraints accept in this status."""
    position = Step.objects.filter(workflow=workflow).count()
    began = at - timedelta(seconds=90) if status in {Status.RUNNING, Status.COMPLETED, Status.FAILED} else None
    values: dict[str, Any] = {
        "position": position,
        "action": "http_call",
        "started_at": began,
        "claimed_at": began,
        "attempt": 1 if began else 0,
    }
    if status == Status.PENDING:
        values |= {"available_at": at - timedelta(seconds=5)}
    if status == Status.RUNNING:
        values |= {"worker_id": "w" * 32, "lease_expires_at": at + timedelta(seconds=30)}
    if status in FINAL:
        values |= {"ended_at": at - timedelta(seconds=60)}
    return Step.objects.create(workflow=workflow, node_id=node_id, status=status, **values | fields)


def attempt(step: Step, number: int, outcome: str, *, error: str = "") -> Attempt:
    began = NOW - timedelta(seconds=100 - number)
    return Attempt.objects.create(
        step=step, number=number, worker_id="w" * 32, outcome=outcome, error=error, started_at=began, ended_at=began + timedelta(seconds=1)
    )


def say(step: Step, message: str, *, level: str = "INFO", attempt: int = 1) -> LogLine:
    return LogLine.objects.create(step=step, attempt=attempt, at=NOW, level=level, message=message)
