"""A worker without a process: the product's own drain, of which each part happens when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError, connection

from tests.engine.rival import registered
from tests.engine.stage import PromptDrain
from workflows_app.engine import runner, site
from workflows_app.engine.begun import Begun
from workflows_app.engine.claims import Inputs
from workflows_app.engine.clock import Clock
from workflows_app.engine.runner import Run
from workflows_app.engine.sql.transaction import Session
from workflows_app.models import Step

ROOM = 3


class StandingClock(Clock):
    """Stands until it is moved, for everybody alike."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """What a worker reads off the database is this clock's time already."""

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Hand:
    """Takes the place of an executor: keeps runs until the test lets one begin."""

    silent_seconds = 0.0
    current: Any = None

    def __init__(self) -> None:
        self.runs: list[Run] = []

    @property
    def waiting(self) -> int:
        return len(self.runs)

    def room(self) -> int:
        return max(0, ROOM - len(self.runs))

    def submit(self, runs: Sequence[Run]) -> None:
        self.runs += runs

    def cancel(self, runs: Sequence[Run]) -> None:
        self.runs = [run for run in self.runs if run not in runs]

    def withdraw(self, step_id: int | None = None) -> list[Run]:
        taken = [run for run in self.runs if step_id in (None, run.claim.step_id)]
        self.cancel(taken)
        return taken

    def ping(self) -> None:
        """A loop that is never silent."""


class VirtualWorker:
    """What a drain knows of its process (engine/worker.py)."""

    def __init__(self, id: str, clock: StandingClock) -> None:
        self.id, self.pid, self.clock, self.io_slots = id, 4711, clock, ROOM
        self.inbox: SimpleQueue[Any] = SimpleQueue()
        self.inputs, self.begun = Inputs(), Begun(id, 64)
        self.loop, self.thread, self.alone = Hand(), Hand(), Hand()
        registered(id, now=clock.now())
        self.drain = VirtualDrain(self)

    def runs(self) -> list[Run]:
        """Those that have not begun."""
        return [*self.loop.runs, *self.thread.runs, *self.alone.runs]

    def begin(self, run: Run) -> None:
        """Run it to its end; what came of it is recorded with the next commit."""
        for hand in (self.loop, self.thread, self.alone):
            hand.cancel([run])
        if run.is_cancelled:
            return
        self.begun.add(run.claim.step_id)
        is_plain = run.action.in_thread or run.action.is_instant
        self.inbox.put((run, runner.execute(run) if is_plain else asyncio.run(runner.execute_async(run))))

    def forget(self) -> None:
        site.forget(self.id)


class VirtualDrain(PromptDrain):
    """`_commit_patiently`, one try at a time: others may do something between two tries."""

    is_again = False

    def turn(self) -> None:
        """Gather, record, claim, dispatch. Raises what the database did; then the next turn is another try. That it would have to keep
        us from a second record of one attempt must not happen: the fence comes first."""
        self._gather(wait_seconds=0)
        try:
            self._try()
        except IntegrityError as error:
            raise AssertionError(f"only the database itself refused it: {error}") from error
        except DataError as error:
            self._narrow(error)
        except DatabaseError:
            connection.close()
            self.is_again = True
            raise

    def _try(self) -> None:
        self._commit(is_again=self.is_again)
        if self.pending:
            return
        self.batch_size = None
        self.worker.inputs.load(Session(), self.claimed)
        self.is_again = False
        self._dispatch()

    def beat(self) -> None:
        """What supervision does now and then: let go of what is ours no more, extend the leases of the rest."""
        self.supervision._drop_lost()
        self.supervision._heartbeat()

    def hand_back_unbegun(self) -> None:
        """A slow task holds up those behind it."""
        self.worker.thread.current = SimpleNamespace(started=-1e9)
        try:
            self.supervision._hand_back_unbegun()
        finally:
            self.worker.thread.current = None

    def leave(self) -> None:
        """The grace period is over."""
        self.supervision._hand_back([run for run in self.running.values() if not run.is_settled])


def holders(key: str, *, now: datetime) -> list[int]:
    """The limits of those who hold this concurrency key."""
    return list(Step.objects.filter(concurrency_key=key, lease_expires_at__gt=now).values_list("concurrency_limit", flat=True))
