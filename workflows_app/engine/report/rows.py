"""The step rows behind a page of workflows, read in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from workflows_app.engine import retry
from workflows_app.engine.report.around import ALONE, Around, around
from workflows_app.engine.report.graphs import compiled
from workflows_app.engine.report.logs import latest_lines, lines_of
from workflows_app.graph.definition import Definition, Node
from workflows_app.models import Step
from workflows_app.models.workflows import StepQuerySet

FIELDS = (
    "id", "workflow_id", "node_id", "action", "status", "available_at", "attempt", "failures", "crashes", "is_skipped", "waits_for",
    "concurrency_key", "concurrency_limit", "output", "error", "metadata", "started_at", "ended_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step with its node of the definition, what it said, and what other rows say about it."""

    values: Mapping[str, Any]
    node: Node
    lines: Sequence[str]
    around: Around = ALONE

    @property
    def max_attempts(self) -> int:
        return retry.max_attempts(self.node)


def steps_of(digests: Mapping[int, str], *, lines_per_step: int, now: datetime) -> Mapping[int, list[StepRow]]:
    """Steps by workflow, in the author's order, without the elements of maps. `digests` maps each workflow's key to its
    definition's digest."""
    steps = Step.objects.filter(workflow_id__in=list(digests), parent__isnull=True).order_by("workflow_id", "position")
    lines = latest_lines(list(digests), per_step=lines_per_step)
    found: dict[int, list[StepRow]] = defaultdict(list)
    for row in _rows(_values(steps), compiled(digests.values()), digests, lines, now):
        found[row.values["workflow_id"]].append(row)
    return found


def rows_of(steps: StepQuerySet, digest: str, *, lines_per_step: int, now: datetime) -> list[StepRow]:
    """These steps of one workflow, elements of maps too, in the order of the query."""
    values = _values(steps)
    lines = lines_of([row["id"] for row in values], per_step=lines_per_step)
    return _rows(values, compiled([digest]), {row["workflow_id"]: digest for row in values}, lines, now)


def _values(steps: StepQuerySet) -> list[dict[str, Any]]:
    return list(steps.values(*FIELDS, untriggered=F("workflow__awaits_trigger")))


def _rows(
    values: Sequence[Mapping[str, Any]],
    graphs: Mapping[str, Definition],
    digests: Mapping[int, str],
    lines: Mapping[int, list[str]],
    now: datetime,
) -> list[StepRow]:
    nodes = {row["id"]: graphs[digests[row["workflow_id"]]].node(row["node_id"]) for row in values}
    near = around(values, is_map=lambda row: nodes[row["id"]].body is not None and row["attempt"] > 0, now=now)
    return [StepRow(row, nodes[row["id"]], lines.get(row["id"], ()), near.get(row["id"], ALONE)) for row in values]
