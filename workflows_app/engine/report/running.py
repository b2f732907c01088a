"""Steps that run now, by worker, each with how long it usually takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import F

from workflows_app.engine.report.times import iso, seconds, took
from workflows_app.engine.report.usual import SLOWER, usual
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

MOST_KNOWN = 200
Row = Mapping[str, Any]
Place = tuple[int, str]


def running(now: datetime) -> Mapping[str, list[dict[str, Any]]]:
    """The longest first; three queries, however many there are."""
    rows = Step.objects.running().order_by("claimed_at", "id").annotate(
        uid=F("workflow__uid"), called=F("workflow__name"), version=F("workflow__template_version")
    )  # fmt: skip
    fields = ("worker_id", "uid", "called", "version", "node_id", "action", "attempt", "claimed_at", "lease_expires_at")
    steps: list[Row] = list(rows.values(*fields))
    known = _usual_seconds([(row["version"], row["node_id"]) for row in steps[:MOST_KNOWN] if row["version"]])
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in steps:
        found[row["worker_id"]].append(_step_json(row, known.get((row["version"], row["node_id"])), now))
    return found


def _step_json(row: Row, usually: float | None, now: datetime) -> dict[str, Any]:
    elapsed = seconds(row["claimed_at"], now)
    return {
        "workflowId": str(row["uid"]),
        "workflowName": row["called"],
        "stepId": row["node_id"],
        "action": row["action"],
        "attempt": row["attempt"],
        "startTime": iso(row["claimed_at"]),
        "duration": took(row["claimed_at"], None, now),
        "usualSeconds": usually,
        "isSlow": usually is not None and elapsed > max(usually * SLOWER, usually + 1),
        "leaseExpiresAt": iso(row["lease_expires_at"]),
    }


def _usual_seconds(places: Sequence[Place]) -> Mapping[Place, float]:
    """Medians over the last workflows of each version that completed."""
    latest = {pk: version for version, found in usual({version for version, _ in places}).items() for pk, _ in found.latest}
    if not latest:
        return {}
    times: dict[Place, list[float]] = defaultdict(list)
    for workflow_id, id, began, ended in _completed(latest, {id for _, id in places}):
        if began and ended:
            times[latest[workflow_id], id].append((ended - began).total_seconds())
    return {place: round(median(found), 3) for place, found in times.items()}


def _completed(workflow_ids: Iterable[int], ids: Iterable[str]) -> Iterable[tuple[int, str, datetime | None, datetime | None]]:
    rows = Step.objects.filter(workflow_id__in=list(workflow_ids), node_id__in=list(ids), status=Status.COMPLETED).order_by()
    return rows.values_list("workflow_id", "node_id", "started_at", "ended_at")
