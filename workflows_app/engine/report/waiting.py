"""Why a step does not run yet, in words and ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from workflows_app.engine.report.rows import StepRow
from workflows_app.engine.report.times import iso
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Step

Reason = dict[str, Any]
MAX_HOLDERS_SHOWN = 5


def waiting_for(row: StepRow, statuses: Mapping[str, str], now: datetime) -> list[Reason]:
    """One `{"kind", "id", "at", "text"}` for each thing that is missing; kinds are step, time, worker, limit, trigger, approval,
    event, workflow, elements and answer. `statuses` maps the ids of the steps it needs to how they are."""
    if row.values["status"] == Status.PENDING:
        return [_claim(row, now)]
    if row.values["status"] == Status.WAITING_FOR_DEPENDENCY:
        return list(_upstream(row, statuses)) or [_outside(row)]
    return []


def _claim(row: StepRow, now: datetime) -> Reason:
    at = row.values["available_at"]
    if at > now:
        return _reason("time", f"attempt {row.values['attempt'] + 1} of {row.max_attempts}, due at {iso(at)}", at=at)
    if row.around.holders and len(row.around.holders) >= row.values["concurrency_limit"]:
        return _turn(row)
    return _reason("worker", "a free worker")


def _turn(row: StepRow) -> Reason:
    """Which key is full, and who holds it."""
    key, limit, holders = row.values["concurrency_key"], row.values["concurrency_limit"], row.around.holders
    named = [f"step {step} of workflow {uid}" for uid, step in holders[:MAX_HOLDERS_SHOWN]]
    more = [f"{len(holders) - len(named)} more"] if len(holders) > len(named) else []
    return _reason("limit", f"a turn: at most {limit} steps with the key '{key}' run at once, now {', '.join([*named, *more])}", id=key)


def _upstream(row: StepRow, statuses: Mapping[str, str]) -> Iterator[Reason]:
    for need in row.node.needs:
        if statuses.get(need) not in FINAL:
            yield _reason("step", f"step {need}, which is {statuses.get(need)}", id=need)


def _outside(row: StepRow) -> Reason:
    kind, at, why = row.values["waits_for"], row.values["available_at"], row.values["metadata"].get("waitingFor", "")
    if kind in OTHERS:
        return OTHERS[kind](row, why)
    if at is None and not row.values["attempt"]:
        return _not_started(row)
    if at is None:
        return _reason("answer", why or "an answer from outside")
    return _reason("time", why or f"its time, {iso(at)}", at=at)


def _not_started(row: StepRow) -> Reason:
    if row.values["untriggered"]:
        return _reason("trigger", "somebody to trigger the workflow: it was submitted and not started")
    return _reason("limit", "a place: as many workflows run as MAX_CONCURRENT_WORKFLOWS allows")


def _approval(row: StepRow, why: str) -> Reason:
    return _reason("approval", why or "an approval", at=row.values["available_at"])


def _event(row: StepRow, why: str) -> Reason:
    return _reason("event", why or "an event", at=row.values["available_at"])


def _workflow(row: StepRow, why: str) -> Reason:
    uid, status = row.around.child or (None, None)
    return _reason("workflow", f"workflow {uid}, which is {status}" if uid else why or "a workflow", id=uid)


def _elements(row: StepRow, why: str) -> Reason:
    counts = row.around.elements or {}
    still_open = sum(counts.get(word, 0) for word in ("pending", "running", "waiting"))
    return _reason("elements", f"{still_open} of {counts.get('total', 0)} elements, which have not ended")


def _element_turn(row: StepRow, why: str) -> Reason:
    return _reason("limit", why or "its turn: as many elements of the map run as its limit allows")


OTHERS: Mapping[str, Callable[[StepRow, str], Reason]] = {
    Step.APPROVAL: _approval, Step.EVENT: _event, Step.WORKFLOW: _workflow, Step.ELEMENTS: _elements, Step.TURN: _element_turn,
}  # fmt: skip


def _reason(kind: str, text: str, *, id: str | None = None, at: datetime | None = None) -> Reason:
    return {"kind": kind, "id": id, "at": iso(at), "text": text}
