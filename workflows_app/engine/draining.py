"""Take worker processes out of service gently: they finish what they run and take no more; a group whose all are drained leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from workflows_app.engine import doorbell
from workflows_app.engine.liveness import live_workers
from workflows_app.models import Step, Worker


class NoSuchWorker(Exception):
    """No live worker is called that, or several are."""


def find(names: Sequence[str], *, host: str = "", now: datetime) -> list[Worker]:
    """Live workers by id, or the beginning of one, and all of a host. Raises NoSuchWorker."""
    live = live_workers(now=now)
    found = {worker.id: worker for name in names for worker in [_one(name, live)]}
    if host:
        beside = [worker for worker in live if worker.host == host]
        if not beside:
            raise NoSuchWorker(f"No worker lives on {host!r}. Live workers: {_names(live)}")
        found |= {worker.id: worker for worker in beside}
    return list(found.values())


def request(workers: Sequence[Worker], *, now: datetime) -> int:
    """Ask them to finish what they run and to take no more; how many were not asked before."""
    asked = _rows(workers).filter(drain_requested_at__isnull=True).update(drain_requested_at=now)
    doorbell.ring()
    return asked


def cancel(workers: Sequence[Worker]) -> int:
    """Let them take steps again; how many had been asked to drain."""
    freed = _rows(workers).filter(drain_requested_at__isnull=False).update(drain_requested_at=None)
    doorbell.ring()
    return freed


def held_by(workers: Sequence[Worker]) -> int:
    """How many steps they still run."""
    return Step.objects.running().filter(worker_id__in=[worker.id for worker in workers]).count()


def is_requested(worker_id: str) -> bool:
    return Worker.objects.filter(id=worker_id, drain_requested_at__isnull=False).exists()


def is_group_drained(group: str) -> bool:
    """Whether every process of this group was asked to drain and none runs a step any more. A process that died is in the way
    of nothing, and one that takes its place is born drained."""
    ids = _drained_group(group)
    return bool(ids) and not Step.objects.running().filter(worker_id__in=ids).exists()


def born_drained(group: str, *, now: datetime) -> datetime | None:
    """What a new process of a group starts with: drained, when all before it are."""
    return now if _drained_group(group) else None


def _drained_group(group: str) -> list[str]:
    """All that live, or the last that lived, when every one of them was asked to drain."""
    rows = Worker.objects.filter(group=group).order_by("-stopped_at").values_list("id", "drain_requested_at")
    counted = list(rows.filter(stopped_at__isnull=True)) or list(rows[:1])
    return [id for id, _ in counted] if all(asked for _, asked in counted) else []


def _rows(workers: Sequence[Worker]) -> QuerySet[Worker]:
    return Worker.objects.filter(id__in=[worker.id for worker in workers])


def _one(name: str, live: Sequence[Worker]) -> Worker:
    found = [worker for worker in live if worker.id.startswith(name)]
    if len(found) != 1:
        what = "No live worker has" if not found else f"{len(found)} live workers have"
        raise NoSuchWorker(f"{what} an id that begins with {name!r}. Live workers: {_names(live)}")
    return found[0]


def _names(live: Sequence[Worker]) -> str:
    return ", ".join(f"{worker.id[:8]} ({worker.host}, pid {worker.pid})" for worker in live) or "none"
