"""Which workers live: beside us the kernel knows, elsewhere the heartbeat tells."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from workflows_app.engine import site
from workflows_app.models import Worker


def live_workers(*, now: datetime) -> list[Worker]:
    """Workers that are alive at `now`, the oldest first."""
    return [worker for worker in Worker.objects.filter(stopped_at__isnull=True) if is_live(worker, now=now)]


def is_live(worker: Worker, *, now: datetime) -> bool:
    if worker.site == site.site_id():
        return site.lives(worker.id)
    return worker.heartbeat_at > now - timedelta(seconds=settings.ENV.worker_heartbeat_timeout)
