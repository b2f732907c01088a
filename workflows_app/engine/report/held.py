"""What holds whole workflows up: of each of which nothing runs, the step that matters most and why it waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Q, Value, When, Window
from django.db.models.functions import RowNumber

from workflows_app.engine.report.around import around
from workflows_app.engine.report.graphs import compiled
from workflows_app.engine.report.rows import FIELDS, StepRow
from workflows_app.engine.report.waiting import Reason, waiting_for
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step
from workflows_app.models.workflows import StepQuerySet

READ = tuple(name for name in FIELDS if name != "output")
IN_THE_MIDDLE = Q(available_at__isnull=False) | Q(status=Status.WAITING_FOR_DEPENDENCY, remaining=0)
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """The step, all that it waits for, and how many other steps are held up beside it."""

    step: str
    reasons: list[Reason]
    others: int


def held(workflow_ids: Collection[int], *, now: datetime) -> Mapping[int, Held]:
    """By workflow, for those of which nothing runs: what a person can answer comes first, then what comes first in time. The same
    number of queries for one and for a page."""
    busy = Step.objects.running().filter(workflow_id__in=list(workflow_ids)).order_by().values_list("workflow_id", flat=True).distinct()
    idle = set(workflow_ids) - set(busy)
    first = _first_of_each(idle) if idle else []
    told = _reasons(first, now)
    return {row["workflow_id"]: Held(row["node_id"], told[row["id"]], row["together"] - 1) for row in first}


def _first_of_each(workflow_ids: Collection[int]) -> list[Values]:
    is_asked = Case(When(waits_for=Step.APPROVAL, then=Value(0)), default=Value(1))
    order = (is_asked, F("available_at").asc(nulls_last=True), F("position").asc())
    place = Window(RowNumber(), partition_by="workflow_id", order_by=order)
    waiting = Step.objects.filter(IN_THE_MIDDLE, workflow_id__in=workflow_ids).exclude(waits_for=Step.TURN)
    ranked = waiting.order_by().annotate(place=place, together=Window(Count("pk"), partition_by="workflow_id"))
    return _read(ranked.filter(place=1), "together")


def _read(steps: StepQuerySet, *more: str) -> list[Values]:
    return list(steps.values(*READ, *more, untriggered=F("workflow__awaits_trigger"), digest=F("workflow__definition_id")))


def _reasons(values: Sequence[Values], now: datetime) -> Mapping[int, list[Reason]]:
    nodes = _nodes(values, now)
    near = around(values, is_map=lambda row: row["waits_for"] == Step.ELEMENTS, now=now)
    return {
        row["id"]: waiting_for(StepRow(row, nodes[row["id"]], (), near[row["id"]]), {}, now) if row["id"] in near else [] for row in values
    }


def _nodes(values: Sequence[Values], now: datetime) -> Mapping[int, Node]:
    """The definition is read only of those that say which attempt they wait for."""
    wanted = {row["id"] for row in values if row["status"] == Status.PENDING and row["available_at"] > now}
    graphs = compiled({row["digest"] for row in values if row["id"] in wanted})
    return {
        row["id"]: graphs[row["digest"]].node(row["node_id"]) if row["id"] in wanted else Node(row["node_id"], row["action"])
        for row in values
    }
