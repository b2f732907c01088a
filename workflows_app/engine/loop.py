"""The drain: claim due steps, run them, record them in groups, until nothing is due and nothing runs (docs/architecture.md)."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from queue import Empty

from django.conf import settings
from django.db import DatabaseError, DataError, Error, IntegrityError, connection

from workflows_app.engine import draining, effects, endings, isolation, lifecycle, outcomes
from workflows_app.engine.claims import Claim, Slots, claim_any, is_due
from workflows_app.engine.clock import database_now
from workflows_app.engine.commit import add_log_lines, advance, lock, record, show_free
from workflows_app.engine.fan_in import Delta, Recorded
from workflows_app.engine.outcomes import Outcome
from workflows_app.engine.runner import Run
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.engine.supervision import Supervision
from workflows_app.engine.worker import WorkerProcess, current

logger = logging.getLogger(__name__)
TICK_SECONDS = 0.25
BEHIND_SECONDS = 0.02
LINGER_SECONDS = 5.0
PARKED_SECONDS = 0.5
DATABASE_PATIENCE_SECONDS = 1.0
POISONED_EXIT, BROKEN_EXIT = 3, 5


def drain() -> None:
    """Run in a django-q2 worker process. Returns when there is nothing left to do; exits the process when a task will not end.
    One process of the group lingers for LINGER_SECONDS: what comes next starts there, without a hand-over."""
    worker = current()
    worker.clock.set(database_now())
    worker.listen()
    try:
        _park(worker)
        Drain(worker, linger_seconds=LINGER_SECONDS).run()
    except Exception:
        logger.critical("A drain broke: process %s leaves and is replaced, its steps run again", worker.pid, exc_info=True)
        os._exit(BROKEN_EXIT)  # its steps would stay with a process that has forgotten them
    finally:
        lifecycle.set_attentive(False)
        worker.ignore()


def _park(worker: WorkerProcess) -> None:
    """A drained process stays here: it must not take the message that another would act on."""
    while not lifecycle.is_draining():
        try:
            if not draining.is_requested(worker.id):
                return worker.look_for_seat()
            worker.leave_seat()
        except DatabaseError:
            logger.exception("The database did not answer")
            connection.close()
        worker.bell.wait(PARKED_SECONDS)


class Drain:
    """One stretch of work of one process. This thread is the only one that writes: while it commits a batch, the next gathers."""

    def __init__(self, worker: WorkerProcess, *, linger_seconds: float = 0) -> None:
        self.worker, self.linger_seconds = worker, linger_seconds
        self.running: dict[int, Run] = {}
        self.pending: list[Outcome] = []
        self.claimed: list[Claim] = []
        self.batch_size: int | None = None
        self.busy_at = time.monotonic()
        self.has_looked = self.limited_first = False
        self.supervision = Supervision(self)

    def run(self) -> None:
        while self._goes_on():
            self._gather(wait_seconds=self._patience())
            self.pending += self.supervision.lines.let_go()
            self._look()
            self._commit_patiently()
            self._dispatch()
            if self.supervision.is_poisoned and not (self.running or self.pending):
                logger.critical("A task does not end after its timeout: process %s leaves and is replaced", self.worker.pid)
                os._exit(POISONED_EXIT)  # an orderly exit would wait for the threads that do not end
            lifecycle.set_attentive(self._has_room())

    def _patience(self) -> float:
        """How long to wait for what finishes: not long while somebody's log lines are still to be written, but let others write, too."""
        if not self.has_looked:
            return 0
        return BEHIND_SECONDS if self.supervision.lines.is_behind else TICK_SECONDS

    def _goes_on(self) -> bool:
        """While something runs here, a task whose step went on without it included; and then one process a while longer."""
        is_held = self.worker.thread.current is not None and not lifecycle.is_draining()
        if self.running or self.pending or is_held:
            self.busy_at = time.monotonic()
            return True
        if lifecycle.is_draining() or self.supervision.is_drained:
            return False
        if self.has_looked and time.monotonic() - self.busy_at >= self.linger_seconds:
            return False
        return not (self.has_looked and lifecycle.somebody_else_is_attentive())

    def _has_room(self) -> bool:
        slots = self._free_slots()
        return slots.loop > 0 and slots.thread > 0

    def _free_slots(self) -> Slots:
        supervision = self.supervision
        if lifecycle.is_draining() or supervision.is_poisoned or supervision.is_drained or supervision.rests:
            return Slots()
        on_loop = sum(not (run.action.in_thread or run.is_settled or run.is_alone) for run in self.running.values())
        return Slots(max(0, self.worker.io_slots - on_loop), max(0, self.worker.thread.room()))

    def drop(self, run: Run) -> None:
        """Forget a run whose step is no longer ours, and tell it."""
        run.is_cancelled = True
        self._let_go(run.claim.step_id)
        self.worker.thread.withdraw(run.claim.step_id)
        self.worker.loop.cancel([run])

    def settle(self, run: Run, outcome: Outcome) -> None:
        """Take the first outcome of a run; whatever it says later is too late."""
        if run.is_settled or self.running.get(run.claim.step_id) is not run:
            return
        run.is_settled = True
        if not self.supervision.lines.hold(outcome):
            self.pending.append(outcome)

    def _gather(self, *, wait_seconds: float) -> None:
        """Everything that finished, waiting for the first of it."""
        inbox = self.worker.inbox
        try:
            message = inbox.get(timeout=wait_seconds) if wait_seconds else inbox.get_nowait()
            while True:
                if message is not None and message[1] is not None:
                    self.settle(message[0], message[1])
                message = inbox.get_nowait()
        except Empty:
            return

    def _look(self) -> None:
        try:
            self.supervision.look()
        except Error:
            logger.exception("The database did not answer")
            connection.close()

    def _commit_patiently(self) -> None:
        """Commit, again and again while the database is away: results and claims in memory are kept until it has taken them."""
        is_again = False
        while True:
            try:
                self._commit(is_again=is_again)
                if not self.pending:
                    self.batch_size = None
                    return self.worker.inputs.load(Session(), self.claimed)
            except (DataError, IntegrityError) as error:
                self._narrow(error)
            except Error:
                logger.exception("The database did not answer; trying again in %s s", DATABASE_PATIENCE_SECONDS)
                connection.close()
                time.sleep(DATABASE_PATIENCE_SECONDS)
                is_again = True

    def _narrow(self, error: DatabaseError) -> None:
        """The database refuses something in this batch: record one outcome at a time, and fail the step whose result it will not take."""
        logger.error("The database refused a result: %s", error)
        if self.batch_size != 1:
            self.batch_size = 1
        elif self.pending and not self.pending[0].is_substitute:
            self.pending[0] = outcomes.unrecordable(self.pending[0], str(error))
        else:
            raise error

    def _commit(self, *, is_again: bool) -> None:
        session, now = Session(), self.worker.clock.now()
        self.has_looked = True
        slots, lines = self._free_slots(), self.supervision.take_lines()
        if not (self.pending or lines or self._may_claim(session, slots, now)):
            return
        batch = self.pending[: self.batch_size] = [effects.checked(outcome) for outcome in self.pending[: self.batch_size]]
        with write() as session:
            fresh = self._not_yet_recorded(session, batch) if is_again else batch
            add_log_lines(session, lines)
            recorded = record(session, worker_id=self.worker.id, outcomes=fresh, now=now)
            claims = self._claim(session, slots) if slots else []
            ended = advance(session, recorded.deltas, now=now)
            unshown = self._show_started(session, {claimed.workflow_id for claimed in claims} - recorded.deltas.keys())
        self.claimed += claims
        self._forget(batch, recorded)
        self._show_started_apart(unshown)
        endings.after_end(ended, now=now)
        effects.committed(batch, now=now)

    def _may_claim(self, session: Session, slots: Slots, now: datetime) -> bool:
        """Who begins to write on SQLite holds up others, so look first; on PostgreSQL a claim that finds nothing costs no more."""
        return bool(slots) and (not session.statements.dialect.is_sqlite or is_due(session, now=now, slots=slots))

    def _claim(self, session: Session, slots: Slots) -> list[Claim]:
        now = self.worker.clock.now()
        lease = now + timedelta(seconds=settings.ENV.worker_heartbeat_timeout)
        found, is_limited = claim_any(
            session, worker_id=self.worker.id, slots=slots, now=now, lease=lease, limited_first=self.limited_first
        )
        self.limited_first = is_limited and not self.limited_first  # neither kind of step may starve the other
        return found

    def _show_started(self, session: Session, started: set[int]) -> set[int]:
        """Let the workflows of new claims show it: their status and `seq` follow their steps'. Those that somebody else holds are left
        over: the lock order is workflow, then steps, and the claim took steps first, so it must not wait for them."""
        return started - show_free(session, started, now=self.worker.clock.now())

    def _show_started_apart(self, left: set[int]) -> None:
        """In a transaction of its own one may wait."""
        if left:
            with write() as session:
                lock(session, left)
                advance(session, {id: Delta() for id in left}, now=self.worker.clock.now())

    def _not_yet_recorded(self, session: Session, batch: Sequence[Outcome]) -> list[Outcome]:
        """After an ambiguous commit: leave out what our own attempt did record."""
        fences = [outcome.claim.fence for outcome in batch]
        done = {row[0] for row in session.run(session.statements.recorded_attempts, worker=self.worker.id, batch=fences)}
        return [outcome for outcome in batch if outcome.claim.step_id not in done]

    def _forget(self, batch: Sequence[Outcome], recorded: Recorded) -> None:
        self.supervision.lines.recorded()
        for outcome in batch:
            self._let_go(outcome.claim.step_id)
        for outcome in recorded.refused:
            logger.warning("A late result of step %s attempt %s was refused", outcome.claim.step_id, outcome.claim.attempt)
        del self.pending[: len(batch)]

    def _let_go(self, step_id: int) -> None:
        self.running.pop(step_id, None)
        self.worker.begun.remove(step_id)

    def _dispatch(self) -> None:
        runs = [Run(claimed, self.worker.clock) for claimed in self.claimed]
        self.claimed = []
        self.running.update((run.claim.step_id, run) for run in runs)
        for run in runs:
            run.is_alone = isolation.is_suspect(run.claim)
        self.worker.alone.submit([run for run in runs if run.is_alone])
        runs = [run for run in runs if not run.is_alone]
        self.worker.thread.submit([run for run in runs if run.action.in_thread])
        on_loop = [run for run in runs if not run.action.in_thread]
        if on_loop:
            self.worker.loop.submit(on_loop)
