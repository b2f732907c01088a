"""How things stand for everything that is due: the backlog, the pause, the workers, who comes first, the places for workflows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Max

from workflows_app.engine import pausing
from workflows_app.engine.liveness import live_workers
from workflows_app.engine.report import backlog
from workflows_app.engine.report.limits import limits
from workflows_app.graph.statuses import Status
from workflows_app.models import QueuePause, Step, Worker, Workflow
from workflows_app.models.workflows import StepQuerySet

MOST_IN_LINE = 1_000
Line = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Crew:
    """Live workers, and how many of them take no more steps."""

    live: int
    draining: int

    @property
    def takers(self) -> int:
        return self.live - self.draining


class Standing:
    """Shared by the parts and rows of a page. Each is read when it is first asked for, in a few queries, however many rows there are."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    @cached_property
    def pause(self) -> QueuePause | None:
        return pausing.current()

    @cached_property
    def backlog(self) -> dict[str, Any]:
        return backlog.backlog(self._now)

    @cached_property
    def limits(self) -> list[dict[str, Any]]:
        return limits(self._now)

    @cached_property
    def live(self) -> list[Worker]:
        return live_workers(now=self._now)

    @cached_property
    def crew(self) -> Crew:
        return Crew(len(self.live), sum(worker.drain_requested_at is not None for worker in self.live))

    @cached_property
    def heard_at(self) -> datetime | None:
        """When a worker was last heard of. An idle one beside the database says nothing, so it may have lived longer."""
        found = Worker.objects.aggregate(stopped=Max("stopped_at"), heard=Max("heartbeat_at"))
        return max(filter(None, found.values()), default=None)

    @cached_property
    def running(self) -> int:
        """Steps that workers hold now."""
        return Step.objects.running().count()

    @cached_property
    def line(self) -> Line | None:
        """Of due steps without a key, how many come before each; None when too many are due to tell at every look."""
        return line_of(Step.objects.due(self._now).filter(concurrency_key__isnull=True), "executor")

    @cached_property
    def workflows(self) -> int:
        """How many workflows hold a place."""
        return Workflow.objects.active().top_level().exclude(status=Status.WAITING_FOR_DEPENDENCY).count()

    @cached_property
    def held(self) -> Line:
        """Of the first workflows that wait for a place, how many come before each."""
        rows = Workflow.objects.held().top_level().order_by("id").values_list("id", flat=True)
        return {id: place for place, id in enumerate(rows[:MOST_IN_LINE])}


def line_of(rows: StepQuerySet, group: str) -> Line | None:
    """By step, how many of its group are claimed before it."""
    found = list(rows.order_by().values_list(group, "priority", "available_at", "id")[: MOST_IN_LINE + 1])
    if len(found) > MOST_IN_LINE:
        return None
    groups: dict[object, list[Sequence[object]]] = defaultdict(list)
    for row in sorted(found, key=lambda row: row[1:]):
        groups[row[0]].append(row)
    return {row[3]: place for members in groups.values() for place, row in enumerate(members)}  # type: ignore[misc]
