"""How long a template's workflows and their steps usually take: medians of the last ones that completed (shared by lists, pages, API)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from statistics import median

from workflows_app.engine.sql.transaction import Session
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, TemplateVersion, Workflow

MOST_SAMPLES, FEWEST_SAMPLES = 20, 3
MOST_STEPS_READ = 6_000
SLOWER = 1.5


@dataclass(frozen=True, slots=True)
class Usual:
    """Seconds; `samples` is how many completed workflows tell, the newest twenty at most; `latest` are their keys
    and how long each took, the newest first."""

    median_seconds: float
    p95_seconds: float
    samples: int
    latest: tuple[tuple[int, float], ...]


def usual(version_ids: Collection[int]) -> Mapping[int, Usual]:
    """By template version, in one query; none for a version of which fewer than three completed."""
    if not version_ids:
        return {}
    found: dict[int, list[tuple[int, float]]] = defaultdict(list)
    session = Session()
    batch = [{"version": version} for version in set(version_ids)]
    for version, pk, seconds in session.run(session.statements.latest_completed, batch=batch, most=MOST_SAMPLES):
        found[version].append((pk, max(0.0, seconds)))
    return {version: _of(samples) for version, samples in found.items() if len(samples) >= FEWEST_SAMPLES}


def _of(samples: list[tuple[int, float]]) -> Usual:
    times = sorted(seconds for _, seconds in samples)
    p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
    return Usual(median(times), p95, len(times), tuple(sorted(samples, reverse=True)))


def usual_steps(known: Usual, total_steps: int) -> Mapping[str, float]:
    """Median seconds by step id, over the same workflows (fewer of them where they have thousands of steps)."""
    count = max(FEWEST_SAMPLES, min(MOST_SAMPLES, MOST_STEPS_READ // max(1, total_steps)))
    return _steps_of(known.latest[:count])


@lru_cache(maxsize=256)
def _steps_of(latest: tuple[tuple[int, float], ...]) -> Mapping[str, float]:
    """Kept by which workflows were read and how long they took: those have ended."""
    workflow_ids = [pk for pk, _ in latest]
    times: dict[str, list[float]] = defaultdict(list)
    rows = Step.objects.top_level().filter(workflow_id__in=workflow_ids, status=Status.COMPLETED).order_by()
    for id, began, ended in rows.values_list("node_id", "started_at", "ended_at"):
        if began and ended:
            times[id].append((ended - began).total_seconds())
    return {id: median(seconds) for id, seconds in times.items()}


def is_slow(workflow: Workflow, known: Usual | None, *, now: datetime) -> bool:
    """Whether a running one has taken half as long again as usual, and longer than nineteen of twenty did."""
    if known is None or workflow.started_at is None or workflow.ended_at is not None:
        return False
    elapsed = (now - workflow.started_at).total_seconds()
    return elapsed > max(known.median_seconds * SLOWER, known.p95_seconds, known.median_seconds + 1)


def usual_of(version: TemplateVersion | None) -> Usual | None:
    return usual([version.pk]).get(version.pk) if version else None
