"""django-q2, and only here: its broker over our step rows, its queue without locks, its cluster under our command."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import time
from datetime import UTC, datetime
from typing import Any

import django_q.cluster
from django.conf import settings
from django.db import Error, connection
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.signals import post_spawn
from django_q.signing import SignedPackage

from hybrid_site.databases import prefer_indexes
from hybrid_site.processes import share_memory
from workflows_app.engine import crier, doorbell, lifecycle, messages, recovery, retention, ticker, worker
from workflows_app.engine.claims import is_due
from workflows_app.engine.clock import database_now
from workflows_app.engine.sql.transaction import Session

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
HAND_OUT_SECONDS = 0.05
DATABASE_PATIENCE_SECONDS = 1.0
PR_SET_PDEATHSIG = 1
FROZEN_EXIT = 4
DRAINED_EXIT = 7


class StepBroker(ORM):  # type: ignore[misc]  # django-q2 has no types
    """Serves django-q2's own messages first; then, while some step is due, hands an idle worker one `drain`.

    The wake-up is derived from the rows, so none can be lost; the bell only makes it prompt."""

    _bell: doorbell.Bell | None = None
    _handed_at = 0.0
    _due_since: float | None = None
    _was_rung = False

    def ping(self) -> bool:
        """Called once in the sentinel, which has just taken SIGTERM's default back."""
        signal.signal(signal.SIGTERM, _stay)
        return bool(super().ping())

    def dequeue(self) -> list[tuple[int | None, str]] | None:
        try:
            return self._next()
        except Error:
            logger.exception("The database did not answer; looking again in %s s", DATABASE_PATIENCE_SECONDS)
            connection.close()
            time.sleep(DATABASE_PATIENCE_SECONDS)
            return None

    def _next(self) -> list[tuple[int | None, str]] | None:
        if self._bell is None:
            self._bell = doorbell.Bell()
            recovery.Reaper(on_frozen=_end_group).start()
            retention.Pruner().start()
            ticker.Ticker().start()
            _hear_other_hosts()
        if OrmQ.objects.exists():
            found: list[tuple[int | None, str]] | None = super().dequeue()
            if found:
                return found
        now = database_now()
        if not is_due(Session(), now=now) or lifecycle.is_draining():
            self._due_since = None
            self._was_rung = self._bell.wait(self._patience(now))
        elif self._may_hand_out():
            self._handed_at = time.monotonic()
            return [(None, _drain_message())]
        else:
            self._bell.wait(HAND_OUT_SECONDS)
        return None

    def _may_hand_out(self) -> bool:
        """One at a time, and the next only when those who listen left work undone: every process that wakes costs."""
        now = time.monotonic()
        if self._due_since is None:
            self._due_since = now
            self._pass_on()
        if lifecycle.somebody_else_is_attentive() and now - self._due_since < HAND_OUT_SECONDS:
            return False
        return now - self._handed_at >= HAND_OUT_SECONDS and messages.MessageQueue.created[0].empty()

    def _pass_on(self) -> None:
        """A timer rings no bell: tell those who listen. Who started a workflow has rung for everybody."""
        if not self._was_rung and lifecycle.somebody_else_is_attentive():
            doorbell.ring()

    def _patience(self, now: datetime) -> float:
        """Until the next timer, LOOK_SECONDS at most."""
        session = Session()
        ((soonest,),) = session.run(session.statements.next_due, now=now)
        if soonest is None:
            return LOOK_SECONDS
        moment = datetime.fromisoformat(soonest).replace(tzinfo=UTC) if connection.vendor == "sqlite" else datetime.fromisoformat(soonest)
        return min(LOOK_SECONDS, max(0.001, (moment - now).total_seconds()))


def _hear_other_hosts() -> None:
    if connection.vendor == "postgresql":
        crier.Listener(on_ring=doorbell.ring_here).start()


def _drain_message() -> str:
    call = {"id": "drain", "name": "drain", "func": "workflows_app.engine.loop.drain", "args": (), "kwargs": {}, "timeout": -1}
    package: str = SignedPackage.dumps({**call, "started": timezone.now()})
    return package


def run_cluster() -> int:
    """Run the worker group in this process until SIGTERM or SIGINT, or until it breaks. The exit code: 0 when it left in order,
    DRAINED_EXIT when that was because all its processes were drained, else another."""
    lifecycle.begin()
    harden()
    prefer_indexes(connection.settings_dict)
    leaving: list[int] = []  # not an Event: a signal that arrives inside wait() would find its lock taken
    cluster = django_q.cluster.Cluster()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: leaving.append(number))
    share_memory()
    cluster.start()
    while not leaving:
        time.sleep(0.2)
        if not cluster.sentinel.is_alive():
            logger.critical("The sentinel died: the worker group ends to be restarted")
            return FROZEN_EXIT
    return _drain_and_stop(cluster)


def harden() -> None:
    """Replace what freezes when a process is killed, and see that it took effect. Raises RuntimeError."""
    messages.self_test()
    django_q.cluster.Queue = messages.MessageQueue
    django_q.cluster.Value = messages.UnlockedValue
    os.register_at_fork(before=_remember_parent, after_in_parent=_hear_sigterm, after_in_child=_die_with_parent)
    post_spawn.connect(_spawned, dispatch_uid="worker")
    probe = django_q.cluster.Sentinel(None, None, "", start=False)
    if not all(isinstance(queue, messages.MessageQueue) for queue in (probe.task_queue, probe.result_queue)):
        raise RuntimeError("django-q2 did not take the lock-free queue: this release of it is not supported")
    messages.MessageQueue.created.clear()


def _drain_and_stop(cluster: Any) -> int:
    """Claim nothing more, let running steps finish or hand them back; a group that hangs is killed, its steps are taken back."""
    lifecycle.start_draining()
    doorbell.ring()
    cluster.stop_event.set()
    cluster.sentinel.join(settings.ENV.worker_grace + 5)
    is_hanging = cluster.sentinel.is_alive()
    if is_hanging:
        cluster.sentinel.kill()
    if lifecycle.was_asked_to_leave():
        return DRAINED_EXIT  # nothing of it ran any more
    return FROZEN_EXIT if is_hanging else 0


def _spawned(**_: Any) -> None:
    global _is_worker  # noqa: PLW0603  read after its forks
    _is_worker = True
    worker.current()


def _die_with_parent() -> None:
    """The kernel kills this child when its parent dies: no orphan works on unguarded. A SIGTERM to every process at once, as systemd
    sends it, is for the first one to act upon; what a task forks is not one of ours."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != _parent:
        os._exit(FROZEN_EXIT)
    signal.signal(signal.SIGTERM, signal.SIG_DFL if _is_worker else _stay)
    _hear_sigterm()


def _stay(*_: object) -> None:
    """Not SIG_IGN, which programs that a task runs would inherit."""


def _remember_parent() -> None:
    """A SIGTERM for the child waits until that has its own handler."""
    global _parent  # noqa: PLW0603  read by the child, which may be an orphan before it can ask
    _parent = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _hear_sigterm() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _end_group() -> None:
    """Called in the pusher: kill the sentinel; every process of the group dies with it, and the supervisor starts anew."""
    os.kill(os.getppid(), signal.SIGKILL)


_libc = ctypes.CDLL(None, use_errno=True)
_parent = 0
_is_worker = False
