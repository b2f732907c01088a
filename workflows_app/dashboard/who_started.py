"""Who or what started a workflow: a person, a schedule, an event, another workflow."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from workflows_app.models import Workflow


@dataclass(frozen=True, slots=True)
class Starter:
    """`"by"` and a name; `url` leads to what it was, if it has a page."""

    before: str
    words: str
    url: str = ""


def starters(workflow: Workflow) -> list[Starter]:
    """Read with the workflow: its user, schedule, event, parent and parent step."""
    found = [_part_of(workflow), _schedule(workflow), _event(workflow), _earlier(workflow)]
    named = [Starter("by", workflow.started_by.get_username())] if workflow.started_by else []
    return [*named, *(starter for starter in found if starter)]


def _part_of(workflow: Workflow) -> Starter | None:
    step, parent = workflow.parent_step, workflow.parent
    if step is None or parent is None:
        return None
    return Starter("by step", f"{step.node_id} of {parent.name}", f"{_page(parent)}?{urlencode({'step': step.node_id})}")


def _schedule(workflow: Workflow) -> Starter | None:
    return (
        Starter("by schedule", workflow.schedule.name, reverse("dashboard:schedule", args=[workflow.schedule.uid]))
        if workflow.schedule
        else None
    )


def _event(workflow: Workflow) -> Starter | None:
    event = workflow.event
    return (
        Starter("by an event", f"from {event.source}" if event.source else "", reverse("dashboard:event", args=[event.uid]))
        if event
        else None
    )


def _earlier(workflow: Workflow) -> Starter | None:
    """It runs an earlier one again."""
    if workflow.parent is None or workflow.parent_step_id:
        return None
    return Starter("again after", f"{workflow.parent.name} {str(workflow.parent.uid)[:8]}", _page(workflow.parent))


def _page(workflow: Workflow) -> str:
    return reverse("dashboard:workflow", args=[workflow.uid])
