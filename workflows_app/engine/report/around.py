"""What other rows say about a step: its elements, who holds its concurrency key, the workflow it waits for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

ELEMENT_WORDS: Mapping[str, str] = {status.value: status.value.lower() for status in Status} | {Status.WAITING_FOR_DEPENDENCY: "waiting"}
Values = Mapping[str, Any]
Holder = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Around:
    """`elements` counts a map's elements by how they are; `holders` are `(workflow id, step id)` of the steps that run with the
    same concurrency key; `child` is id and status of the sub-workflow that it waits for."""

    elements: Mapping[str, int] | None = None
    holders: Sequence[Holder] = ()
    child: tuple[str, str] | None = None


ALONE = Around()


def around(rows: Sequence[Values], *, is_map: Callable[[Values], bool]) -> Mapping[int, Around]:
    """By the key of each step; at most three queries, and none for steps that all stand alone."""
    counts = _elements([row["id"] for row in rows if is_map(row)])
    holders = _holders({row["concurrency_key"] for row in rows if _wants_a_turn(row)})
    children = _children([row["id"] for row in rows if row["waits_for"] == Step.WORKFLOW])
    wanted = {row["id"]: holders.get(row["concurrency_key"], ()) for row in rows if _wants_a_turn(row)}
    return {key: Around(counts.get(key), wanted.get(key, ()), children.get(key)) for key in {*counts, *wanted, *children}}


def _wants_a_turn(row: Values) -> bool:
    return row["status"] == Status.PENDING and row["concurrency_key"] is not None


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


def _children(steps: Sequence[int]) -> Mapping[int, tuple[str, str]]:
    """The latest sub-workflow of each step: a retry may have left earlier ones."""
    if not steps:
        return {}
    rows = Workflow.objects.filter(parent_step__in=steps).order_by("id").values_list("parent_step", "uid", "status")
    return {step: (str(uid), status) for step, uid, status in rows if step is not None}
