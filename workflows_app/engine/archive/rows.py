"""The rows of an imported workflow. What follows from its steps is computed, whatever the file says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from workflows_app.engine.archive.documents import State, StepState, moment
from workflows_app.engine.archive.files import STATE, Unfit
from workflows_app.engine.definitions import REBUILT
from workflows_app.engine.reopen import counters
from workflows_app.engine.start import executor_of
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import LogLine, Step, Workflow

_LINE = re.compile(r"(\S+) (DEBUG|INFO|WARNING|ERROR) (.*)", re.DOTALL)
_LEFT_OUT = re.compile(r"… \d+ earlier lines: GET the step's logs")


def steps(state: State, definition: Definition) -> list[Step]:
    """In the author's order, all of them final. Raises Unfit."""
    by_id = {step.id: (index, step) for index, step in enumerate(state.steps)}
    return [_step(state, *by_id[node.id], node, position) for position, node in enumerate(definition.nodes)]


def workflow(state: State, definition: Definition, rows: Sequence[Step], *, is_rebuilt: bool) -> Workflow:
    """The workflow of these steps, still without what it is linked to; one whose definition is rebuilt cannot run again.
    Raises Unfit when its status contradicts the steps."""
    counts = counters(definition, {row.node_id: row for row in rows})
    status = _status(state, is_all_done=counts["done_steps"] == len(rows))
    advice = "its definition.json was not there, so it cannot go on" if is_rebuilt else "resume it to go on"
    was_cut_short = status == Status.STOPPED != state.status
    return Workflow(
        uid=state.id, name=state.name, description=state.description or "", tags=state.tags or [], status=status,
        params=state.params or {}, total_steps=len(rows), **counts,
        metadata={**(state.metadata or {}), **({REBUILT: True} if is_rebuilt else {})},
        error=f"It was {state.status} when it was exported: {advice}" if was_cut_short else state.error or "",
        created_at=state.created_at, updated_at=state.updated_at, started_at=state.start_time or _first(rows),
        ended_at=state.end_time or _last(rows) or state.updated_at,
    )  # fmt: skip


def log_lines(state: State, rows: Mapping[str, Step]) -> Iterator[LogLine]:
    """What the steps said, each line of the latest attempt: which one said it is not in the file."""
    for step in state.steps:
        for text in step.logs or ():
            if not _LEFT_OUT.fullmatch(text):
                at, level, message = _line(text, step.start_time or state.created_at)
                yield LogLine(step=rows[step.id], attempt=rows[step.id].attempt, at=at, level=level, message=message)


def _status(state: State, *, is_all_done: bool) -> Status:
    if state.status not in FINAL:
        return Status.COMPLETED if is_all_done else Status.STOPPED
    if (state.status == Status.COMPLETED) != is_all_done:
        raise Unfit(STATE, f"{state.status} contradicts the steps, of which {'all' if is_all_done else 'not all'} are done", field="status")
    return Status(state.status)


def _step(state: State, index: int, step: StepState, node: Node, position: int) -> Step:
    is_final = step.status in FINAL
    metadata = step.metadata.kept() if step.metadata else {}
    is_skipped = metadata.get("skipped") is True
    if is_skipped and step.status != Status.STOPPED:
        raise Unfit(STATE, f"a step that is {step.status} was not skipped", field=f"steps[{index}].metadata.skipped")
    return Step(
        node_id=node.id, position=position, action=node.action, executor=executor_of(node.action), priority=node.priority,
        concurrency_key=node.concurrency_key or None, concurrency_limit=node.concurrency_limit, is_skipped=is_skipped,
        status=step.status if is_final else Status.STOPPED, output=step.outputs, error=step.error or "",
        metadata=metadata if is_final else {"skipped": False, "reason": f"it was {step.status} when the workflow was exported"},
        attempt=step.attempts if step.attempts is not None else int(step.start_time is not None),
        started_at=step.start_time, claimed_at=step.start_time, ended_at=step.end_time or state.end_time or state.updated_at,
    )  # fmt: skip


def _first(rows: Sequence[Step]) -> datetime | None:
    return min((row.started_at for row in rows if row.started_at), default=None)


def _last(rows: Sequence[Step]) -> datetime | None:
    return max((row.ended_at for row in rows if row.ended_at), default=None)


def _line(text: str, otherwise: datetime) -> tuple[datetime, str, str]:
    """Time, level and message; a line that has none of our form is all message."""
    found = _LINE.fullmatch(text)
    try:
        return (moment(found[1]), found[2], found[3]) if found else (otherwise, "INFO", text)
    except ValueError:
        return otherwise, "INFO", text
