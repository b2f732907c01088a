"""Recovery: steps of dead or silent workers are taken back; a frozen group is ended for its process manager to restart."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, connection

from workflows_app.engine import admission, doorbell, draining, endings, lifecycle, memory, outcomes, pausing, site, subscriptions
from workflows_app.engine.begun import had_begun
from workflows_app.engine.claims import Claim, Inputs
from workflows_app.engine.clock import database_now
from workflows_app.engine.commit import apply, lock, record
from workflows_app.engine.invariants import InvariantSweep
from workflows_app.engine.sampling import Sampler
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.models import Step, Worker

logger = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
FROZEN_SECONDS = 30.0


def take_back(*, now: datetime, trust_leases: bool = True) -> int:
    """Take the steps of dead workers back; how many. Of workers in this data directory the kernel tells who lives;
    of others the lease does, when `trust_leases`: a reaper that slept must not judge by what went by meanwhile."""
    held = defaultdict(list)
    for step in Step.objects.running().order_by("lease_expires_at").only("id", "worker_id", "lease_expires_at", "workflow_id"):
        held[step.worker_id].append(step)
    sites = dict(Worker.objects.filter(id__in=list(held)).values_list("id", "site"))
    taken = 0
    for worker_id, steps in held.items():
        if sites.get(worker_id) == site.site_id() and not site.lives(worker_id):
            taken += _take_by_blame(worker_id, [step.pk for step in steps], "The worker process died", now)
        elif trust_leases:
            late = [step.pk for step in steps if step.lease_expires_at and step.lease_expires_at < now]
            taken += _take_by_blame(worker_id, late, "The worker fell silent and its lease ran out", now, leases_until=now)
    if taken:
        doorbell.ring()
    return taken


def _take_by_blame(worker_id: str, step_ids: list[int], reason: str, now: datetime, *, leases_until: datetime | None = None) -> int:
    """What it had begun costs a try; what it had only claimed costs nothing: a living worker does not even know of a claim whose
    commit was never answered."""
    begun = had_begun(worker_id, step_ids)
    unbegun = [id for id in step_ids if id not in begun]
    taken = _take(worker_id, [id for id in step_ids if id in begun], reason, now, leases_until=leases_until)
    return taken + _take(worker_id, unbegun, f"{reason} before the step began", now, had_begun=False, leases_until=leases_until)


def _take(
    worker_id: str, step_ids: list[int], reason: str, now: datetime, *, had_begun: bool = True, leases_until: datetime | None = None
) -> int:
    """Only what is still held under the workflows' lock, with `leases_until` by leases that have run out: another reaper may have
    been faster, and a worker may have been heard of meanwhile."""
    if not step_ids:
        return 0
    claims = [_claim(step) for step in Step.objects.running().filter(pk__in=step_ids, worker_id=worker_id)]
    Inputs().load(Session(), claims)
    claims = [claim for claim in claims if not claim.is_unreadable]  # the reaper of the release that wrote them takes these
    ends = [outcomes.crashed(claim, reason, at=now) if had_begun else outcomes.released(claim, at=now, reason=reason) for claim in claims]
    for outcome in ends:
        outcome.lines = [_line(outcome)]
    with write() as session:
        lock(session, {claim.workflow_id for claim in claims})
        session.settle()
        ends = _still_held(ends, worker_id, leases_until)
        recorded = record(session, worker_id=worker_id, outcomes=ends, now=now)
        for outcome in ends:
            recorded.deltas[outcome.claim.workflow_id].active += 0
        ended = apply(session, recorded.deltas, now=now)
    endings.after_end(ended, now=now)
    if ends:
        logger.warning("%s: worker %s, %s steps taken back", reason, worker_id[:8], len(ends))
    return len(ends)


def _still_held(ends: list[outcomes.Outcome], worker_id: str, leases_until: datetime | None) -> list[outcomes.Outcome]:
    held = Step.objects.running().filter(pk__in=[end.claim.step_id for end in ends], worker_id=worker_id)
    if leases_until is not None:
        held = held.filter(lease_expires_at__lt=leases_until)
    fences = set(held.values_list("pk", "attempt"))
    return [end for end in ends if (end.claim.step_id, end.claim.attempt) in fences]


def _claim(step: Step) -> Claim:
    at = Session().time(step.claimed_at) or ""
    return Claim(
        step.pk, step.workflow_id, step.node_id, step.attempt, step.failures, step.crashes, step.resume, at,
        answer=step.answer, parent_id=step.parent_id, element=step.element,
    )  # fmt: skip


def _line(outcome: outcomes.Outcome) -> outcomes.Line:
    message, level = f"Attempt {outcome.claim.attempt} ended: {outcome.error}", "ERROR" if outcome.crashed else "WARNING"
    return {"step_id": outcome.claim.step_id, "attempt": outcome.claim.attempt, "at": outcome.at, "level": level, "message": message}


def look_after_workers(*, now: datetime) -> None:
    """Say of workers of this data directory that died that they stopped, and forget those of other days. Where other hosts
    share the database (PostgreSQL), say for the living that they do: an idle one does not write itself."""
    silent_since = now - timedelta(seconds=settings.ENV.worker_heartbeat_interval)
    for worker in Worker.objects.filter(stopped_at__isnull=True, site=site.site_id()):
        if not site.lives(worker.id):
            if not Step.objects.running().filter(worker_id=worker.id).exists():  # else the next look takes them back first
                Worker.objects.filter(id=worker.id).update(stopped_at=now)
                site.forget(worker.id)
        elif connection.vendor != "sqlite" and worker.heartbeat_at < silent_since:
            Worker.objects.filter(id=worker.id).update(heartbeat_at=now, memory_bytes=memory.of_worker(worker))
    old = Worker.objects.filter(stopped_at__lt=now - timedelta(days=1))
    if old.exists():
        old.delete()


def _seconds_for_a_turn() -> float:
    """How long a writer waits: while another program holds SQLite's lock everybody can look and nobody can extend a lease."""
    began = time.monotonic()
    with write():
        pass
    return time.monotonic() - began


