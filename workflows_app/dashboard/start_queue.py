"""When a workflow that is started now would begin: what is ahead of it, and how fast that goes away."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Sum

from workflows_app.dashboard.looks import plural
from workflows_app.dashboard.progress import span
from workflows_app.engine.report.standing import Standing
from workflows_app.models import Workflow

WINDOW = timedelta(minutes=5)


def words(*, now: datetime) -> str:
    """One sentence or two."""
    standing = Standing(now)
    if standing.pause is not None:
        return "The queue is paused: it begins when that is over."
    if not standing.crew.takers:
        return "No worker takes steps: it waits until one does. Start one with `manage.py up`."
    if _is_full(standing):
        return f"As many workflows run as may at once ({settings.ENV.max_concurrent_workflows}): it waits for a place."
    return _ahead(standing.backlog["due"], standing.crew.takers, now)


def _is_full(standing: Standing) -> bool:
    """Counted without the lock under which places are given away: this is only a hint."""
    limit = settings.ENV.max_concurrent_workflows
    return bool(limit) and standing.workflows >= limit


def _ahead(due: int, workers: int, now: datetime) -> str:
    there = plural(workers, "worker")
    if not due:
        return f"Nothing ahead of it, {there}: begins at once."
    ahead = f"{plural(due, 'step')} ahead of it, {there}"
    rate = _steps_per_second(now)
    return f"{ahead}: begins in about {span(max(1.0, due / rate))}." if rate else f"{ahead}."


def _steps_per_second(now: datetime) -> float:
    """Of the workflows that ended lately; found by the index on their last change."""
    since = now - WINDOW
    found = Workflow.objects.filter(updated_at__gte=since, ended_at__gte=since).aggregate(done=Sum("done_steps", default=0))
    return float(found["done"]) / WINDOW.total_seconds()
