"""Claims: a worker takes due steps, and loads what they need to run."""

from __future__ import annotations

import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows_app.actions.base import Element
from workflows_app.engine import secret_values
from workflows_app.engine.clock import parse
from workflows_app.engine.definitions import UNREADABLE, readable
from workflows_app.engine.sql.transaction import Row, Session
from workflows_app.graph.definition import Definition, Node
from workflows_app.models import Step


@dataclass(frozen=True, slots=True)
class WorkflowInfo:
    """What changes in a workflow's row only together with `revision`."""

    uid: str
    name: str
    definition: Definition
    params: Mapping[str, Any]
    revision: int
    created_at: datetime
    depth: int
    chain_depth: int
    root_id: int | None


@dataclass(frozen=True, slots=True)
class Slots:
    """How many more steps a process could run: coroutines on its loop, plain tasks in (and shortly ahead of) its thread."""

    loop: int = 0
    thread: int = 0

    def __bool__(self) -> bool:
        return self.loop > 0 or self.thread > 0

    def without(self, taken: Sequence[Claim]) -> Slots:
        in_thread = sum(claimed.executor == Step.THREAD for claimed in taken)
        return Slots(self.loop - (len(taken) - in_thread), self.thread - in_thread)


@dataclass(slots=True)
class Claim:
    """One step that this worker holds. `attempt` is the fencing token; `claimed_at` is written as the database gave it.
    An element of a map has its map's step as `parent_id`."""

    step_id: int
    workflow_id: int
    node_id: str
    attempt: int
    failures: int
    crashes: int
    resume: Any
    claimed_at: str
    executor: int = Step.LOOP
    answer: Any = None
    parent_id: int | None = None
    element: Any = None
    revision: int = 0
    workflow: WorkflowInfo = field(init=False)
    node: Node = field(init=False)
    upstream: dict[str, dict[str, Any]] = field(default_factory=dict)
    elements: Sequence[Element] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def index(self) -> int:
        """The place of an element in its map's list."""
        return int(self.node_id[self.node_id.rindex("[") + 1 : -1])

    @property
    def is_unreadable(self) -> bool:
        return self.workflow.definition is UNREADABLE

    @property
    def fence(self) -> dict[str, int]:
        return {"key": self.step_id, "attempt": self.attempt}


def claim_any(
    session: Session, *, worker_id: str, slots: Slots, now: datetime, lease: datetime, limited_first: bool
) -> tuple[list[Claim], bool]:
    """Take due steps with and without a concurrency key, and say whether some wait for a key that has room: only then it matters
    who comes first."""
    if limited_first:
        limited = claim_limited(session, worker_id=worker_id, slots=slots, now=now, lease=lease)
        return [*limited, *claim(session, worker_id=worker_id, slots=slots.without(limited), now=now, lease=lease)], True
    places = {"slots_0": slots.loop, "slots_1": slots.thread}
    statements = session.statements
    rows, keys = session.run_both(statements.claim, statements.limited_keys, worker=worker_id, now=now, lease=lease, **places)
    found = [_read(row) for row in sorted(rows, key=_urgency)]
    if keys:
        found += claim_limited(session, worker_id=worker_id, slots=slots.without(found), now=now, lease=lease)
    return found, bool(keys)


def claim(session: Session, *, worker_id: str, slots: Slots, now: datetime, lease: datetime) -> list[Claim]:
    """Take due steps, the most urgent first. The rows are RUNNING under this worker's lease when it commits."""
    rows = session.run(session.statements.claim, worker=worker_id, now=now, lease=lease, slots_0=slots.loop, slots_1=slots.thread)
    return [_read(row) for row in sorted(rows, key=_urgency)]


def claim_limited(session: Session, *, worker_id: str, slots: Slots, now: datetime, lease: datetime) -> list[Claim]:
    """Take due steps whose concurrency key has room, counted by live leases: each while fewer hold the key than its own limit allows."""
    free, chosen = [slots.loop, slots.thread], []
    for name in sorted(str(row[0]) for row in session.run(session.statements.limited_keys, now=now)):
        if sum(free):
            chosen += _due_of_key(session, name, free, now)
    if not chosen:
        return []
    rows = session.run(session.statements.claim_these, worker=worker_id, now=now, lease=lease, batch=[{"key": id} for id in chosen])
    return [_read(row) for row in sorted(rows, key=_urgency)]


