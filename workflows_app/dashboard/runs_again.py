"""What a retry would run again, in words: the exact number, and the names."""

from __future__ import annotations

from workflows_app.dashboard.looks import listed, plural
from workflows_app.engine import run_again
from workflows_app.engine.definitions import compiled
from workflows_app.models import Workflow


def words(workflow: Workflow, from_step: str | None = None) -> str:
    """`"Runs 3 steps again: load, report and notify. 5 steps stay as they are."`; empty when there is nothing to retry."""
    return said(workflow, in_order(workflow, from_step))


def said(workflow: Workflow, ids: list[str]) -> str:
    rest = workflow.total_steps - len(ids)
    stay = f" {plural(rest, 'step')} {'stays as it is' if rest == 1 else 'stay as they are'}." if rest else ""
    return f"Runs {plural(len(ids), 'step')} again: {listed(ids)}.{stay}" if ids else ""


def in_order(workflow: Workflow, from_step: str | None = None) -> list[str]:
    """In the author's order. A step that the graph does not have runs nothing."""
    definition = compiled(workflow.definition_id)
    if from_step is not None and from_step not in definition.by_id:
        return []
    return sorted(run_again.of_retry(workflow, from_step), key=definition.positions.__getitem__)
