"""The step rows behind a page of workflows, read in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows_app.engine import retry
from workflows_app.engine.report.graphs import compiled
from workflows_app.engine.report.logs import latest_lines
from workflows_app.graph.definition import Node
from workflows_app.models import Step

FIELDS = (
    "id", "workflow_id", "node_id", "action", "status", "available_at", "attempt", "failures", "is_skipped",
    "output", "error", "metadata", "started_at", "ended_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step with its node of the definition and what it said."""

    values: Mapping[str, Any]
    node: Node
    lines: Sequence[str]

    @property
    def max_attempts(self) -> int:
        return retry.max_attempts(self.node)


def steps_of(digests: Mapping[int, str], *, lines_per_step: int) -> Mapping[int, list[StepRow]]:
    """Steps by workflow, in the author's order. `digests` maps each workflow's key to its definition's digest."""
    graphs = compiled(digests.values())
    lines = latest_lines(list(digests), per_step=lines_per_step)
    found: dict[int, list[StepRow]] = defaultdict(list)
    for row in Step.objects.filter(workflow_id__in=list(digests)).order_by("workflow_id", "position").values(*FIELDS):
        node = graphs[digests[row["workflow_id"]]].by_id[row["node_id"]]
        found[row["workflow_id"]].append(StepRow(row, node, lines.get(row["id"], ())))
    return found
