"""Rows of steps, as the table of a workflow and the list of a map's elements show them, in a constant number of queries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows_app.dashboard import progress, waits
from workflows_app.dashboard.looks import Look, Took, look, took
from workflows_app.dashboard.steps_view import View
from workflows_app.engine import retry
from workflows_app.engine.report.around import ALONE, around
from workflows_app.engine.report.rows import StepRow as Report
from workflows_app.engine.report.waiting import waiting_for
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

UNREAD = ("output", "resume", "answer")
TOLD = (
    "id", "workflow_id", "status", "available_at", "attempt", "failures", "crashes", "waits_for", "concurrency_key", "concurrency_limit",
    "metadata",
)  # fmt: skip
OPEN = ("pending", "running", "waiting")
MOST_OF_ITEM = 120


@dataclass(frozen=True, slots=True)
class Bar:
    """How far it is: `value` of `maximum`, in words too."""

    value: float
    maximum: float
    words: str
    css: str


@dataclass(frozen=True, slots=True)
class Child:
    """The workflow that a step started."""

    uid: str
    name: str
    look: Look


@dataclass(frozen=True, slots=True)
class StepRow:
    """`waiting` says what it waits for, `error` why it failed, `note` why it did not run; `item` is an element's own value; `usual`
    how long it usually takes, and whether it is slower this time."""

    id: str
    name: str
    action: str
    look: Look
    attempts: str
    took: Took | None
    usual: str
    is_slow: bool
    waiting: list[waits.Wait]
    error: str
    note: str
    item: str
    bar: Bar | None
    child: Child | None
    url: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class About:
    """What the rows of one page need to know beside their own columns."""

    workflow: Workflow
    definition: Definition
    statuses: Mapping[str, str]
    view: View
    now: datetime
    usual: Mapping[str, float] = field(default_factory=dict)


def rows(steps: Sequence[Step], about: About) -> list[StepRow]:
    """`steps` may come without the columns in `UNREAD`."""
    nodes = {step.pk: about.definition.node(step.node_id) for step in steps}
    told = [_told(step, about.workflow) for step in steps]
    near = around(told, is_map=lambda values: nodes[values["id"]].body is not None and values["attempt"] > 0, now=about.now)
    children = _children(steps)
    return [
        _row(step, Report(values, nodes[step.pk], (), near.get(step.pk, ALONE)), children.get(step.pk), about)
        for step, values in zip(steps, told, strict=True)
    ]


def _told(step: Step, workflow: Workflow) -> dict[str, Any]:
    return {**{name: getattr(step, name) for name in TOLD}, "untriggered": workflow.awaits_trigger}


def _children(steps: Sequence[Step]) -> Mapping[int, Child]:
    """The latest workflow of each step that starts one: a retry may have left earlier ones."""
    keys = [step.pk for step in steps if step.action == "sub_workflow"]
    found = Workflow.objects.filter(parent_step__in=keys).order_by("id").values_list("parent_step", "uid", "name", "status") if keys else ()
    return {step: Child(str(uid), name, look(status)) for step, uid, name, status in found if step is not None}


def _row(step: Step, told: Report, child: Child | None, about: About) -> StepRow:
    node, is_element, reached = told.node, step.parent_id is not None, about.view.step == step.node_id
    return StepRow(
        id=step.node_id,
        name=node.name if node.name not in ("", node.id) and not is_element else "",
        action=step.action,
        look=look(step.status, is_skipped=step.is_skipped),
        attempts=_attempts(step, node),
        took=took(step.started_at, step.ended_at, now=about.now),
        usual=progress.span(about.usual[step.node_id]) if step.node_id in about.usual else "",
        is_slow=progress.is_slow_step(step, about.usual.get(step.node_id), now=about.now),
        waiting=_waiting(step, told, about),
        error=step.error,
        note=str(step.metadata.get("reason", "")),
        item=_item(step),
        bar=_bar(step, told.around.elements),
        child=child,
        url=about.view.url(step=step.node_id if not reached else about.view.top if is_element else ""),
        is_selected=reached or about.view.top == step.node_id,
    )


def _waiting(step: Step, told: Report, about: About) -> list[waits.Wait]:
    """In short for an element whose turn it is not: hundreds of them may stand below each other."""
    if step.waits_for == Step.TURN:
        return [waits.Wait("its turn")]
    reasons = waiting_for(told, about.statuses, about.now)
    return waits.of_reasons(reasons, about.statuses, now=about.now)


def _attempts(step: Step, node: Node) -> str:
    return f"{step.attempt} of {retry.max_attempts(node)}" if step.attempt > 1 and node.body is None else str(step.attempt or "")


def _item(step: Step) -> str:
    if step.parent_id is None:
        return ""
    text = json.dumps(step.element, ensure_ascii=False)
    return f"{text[:MOST_OF_ITEM]}…" if len(text) > MOST_OF_ITEM else text


def _bar(step: Step, elements: Mapping[str, int] | None) -> Bar | None:
    if elements and elements["total"]:
        return _elements_bar(step, elements)
    fraction = step.metadata.get("progress")
    if step.status != Status.RUNNING or not isinstance(fraction, int | float):
        return None
    return Bar(fraction, 1, f"{int(fraction * 100)} %", "running")


def _elements_bar(step: Step, elements: Mapping[str, int]) -> Bar:
    total, still_open = elements["total"], sum(elements[word] for word in OPEN)
    parts = [f"{elements[word]:,} {word}" for word in ("failed", "running", "waiting", "stopped", "skipped") if elements[word]]
    css = "running" if still_open else look(step.status).css
    return Bar(total - still_open, total, " · ".join([f"{total - still_open:,} of {total:,} elements", *parts]), css)
