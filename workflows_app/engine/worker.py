"""This worker process: its id, its lock, its row, its executors."""

from __future__ import annotations

import os
import resource
import secrets
import socket
from datetime import datetime
from queue import SimpleQueue

from django.conf import settings

from workflows_app.engine import draining, lifecycle, site
from workflows_app.engine.begun import Begun
from workflows_app.engine.claims import Inputs
from workflows_app.engine.clock import Clock, database_now
from workflows_app.engine.doorbell import Bell
from workflows_app.engine.executors import LoopExecutor, ThreadExecutor
from workflows_app.engine.isolation import IsolatedExecutor
from workflows_app.engine.outcomes import Outcome
from workflows_app.engine.runner import Run
from workflows_app.models import Worker

BEGUN_SLACK = 256
Message = tuple[Run, Outcome | None] | None


class WorkerProcess:
    """Made once per process, after the fork. `inbox` brings finished runs, and None for a ring of the bell."""

    def __init__(self) -> None:
        _limit_memory()
        self.id = secrets.token_hex(16)
        self.pid = os.getpid()
        self.lock = site.hold(self.id)
        self._sit(site.take_seat(settings.ENV.max_parallel_nodes))
        self.inbox: SimpleQueue[Message] = SimpleQueue()
        self.clock, self.inputs, self.bell = Clock(), Inputs(), Bell()
        self.begun = Begun(self.id, settings.ENV.max_parallel_io + BEGUN_SLACK)
        self.loop = LoopExecutor(self._report, self.begun.add)
        self.thread = ThreadExecutor(self._report, self.begun.add)
        self.alone = IsolatedExecutor(self._report, self.begun.add)
        self.clock.set(database_now())
        self._register(self.clock.now())

    def leave_seat(self) -> None:
        """One that takes no more steps leaves its share of MAX_PARALLEL_IO to the release that starts beside it."""
        site.leave_seat(self.seat)
        self._sit(settings.ENV.max_parallel_nodes)

    def look_for_seat(self) -> None:
        """One that started beside an older release takes a place as soon as that leaves one."""
        if self.seat == settings.ENV.max_parallel_nodes:
            self._sit(site.take_seat(settings.ENV.max_parallel_nodes))

    def _sit(self, seat: int) -> None:
        self.seat, self.io_slots = seat, settings.ENV.io_slots(seat)

    def listen(self) -> None:
        """Hear the bell from now on."""
        self.bell.clear()
        self.loop.loop.call_soon_threadsafe(self.loop.loop.add_reader, self.bell.fileno(), self._rang)

    def ignore(self) -> None:
        """Sleep through the bell: an idle process is woken by the broker, not by every ring."""
        self.loop.loop.call_soon_threadsafe(self.loop.loop.remove_reader, self.bell.fileno())

    def _rang(self) -> None:
        self.bell.clear()
        self.inbox.put(None)

    def _report(self, run: Run, outcome: Outcome | None) -> None:
        self.inbox.put((run, outcome))

    def _register(self, now: datetime) -> None:
        Worker.objects.create(
            id=self.id, host=socket.gethostname()[:255], site=site.site_id(), group=lifecycle.group(), pid=self.pid,
            version=settings.VERSION, started_at=now, heartbeat_at=now,
            drain_requested_at=draining.born_drained(lifecycle.group(), now=now),
        )  # fmt: skip


def _limit_memory() -> None:
    """What a step takes too much of becomes its MemoryError, rather than the whole machine's. Address space that is only reserved
    does not count (RLIMIT_DATA, getrlimit(2))."""
    if most := settings.ENV.worker_memory_mb * 2**20:
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))


_current: WorkerProcess | None = None


def current() -> WorkerProcess:
    """The worker that this process is; made at the first call after a fork."""
    global _current  # noqa: PLW0603  one per process is the point
    if _current is None or _current.pid != os.getpid():
        _current = WorkerProcess()
    return _current
