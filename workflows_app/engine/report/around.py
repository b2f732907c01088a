"""What other rows say about a step: its elements, who holds its concurrency key, the workflow it waits for, how things stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F

from workflows_app.engine.report.standing import Line, Standing, line_of
from workflows_app.graph.statuses import ACTIVE, Status
from workflows_app.models import Attempt, Step, Workflow

ELEMENT_WORDS: Mapping[str, str] = {status.value: status.value.lower() for status in Status} | {Status.WAITING_FOR_DEPENDENCY: "waiting"}
Values = Mapping[str, Any]
Holder = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Around:
    """`elements` counts a map's elements by how they are; `holders` are `(workflow id, step id)` of the steps that run with the same
    concurrency key, `before` how many wait for it before this one; `child` is id and status of the sub-workflow that it waits for;
    `refusal` says why the last worker left it for another; `standing` is there for every step that does not run."""

    elements: Mapping[str, int] | None = None
    holders: Sequence[Holder] = ()
    before: int | None = None
    child: tuple[str, str] | None = None
    refusal: str = ""
    standing: Standing | None = None


ALONE = Around()


def around(rows: Sequence[Values], *, is_map: Callable[[Values], bool], now: datetime) -> Mapping[int, Around]:
    """By the key of each step; at most five queries, and none for steps that all stand alone."""
    counts = _elements([row["id"] for row in rows if is_map(row)])
    wanting = {row["id"]: row["concurrency_key"] for row in rows if _wants_a_turn(row, now)}
    holders, line = _holders(set(wanting.values())), _line(set(wanting.values()), now)
    children = _children([row["id"] for row in rows if row["waits_for"] == Step.WORKFLOW])
    refusals = _refusals([row["id"] for row in rows if _may_have_been_left(row, now)])
    standing = Standing(now)
    idle = {row["id"] for row in rows if row["status"] in ACTIVE and row["status"] != Status.RUNNING}
    return {
        id: Around(
            elements=counts.get(id), holders=holders.get(wanting.get(id, ""), ()), before=line.get(id), child=children.get(id),
            refusal=refusals.get(id, ""), standing=standing if id in idle else None,
        )
        for id in idle | counts.keys()
    }  # fmt: skip


def _wants_a_turn(row: Values, now: datetime) -> bool:
    return bool(row["concurrency_key"] is not None and row["available_at"] and row["available_at"] <= now)


def _may_have_been_left(row: Values, now: datetime) -> bool:
    """It waits for its next attempt although not all of those before failed."""
    is_later = row["status"] == Status.PENDING and row["available_at"] > now
    return bool(is_later and row["attempt"] > row["failures"] + row["crashes"])


def _elements(maps: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
    """`{"total", "completed", ...}` of every map, zeros too: what is not there cannot be told from what is not counted."""
    found = {key: {"total": 0, **dict.fromkeys([*ELEMENT_WORDS.values(), "skipped"], 0)} for key in maps}
    rows = Step.objects.filter(parent_id__in=maps).order_by().values("parent_id", "status", "is_skipped").annotate(n=Count("pk"))
    for parent, status, is_skipped, n in rows.values_list("parent_id", "status", "is_skipped", "n") if maps else ():
        found[parent]["skipped" if is_skipped else ELEMENT_WORDS[status]] += n
        found[parent]["total"] += n
    return found


def _holders(keys: Iterable[str]) -> Mapping[str, list[Holder]]:
    """Who runs now with each key, the longest first."""
    found: dict[str, list[Holder]] = defaultdict(list)
    if wanted := list(keys):
        rows = Step.objects.running().filter(concurrency_key__in=wanted).order_by("claimed_at", "id")
        for key, uid, id in rows.values_list("concurrency_key", "workflow__uid", "node_id"):
            found[str(key)].append((str(uid), id))
    return found


def _line(keys: Iterable[str], now: datetime) -> Line:
    wanted = list(keys)
    return (line_of(Step.objects.due(now).filter(concurrency_key__in=wanted), "concurrency_key") if wanted else None) or {}


def _refusals(steps: Sequence[int]) -> Mapping[int, str]:
    """Why the worker that had each of these last could not run it, and left it for another."""
    if not steps:
        return {}
    left = Attempt.objects.filter(step__in=steps, outcome="released", number=F("step__attempt")).exclude(error="")
    return dict(left.values_list("step_id", "error"))


def _children(steps: Sequence[int]) -> Mapping[int, tuple[str, str]]:
    """The latest sub-workflow of each step: a retry may have left earlier ones."""
    if not steps:
        return {}
    rows = Workflow.objects.filter(parent_step__in=steps).order_by("id").values_list("parent_step", "uid", "status")
    return {step: (str(uid), status) for step, uid, status in rows if step is not None}
