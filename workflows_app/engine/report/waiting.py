"""Why a step does not run yet, in words and ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from workflows_app.engine import pausing
from workflows_app.engine.report.rows import StepRow
from workflows_app.engine.report.standing import MOST_IN_LINE, Standing
from workflows_app.engine.report.times import iso
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Step

Reason = dict[str, Any]
MAX_HOLDERS_SHOWN = 5


def waiting_for(row: StepRow, statuses: Mapping[str, str], now: datetime) -> list[Reason]:
    """One `{"kind", "id", "at", "text"}` for each thing that is missing; kinds are step, time, worker, limit, pause, trigger, approval,
    event, workflow, elements and answer. `statuses` maps the ids of the steps it needs to how they are."""
    status, at = row.values["status"], row.values["available_at"]
    if status not in (Status.PENDING, Status.WAITING_FOR_DEPENDENCY):
        return []
    if at is not None and at <= now:
        return _due(row, row.around.standing or Standing(now))
    if status == Status.PENDING:
        return [_later(row)]
    return list(_upstream(row, statuses)) or [_outside(row)]


def _due(row: StepRow, standing: Standing) -> list[Reason]:
    """It could run now: what keeps workers from it, and the workers themselves when nothing else does, or when there are none."""
    found = [*_pause(standing), *_turn(row)]
    return [*found, _worker(row, standing)] if not (found and standing.crew.takers) else found


def _pause(standing: Standing) -> Iterator[Reason]:
    if standing.pause:
        yield _reason("pause", f"the queue, which is paused {pausing.told(standing.pause)}", at=standing.pause.since)


def _turn(row: StepRow) -> Iterator[Reason]:
    """Which key is full, who holds it, and how many are to have it before."""
    key, limit, holders = row.values["concurrency_key"], row.values["concurrency_limit"], row.around.holders
    if not holders or len(holders) < limit:
        return
    named = [f"step {step} of workflow {uid}" for uid, step in holders[:MAX_HOLDERS_SHOWN]]
    more = [f"{len(holders) - len(named)} more"] if len(holders) > len(named) else []
    before = f"; {row.around.before:,} wait before it" if row.around.before else ""
    text = f"a turn: at most {_many(limit, 'step')} with the key '{key}' run at once, now {', '.join([*named, *more])}{before}"
    yield _reason("limit", text, id=key)


def _worker(row: StepRow, standing: Standing) -> Reason:
    crew = standing.crew
    if not crew.live:
        heard = f"; the last was heard of at {iso(standing.heard_at)}" if standing.heard_at else ""
        return _reason("worker", f"a worker: none is alive{heard}", at=standing.heard_at)
    if not crew.takers:
        return _reason("worker", f"a worker that takes steps: {_many(crew.live, 'worker')} alive, all being drained")
    return _reason("worker", f"a free worker{_line(row, standing)}")


def _line(row: StepRow, standing: Standing) -> str:
    """What the workers do instead, and how many steps they take before this one."""
    if row.values["concurrency_key"] is not None:
        place = row.around.before
    else:
        place = standing.line.get(row.values["id"], 0) if standing.line is not None else None
    if not (place or standing.running) and place is not None:
        return ""
    before = f"more than {MOST_IN_LINE:,} are due" if place is None else f"{place:,} come before this one" if place else "this one is next"
    return f": {_many(standing.crew.takers, 'worker')} run {_many(standing.running, 'step')} now, and {before}"


def _later(row: StepRow) -> Reason:
    at = row.values["available_at"]
    if row.around.refusal:
        return _reason("worker", f"a worker that can run it, looked for again at {iso(at)}: {row.around.refusal}", at=at)
    return _reason("time", f"attempt {row.values['attempt'] + 1} of {row.max_attempts}, due at {iso(at)}", at=at)


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
        return _reason("trigger", "somebody to trigger the workflow: it was submitted, not started")
    return _reason("limit", f"a place: as many workflows run as MAX_CONCURRENT_WORKFLOWS allows{_places(row)}")


def _places(row: StepRow) -> str:
    standing, most = row.around.standing, settings.ENV.max_concurrent_workflows
    if standing is None or not most:
        return ""
    place = standing.held.get(row.values["workflow_id"])
    before = "many wait" if place is None else f"{place:,} wait{'s' if place == 1 else ''}" if place else "none waits"
    return f" ({standing.workflows:,} of {most:,}), and {before} before this one"


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


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _reason(kind: str, text: str, *, id: str | None = None, at: datetime | None = None) -> Reason:
    return {"kind": kind, "id": id, "at": iso(at), "text": text}
