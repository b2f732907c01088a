"""When the attempts of a workflow's steps ran, as its page draws it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflows_app.dashboard.steps_view import View
from workflows_app.models import Workflow


@dataclass(frozen=True, slots=True)
class TimelineView:
    """`range_words` says which steps are shown where there are many."""

    range_words: str


def build(workflow: Workflow, view: View, now: datetime) -> TimelineView:
    return TimelineView(range_words="")