class Reaper(threading.Thread):
    """Looks every second. After a gap in its own ticks, or when a clock was set, it trusts no lease for the length of one:
    the gap may have been everybody's."""

    def __init__(self, *, on_frozen: Callable[[], None]) -> None:
        super().__init__(name="reaper", daemon=True)
        self._on_frozen = on_frozen
        self._steady_since = time.monotonic()
        self._last: tuple[datetime, float] | None = None
        self._stuck_since: float | None = None
        self._sweeper = subscriptions.Sweeper()
        self._invariants = InvariantSweep()
        self._sampler = Sampler()

    def run(self) -> None:
        try:
            while True:
                self._tick_patiently()
                threading.Event().wait(LOOK_SECONDS)
        finally:  # nobody foresaw this: a group without a reaper is ended, to be started anew
            self._on_frozen()

    def _tick_patiently(self) -> None:
        try:
            if _seconds_for_a_turn() > LOOK_SECONDS / 4:
                self._steady_since = time.monotonic()
            self.tick(now=database_now(), monotonic=time.monotonic())
        except Error:
            logger.exception("The reaper could not look")
            connection.close()

    def tick(self, *, now: datetime, monotonic: float) -> None:
        """One look. `now` is the database's time, `monotonic` the process's own."""
        if not self._is_even(now, monotonic):
            self._steady_since = monotonic
        take_back(now=now, trust_leases=monotonic - self._steady_since > settings.ENV.worker_heartbeat_timeout)
        look_after_workers(now=now)
        admission.admit(now=now)
        endings.sweep(now=now)
        self._sweeper.sweep(now=now)
        if draining.is_group_drained(lifecycle.group()) and not lifecycle.is_draining():
            lifecycle.leave()
        self._invariants.look(now=now, monotonic=monotonic)
        self._sampler.look(now=now)
        self._watch(now, monotonic)
        self._last = now, monotonic

    def _is_even(self, now: datetime, monotonic: float) -> bool:
        """Whether the last look was lately and the database's clock went on as ours did: else it was set, or the host slept. Before
        the first look the database may have been away: for everybody."""
        if self._last is None:
            return False
        elapsed = monotonic - self._last[1]
        drift = abs((now - self._last[0]).total_seconds() - elapsed)
        return elapsed <= 3 * LOOK_SECONDS and drift <= LOOK_SECONDS

    def _watch(self, now: datetime, monotonic: float) -> None:
        """Work has been due, nobody has run anything for FROZEN_SECONDS and nobody paused the queue: django-q2's processes are stuck."""
        is_stuck = Step.objects.is_any_due(now) and not Step.objects.running().exists() and not pausing.is_paused()
        self._stuck_since = (self._stuck_since or monotonic) if is_stuck else None
        if self._stuck_since and monotonic - self._stuck_since > FROZEN_SECONDS:
            logger.critical("Steps are due and no worker has claimed one for %s s: this group is ended to be restarted", FROZEN_SECONDS)
            self._on_frozen()
