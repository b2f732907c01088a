"""Valid rows for tests, by plain functions. Every time is counted from `NOW`."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User

from workflows_app.engine import definitions
from workflows_app.graph.definition import Definition as Graph
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models import ApiToken, Attempt, Definition, LogLine, Step, Template, TemplateVersion, Worker, Workflow

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)
CHAIN = (Node("fetch", "http_call"), Node("shape", "transform", needs=("fetch",)))


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_definition(*nodes: Node) -> Definition:
    """Stored; without nodes, `fetch -> shape`."""
    return definitions.store(definition=Graph(nodes or CHAIN), now=NOW)


def a_user(name: str = "", *, is_staff: bool = False, is_superuser: bool = False) -> User:
    return User.objects.create_user(name or f"user{next(_numbers)}", password="correct horse", is_staff=is_staff, is_superuser=is_superuser)


def a_token(*, user: AbstractBaseUser | None = None, secret: str = "", **changes: Any) -> ApiToken:
    """A token whose secret is `secret`."""
    digest = hashlib.sha256((secret or f"secret{next(_numbers)}").encode()).hexdigest()
    values = {"user": user or a_user(), "name": "test", "prefix": "he_test", "digest": digest, "created_at": NOW}
    return ApiToken.objects.create(**{**values, **changes})


def a_template(slug: str = "", *, definition: Definition | None = None, version: int = 1, source: str = "", **changes: Any) -> Template:
    """Published, with one version; `params_schema` goes to the version."""
    slug = slug or f"template-{next(_numbers)}"
    schema = changes.pop("params_schema", {})
    template = Template.objects.create(slug=slug, created_at=NOW, updated_at=NOW, **{"name": slug.title(), **changes})
    template.current = TemplateVersion.objects.create(
        template=template,
        number=version,
        source=source or f"name: {slug}\n",
        params_schema=schema,
        definition=definition or a_definition(),
        created_at=NOW,
    )
    template.save()
    return template


def a_workflow(*nodes: Node, statuses: Mapping[str, Status] | None = None, template: Template | None = None, **changes: Any) -> Workflow:
    """A workflow with a step per node, roots due at NOW; `statuses` says how steps are, and the workflow follows from them."""
    definition = template.current.definition if template and template.current else a_definition(*nodes)
    graph = definition.compiled()
    given = dict(statuses or {})
    now_at = {node.id: given.get(node.id) or (Status.WAITING_FOR_DEPENDENCY if node.needs else Status.PENDING) for node in graph.nodes}
    values = {
        "name": "A workflow",
        "definition": definition,
        "template_version": template.current if template else None,
        "created_at": NOW,
        "updated_at": NOW,
        **_counters(list(now_at.values())),
    }
    workflow = Workflow.objects.create(**{**values, **changes})
    for position, node in enumerate(graph.nodes):
        a_step(workflow, node, position=position, status=now_at[node.id])
    return workflow


def _counters(statuses: Iterable[Status]) -> dict[str, Any]:
    found = list(statuses)
    status = _overall(found)
    is_final = status in FINAL
    return {
        "status": status,
        "total_steps": len(found),
        "done_steps": found.count(Status.COMPLETED),
        "failed_steps": found.count(Status.FAILED),
        "active_steps": 0 if is_final else found.count(Status.PENDING) + found.count(Status.RUNNING),
        "started_at": None if status == Status.PENDING else NOW,
        "ended_at": later(10) if is_final else None,
    }


def _overall(statuses: list[Status]) -> Status:
    if any(status in ACTIVE for status in statuses):
        return Status.PENDING if not set(statuses) - {Status.PENDING, Status.WAITING_FOR_DEPENDENCY} else Status.RUNNING
    worst = [status for status in (Status.FAILED, Status.STOPPED) if status in statuses]
    return worst[0] if worst else Status.COMPLETED


def a_step(workflow: Workflow, node: Node, *, position: int = 0, status: Status = Status.PENDING, **changes: Any) -> Step:
    """A step that satisfies every constraint in this status."""
    values: dict[str, Any] = {"remaining": len(node.needs) if status in ACTIVE else 0, "action": node.action, "priority": node.priority}
    if status == Status.PENDING:
        values |= {"available_at": NOW}
    if status == Status.RUNNING:
        values |= {"worker_id": "w" * 32, "lease_expires_at": later(30)}
    if status in FINAL | {Status.RUNNING}:
        values |= {"attempt": 1, "started_at": NOW, "claimed_at": NOW}
    if status in FINAL:
        values |= {"ended_at": later(2)}
    return Step.objects.create(workflow=workflow, node_id=node.id, position=position, status=status, **{**values, **changes})


def an_attempt(step: Step, *, number: int = 1, outcome: str = "completed", **changes: Any) -> Attempt:
    values = {"worker_id": "w" * 32, "started_at": NOW, "ended_at": later(2)}
    return Attempt.objects.create(step=step, number=number, outcome=outcome, **{**values, **changes})


def a_log_line(step: Step, message: str = "It said something", *, level: str = "INFO", attempt: int = 1, at: datetime = NOW) -> LogLine:
    return LogLine.objects.create(step=step, message=message, level=level, attempt=attempt, at=at)


def a_worker(id: str = "w" * 32, *, heartbeat_at: datetime = NOW, **changes: Any) -> Worker:
    """On another host, so that only its heartbeat tells whether it lives."""
    values = {"host": "elsewhere", "site": "another site", "pid": 4711, "started_at": NOW}
    return Worker.objects.create(id=id, heartbeat_at=heartbeat_at, **{**values, **changes})
