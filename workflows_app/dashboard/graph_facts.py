"""What the rows say about the steps that a graph names: how long, which attempt, what they wait for, their elements."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from workflows_app.dashboard.looks import look
from workflows_app.graph.definition import Definition
from workflows_app.models import Step, Workflow

FIELDS = ("id", "node_id", "status", "attempt", "started_at", "claimed_at", "ended_at", "available_at", "waits_for", "metadata__progress")


@dataclass(frozen=True, slots=True)
class Fact:
    """`elements` counts those of a map by the words of their looks; `progress`, from 0 to 1, is what the action told."""

    attempt: int
    started_at: datetime | None
    claimed_at: datetime | None
    ended_at: datetime | None
    available_at: datetime | None
    waits_for: str | None
    elements: Mapping[str, int] | None
    progress: float | None = None


def facts(workflow: Workflow, definition: Definition, ids: Collection[str]) -> Mapping[str, Fact]:
    """By step id, in two queries."""
    rows = list(Step.objects.filter(workflow=workflow, node_id__in=list(ids)).order_by().values(*FIELDS))
    maps = [row for row in rows if definition.by_id[row["node_id"]].body is not None and row["attempt"]]
    counts = _elements(maps)
    return {row["node_id"]: _fact(row, counts.get(row["id"])) for row in rows}


def _elements(maps: Sequence[Mapping[str, Any]]) -> Mapping[int, Mapping[str, int]]:
    """How many of each map's elements are how, by the words of their looks."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    rows = Step.objects.filter(parent_id__in=[row["id"] for row in maps]).order_by().values("parent_id", "status", "is_skipped")
    for key, status, is_skipped, count in rows.annotate(n=Count("pk")).values_list("parent_id", "status", "is_skipped", "n"):
        found[int(key or 0)][look(status, is_skipped=is_skipped).css] += count
    return found


def _fact(row: Mapping[str, Any], elements: Mapping[str, int] | None) -> Fact:
    return Fact(
        attempt=row["attempt"],
        started_at=row["started_at"],
        claimed_at=row["claimed_at"],
        ended_at=row["ended_at"],
        available_at=row["available_at"],
        waits_for=row["waits_for"],
        elements=elements,
        progress=row["metadata__progress"],
    )
