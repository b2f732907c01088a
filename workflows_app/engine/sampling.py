"""How long the queue is, noted every ten seconds while there is anything in it, and kept for an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models import Count, Min

from workflows_app.engine.sql.transaction import write
from workflows_app.models import BacklogSample, Step

SECONDS_APART = 10
KEPT_FOR = timedelta(hours=1)


class Sampler:
    """Asked at every look of a reaper. Whichever host comes first takes the sample of its ten seconds; it costs nothing else while
    nothing is due and nothing runs."""

    def __init__(self) -> None:
        self._last: int | None = None

    def look(self, *, now: datetime) -> BacklogSample | None:
        """The sample that was taken, if it was time for one. `now` is the database's time."""
        slot = int(now.timestamp()) // SECONDS_APART
        if slot == self._last:
            return None
        self._last = slot
        sample = _sample(slot, now)
        return sample if sample and _keep(sample, now) else None


def _sample(slot: int, now: datetime) -> BacklogSample | None:
    """Its key is the number of its ten seconds: there is one of each. What is counted stands in partial indexes, each asked alone."""
    running, due, oldest = Step.objects.running().count(), 0, None
    for has_key in (False, True):
        rows = Step.objects.due(now).filter(concurrency_key__isnull=not has_key).order_by()
        found = rows.aggregate(count=Count("pk"), oldest=Min("available_at"))
        due += found["count"]
        oldest = min(filter(None, (oldest, found["oldest"])), default=None)
    if not (due or running):
        return None
    at = datetime.fromtimestamp(slot * SECONDS_APART, UTC)
    return BacklogSample(pk=slot, at=at, due=due, running=running, oldest_due_seconds=(now - oldest).total_seconds() if oldest else 0)


def _keep(sample: BacklogSample, now: datetime) -> bool:
    """Whether nobody else was faster."""
    if BacklogSample.objects.filter(pk=sample.pk).exists():
        return False
    with write():
        BacklogSample.objects.bulk_create([sample], ignore_conflicts=True)
        BacklogSample.objects.filter(at__lt=now - KEPT_FOR).delete()
    return True
