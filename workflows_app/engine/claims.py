"""Claims: a worker takes due steps, and loads what they need to run."""

from __future__ import annotations

import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows_app.engine.definitions import compiled
from workflows_app.engine.sql.transaction import Row, Session
from workflows_app.graph.definition import Definition, Node


@dataclass(frozen=True, slots=True)
class WorkflowInfo:
    """What changes in a workflow's row only together with `revision`."""

    uid: str
    name: str
    definition: Definition
    params: Mapping[str, Any]
    revision: int


@dataclass(frozen=True, slots=True)
class Slots:
    """How many more steps a process could run: coroutines on its loop, plain tasks in (and shortly ahead of) its thread."""

    loop: int = 0
    thread: int = 0

    def __bool__(self) -> bool:
        return self.loop > 0 or self.thread > 0


@dataclass(slots=True)
class Claim:
    """One step that this worker holds. `attempt` is the fencing token; `claimed_at` is written as the database gave it."""

    step_id: int
    workflow_id: int
    node_id: str
    attempt: int
    failures: int
    crashes: int
    resume: Any
    claimed_at: str
    revision: int = 0
    workflow: WorkflowInfo = field(init=False)
    upstream: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def node(self) -> Node:
        return self.workflow.definition.by_id[self.node_id]

    @property
    def fence(self) -> dict[str, int]:
        return {"key": self.step_id, "attempt": self.attempt}


def claim(session: Session, *, worker_id: str, slots: Slots, now: datetime, lease: datetime) -> list[Claim]:
    """Take due steps, the most urgent first. The rows are RUNNING under this worker's lease when it commits."""
    rows = session.run(session.statements.claim, worker=worker_id, now=now, lease=lease, slots_0=slots.loop, slots_1=slots.thread)
    return [_read(row) for row in sorted(rows, key=_urgency)]


def _urgency(row: Row) -> tuple[int, int]:
    """What a statement returns comes in no order."""
    return row[0], row[1]


def _read(row: Row) -> Claim:
    _priority, step_id, workflow_id, node_id, attempt, failures, crashes, resume, claimed_at, revision = row
    kept = json.loads(resume) if resume else None
    return Claim(step_id, workflow_id, node_id, attempt, failures, crashes, kept, claimed_at, int(revision or 0))


def is_due(session: Session, *, now: datetime, slots: Slots | None = None) -> bool:
    """Whether a step waits to be claimed, by somebody with these free slots."""
    slots = slots or Slots(1, 1)
    return bool(session.run(session.statements.is_due, now=now, slots_0=slots.loop, slots_1=slots.thread))


class Inputs:
    """Loads what claims need, a handful of statements a batch. Immutable facts of recent workflows are kept."""

    def __init__(self, keep: int = 256) -> None:
        self._known: OrderedDict[int, WorkflowInfo] = OrderedDict()
        self._keep = keep

    def load(self, session: Session, claims: list[Claim]) -> None:
        """Fill in `workflow` and `upstream` of every claim; those whose workflow was deleted meanwhile are taken out."""
        self._learn(session, {claim.workflow_id: claim.revision for claim in claims})
        claims[:] = [claim for claim in claims if claim.workflow_id in self._known]
        for claim in claims:
            claim.workflow = self._known[claim.workflow_id]
        self._load_upstream(session, [claim for claim in claims if claim.node.references])
        while len(self._known) > self._keep:
            self._known.popitem(last=False)

    def _learn(self, session: Session, revisions: Mapping[int, int]) -> None:
        missing = [{"key": id} for id, revision in revisions.items() if id not in self._known or self._known[id].revision != revision]
        if not missing:
            return
        for id, uid, name, digest, params in session.run(session.statements.load_workflows, batch=missing):
            self._known[id] = WorkflowInfo(str(uuid.UUID(uid)), name, compiled(digest), json.loads(params), revisions[id])

    def _load_upstream(self, session: Session, claims: Sequence[Claim]) -> None:
        if not claims:
            return
        wanted = {(claim.workflow_id, node_id) for claim in claims for node_id in claim.node.references}
        batch = [{"workflow_id": workflow_id, "node_id": node_id} for workflow_id, node_id in wanted]
        found = {(row[0], row[1]): row[2:] for row in session.run(session.statements.load_outputs, batch=batch)}
        for claim in claims:
            for node_id in claim.node.references:
                status, output, error = found.get((claim.workflow_id, node_id), ("", None, ""))  # deleted meanwhile
                claim.upstream[node_id] = {"output": json.loads(output) if output else None, "status": status, "error": error}
