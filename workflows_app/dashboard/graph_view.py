"""The graph of one workflow as its page draws it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflows_app.dashboard.steps_table import Looks
from workflows_app.dashboard.steps_view import View
from workflows_app.models import Workflow


@dataclass(frozen=True, slots=True)
class GraphView:
    """`label` says in words what the figure shows."""

    label: str


def build(workflow: Workflow, looks: Looks, view: View, now: datetime) -> GraphView:
    return GraphView(label=f"{workflow.total_steps:,} steps")
