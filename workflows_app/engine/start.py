"""Start workflows: one transaction for the workflow and all its steps, then ring."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import IntegrityError

from workflows_app import actions
from workflows_app.engine import admission, definitions, doorbell
from workflows_app.engine.definitions import compiled
from workflows_app.engine.errors import IdempotencyConflict
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.graph.statuses import Status
from workflows_app.models import Definition, Event, Step, TemplateVersion, Workflow


@dataclass(frozen=True)
class Order:
    """A workflow to start. With an idempotency key, `idempotency_digest` tells one payload from another.

    `parent_step_id` is the step that waits for it, which counts one more in `depth`; `event` or `schedule_id` is what started it,
    `started_by_id` the user who did; one that `awaits_trigger` is stored and begins when it is triggered."""

    definition: Definition
    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    tags: Sequence[str] = ()
    template_version: TemplateVersion | None = None
    parent: Workflow | None = None
    idempotency_key: str | None = None
    idempotency_digest: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    uid: uuid.UUID | None = None
    parent_step_id: int | None = None
    root_id: int | None = None
    depth: int = 0
    event: Event | None = None
    chain_depth: int = 0
    awaits_trigger: bool = False
    schedule_id: int | None = None
    started_by_id: int | None = None


def start(*, order: Order, now: datetime) -> Workflow:
    """The new workflow, or the one that the same key and payload started before. Raises IdempotencyConflict."""
    return start_many(orders=[order], now=now)[0]


def start_many(*, orders: Sequence[Order], now: datetime) -> list[Workflow]:
    """All of them in one transaction, or none. Raises IdempotencyConflict."""
    try:
        workflows = _start(orders, now)
    except (IntegrityError, Definition.DoesNotExist):  # somebody just took a key (PostgreSQL): now it shows; or an unused definition went
        for order in orders:
            definitions.keep(order.definition)
        workflows = _start(orders, now)
    doorbell.ring()
    return workflows


def _start(orders: Sequence[Order], now: datetime) -> list[Workflow]:
    with write() as session:
        return place(session, orders, now)


def place(session: Session, orders: Sequence[Order], now: datetime) -> list[Workflow]:
    """Start them as a part of the caller's transaction, who rings when it is committed. Raises IdempotencyConflict."""
    workflows: list[Workflow] = []
    new: dict[str | int, Workflow] = {}
    for number, order in enumerate(orders):
        earlier = _earlier(order, new)
        workflows.append(earlier or new.setdefault(order.idempotency_key or number, prepared(order, now)))
    insert(session, list(new.values()), now)
    return workflows


def insert(session: Session, workflows: Sequence[Workflow], now: datetime) -> None:
    """Store new workflows with their steps, in the caller's transaction."""
    admission.hold_back([workflow for workflow in workflows if not (workflow.parent_step_id or workflow.awaits_trigger)])
    _add_workflows(session, workflows, now)
    _add_steps(session, workflows, now)


def _earlier(order: Order, new: Mapping[str | int, Workflow]) -> Workflow | None:
    if order.idempotency_key is None:
        return None
    earlier = new.get(order.idempotency_key) or Workflow.objects.filter(idempotency_key=order.idempotency_key).first()
    if earlier and earlier.idempotency_digest != order.idempotency_digest:
        raise IdempotencyConflict(order.idempotency_key)
    return earlier


def prepared(order: Order, now: datetime) -> Workflow:
    """The row of an order, to be stored by `insert`."""
    graph = compiled(order.definition.digest)
    return Workflow(
        name=order.name, description=order.description, tags=list(order.tags), definition=order.definition,
        template_version=order.template_version, params=dict(order.params), parent=order.parent, metadata=dict(order.metadata),
        idempotency_key=order.idempotency_key, idempotency_digest=order.idempotency_digest,
        total_steps=len(graph.nodes), active_steps=len(graph.roots), created_at=now, updated_at=now, uid=order.uid or uuid.uuid4(),
        parent_step_id=order.parent_step_id, root_id=order.root_id, depth=order.depth, event=order.event, chain_depth=order.chain_depth,
        awaits_trigger=order.awaits_trigger, schedule_id=order.schedule_id, started_by_id=order.started_by_id,
    )  # fmt: skip


def _add_workflows(session: Session, workflows: Sequence[Workflow], now: datetime) -> None:
    """One statement, for the ORM takes longer to write its own than the database to run it."""
    by_uid = {workflow.uid.hex: workflow for workflow in workflows}
    rows = [{name: _stored(workflow, name) for name in _STORED} for workflow in workflows]
    for uid, pk in session.run(session.statements.add_workflows, batch=rows, now=now) if rows else ():
        workflow = by_uid[uid.replace("-", "")]
        workflow.pk, workflow._state.adding = pk, False


_STORED = (
    "uid", "name", "description", "tags", "status", "definition_id", "template_version_id", "params", "parent_id", "parent_step_id",
    "root_id", "depth", "event_id", "chain_depth", "awaits_trigger", "total_steps", "active_steps", "metadata", "idempotency_key",
    "idempotency_digest", "schedule_id", "started_by_id",
)  # fmt: skip


def _stored(workflow: Workflow, name: str) -> Any:
    """A column as the statement takes it: JSON as text, an id without its dashes."""
    value = getattr(workflow, name)
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value.hex if isinstance(value, uuid.UUID) else value


def _add_steps(session: Session, workflows: Sequence[Workflow], now: datetime) -> None:
    at = session.time(now)
    rows = [
        {**row, "workflow_id": workflow.pk, "available_at": at if row["status"] == Status.PENDING else None}
        for workflow in workflows
        for row in _step_rows(workflow.definition_id, is_held=is_held(workflow))
    ]
    if rows:
        session.soon(session.statements.add_steps, batch=rows)


def is_held(workflow: Workflow) -> bool:
    """Whether its first steps wait too: for a place, or to be triggered."""
    return workflow.awaits_trigger or workflow.status == Status.WAITING_FOR_DEPENDENCY


@lru_cache(maxsize=256)
def _step_rows(digest: str, *, is_held: bool) -> tuple[dict[str, Any], ...]:
    """What is the same in every workflow of a definition; in a held one its first steps wait too."""
    return tuple(
        {
            "node_id": node.id,
            "position": position,
            "action": node.action,
            "executor": executor_of(node.action),
            "priority": node.priority,
            "status": Status.WAITING_FOR_DEPENDENCY if node.needs or is_held else Status.PENDING,
            "remaining": len(node.needs),
            "concurrency_key": node.concurrency_key or None,
            "concurrency_limit": node.concurrency_limit,
        }
        for position, node in enumerate(compiled(digest).nodes)
    )


def executor_of(action: str) -> int:
    """Where its steps run. One that this process does not know fails where it is run, with its name."""
    try:
        return Step.THREAD if actions.find(action).in_thread else Step.LOOP
    except actions.UnknownAction:
        return Step.LOOP