def _due_of_key(session: Session, name: str, free: list[int], now: datetime) -> list[int]:
    """Ids to claim of one key; `free` slots by executor are used up. Whoever counts the holders holds the key meanwhile."""
    session.run(session.statements.hold_key, name=name)
    held = next((row[1] for row in session.run(session.statements.limited_keys, now=now) if row[0] == name), None)
    if held is None:
        return []
    chosen = []
    for id, executor, limit in session.run(session.statements.due_of_key, name=name, now=now, held=held, most=sum(free)):
        if held < limit and free[executor]:
            chosen.append(id)
            free[executor] -= 1
            held += 1
    return chosen


def _urgency(row: Row) -> tuple[int, int]:
    """What a statement returns comes in no order."""
    return row[0], row[1]


def _read(row: Row) -> Claim:
    _priority, step_id, executor, workflow_id, node_id, attempt, failures, crashes, *texts = row
    resume, answer, parent_id, element, claimed_at, revision = texts
    return Claim(
        step_id, workflow_id, node_id, attempt, failures, crashes, _value(resume), claimed_at,
        executor=executor, answer=_value(answer), parent_id=parent_id, element=_value(element), revision=int(revision or 0),
    )  # fmt: skip


def _value(text: str | None) -> Any:
    return json.loads(text) if text else None


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
            claim.node = UNREADABLE.nodes[0] if claim.is_unreadable else claim.workflow.definition.node(claim.node_id)
        self._load_upstream(session, [claim for claim in claims if claim.node.references])
        _load_elements(session, [claim for claim in claims if claim.node.body and claim.resume])
        _load_secrets([claim for claim in claims if claim.node.secrets])
        while len(self._known) > self._keep:
            self._known.popitem(last=False)

    def _learn(self, session: Session, revisions: Mapping[int, int]) -> None:
        missing = [{"key": id} for id, revision in revisions.items() if id not in self._known or self._known[id].revision != revision]
        if not missing:
            return
        for id, uid, name, digest, params, created_at, *depths in session.run(session.statements.load_workflows, batch=missing):
            known = (str(uuid.UUID(uid)), name, readable(digest), json.loads(params), revisions[id], parse(created_at), *depths)
            self._known[id] = WorkflowInfo(*known)

    def _load_upstream(self, session: Session, claims: Sequence[Claim]) -> None:
        if not claims:
            return
        wanted = {(claim.workflow_id, node_id) for claim in claims for node_id in claim.node.references}
        batch = [{"workflow_id": workflow_id, "node_id": node_id} for workflow_id, node_id in wanted]
        found = {
            (workflow_id, node_id): {"output": _value(output), "status": status, "error": error}
            for workflow_id, node_id, status, output, error in session.run(session.statements.load_outputs, batch=batch)
        }
        deleted = {"output": None, "status": "", "error": ""}
        for claim in claims:
            claim.upstream = {id: found.get((claim.workflow_id, id), deleted) for id in claim.node.references}


def _load_elements(session: Session, claims: Sequence[Claim]) -> None:
    """For maps that go on: how their elements ended."""
    if not claims:
        return
    ended: dict[int, list[Element]] = {claim.step_id: [] for claim in claims}
    batch = [{"key": claim.step_id, "count": claim.resume["count"]} for claim in claims]
    for parent_id, _position, status, output, error in session.run(session.statements.load_elements, batch=batch):
        ended[parent_id].append(Element(status, _value(output), error))
    for claim in claims:
        claim.elements = ended[claim.step_id]


def _load_secrets(claims: Sequence[Claim]) -> None:
    if not claims:
        return
    known = secret_values.values({name for claim in claims for name in claim.node.secrets})
    for claim in claims:
        claim.secrets = {name: known[name] for name in claim.node.secrets if name in known}
