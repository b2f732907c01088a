"""What a drain looks after now and then: heartbeats, stopped steps, timeouts of threads, live logs, leaving."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error

from workflows_app.engine import draining, lifecycle, memory, outcomes, runner
from workflows_app.engine.clock import database_now
from workflows_app.engine.commit import add_log_lines, apply, lock
from workflows_app.engine.fan_in import Delta
from workflows_app.engine.live_lines import LiveLines
from workflows_app.engine.runner import Run
from workflows_app.engine.sql.recording import CANCELLED
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.engine.transcript import Line
from workflows_app.models import Worker

if TYPE_CHECKING:
    from workflows_app.engine.loop import Drain

LOOK_SECONDS = 0.25
ASK_SECONDS = 1.0
WITHDRAW_AFTER_SECONDS = 0.1
THREAD_GRACE_SECONDS = 5.0
SUSPECTS_LATER_SECONDS = 1.0
REST_SECONDS = 4.0


class Supervision:
    """Looks at the runs of one drain at most every LOOK_SECONDS; says when the process has to be replaced."""

    def __init__(self, drain: Drain) -> None:
        self.drain = drain
        self.is_poisoned = self.is_drained = False
        self._looked = self._beat = self._asked = time.monotonic()
        self._leave_by: float | None = None
        self._rests_from = -float("inf")
        self.lines = LiveLines()

    def look(self) -> None:
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        self._end_late_thread()
        self._end_late_on_loop()
        self._ask_whether_drained()
        if lifecycle.is_draining() or self.is_drained:
            self.drain.worker.leave_seat()
        else:
            self.drain.worker.look_for_seat()
        if not self.drain.running:
            return
        self._drop_lost()
        self._hand_back_unbegun()
        self._hand_back_suspects()
        if lifecycle.is_draining():
            self._leave()
        if time.monotonic() - self._beat >= settings.ENV.worker_heartbeat_interval:
            self._heartbeat()

    @property
    def rests(self) -> bool:
        """A while in which others may claim the suspects that this process handed back: itself would have to hand them back again."""
        return 0 <= time.monotonic() - self._rests_from < REST_SECONDS

    def _ask_whether_drained(self) -> None:
        """Once drained, this stretch of work takes no more; the next begins when the process may work again."""
        if not self.is_drained and time.monotonic() - self._asked >= ASK_SECONDS:
            self._asked = time.monotonic()
            self.is_drained = draining.is_requested(self.drain.worker.id)

    def take_lines(self) -> list[Line]:
        """What running steps said since the last flush, and how far they are."""
        if self.lines.is_due():
            self._note_progress()
        return self.lines.take(self._runs())

    def _runs(self) -> list[Run]:
        return [run for run in self.drain.running.values() if not run.is_settled]

    def _drop_lost(self) -> None:
        """Stopped, or taken back after we fell silent: cancel at once."""
        runs, session = self._runs(), Session()
        fences = [run.claim.fence for run in runs]
        mine = {row[0] for row in session.run(session.statements.still_mine, worker=self.drain.worker.id, batch=fences)}
        lost = [run for run in runs if run.claim.step_id not in mine]
        for run in lost:
            self.drain.drop(run)
        if lost:
            self._tell_superseded(lost)

    def _tell_superseded(self, lost: list[Run]) -> None:
        """An attempt that went on after its lease had been taken back is told of in the history and the log of its step."""
        batch = [{**run.claim.fence, "late_result": CANCELLED} for run in lost]
        with write() as session:
            rows = session.run(session.statements.note_late, worker=self.drain.worker.id, batch=batch)
            add_log_lines(session, [_superseded(row[0], row[1], self.drain.worker.clock.now()) for row in rows])

    def _end_late_thread(self) -> None:
        """A plain Python task cannot be interrupted: past its timeout it is told, its step goes on without it,
        and when it does not return either, the process is replaced."""
        current = self.drain.worker.thread.current
        if current is None or current.started is None:
            return
        late = time.monotonic() - current.started - current.timeout_seconds
        if late >= 0 and not current.is_settled:
            current.is_cancelled = True
            self.drain.settle(current, runner.failure(current, runner.timed_out(current)))
        if late >= THREAD_GRACE_SECONDS or (current.is_cancelled and self._is_abandoned(current)):
            self.is_poisoned = True

    def _end_late_on_loop(self) -> None:
        """asyncio ends coroutines at their timeout, unless one blocks the loop or does not let itself be cancelled.
        Those who wait behind a blocked loop are handed back: they are not to blame."""
        loop = self.drain.worker.loop
        for run in self._loop_runs():
            if run.started is not None and time.monotonic() - run.started - run.timeout_seconds >= THREAD_GRACE_SECONDS:
                run.is_cancelled = self.is_poisoned = True
                self.drain.settle(run, runner.failure(run, runner.timed_out(run)))
        if loop.silent_seconds >= THREAD_GRACE_SECONDS:
            self.is_poisoned |= not any(run.started for run in self._loop_runs())  # whoever blocks it is ours no more
            self._hand_back(self._loop_runs() if self.is_poisoned else [])
        loop.ping()

    def _loop_runs(self) -> list[Run]:
        return [run for run in self._runs() if not (run.action.in_thread or run.is_alone)]

    def _is_abandoned(self, run: Run) -> bool:
        """Its step was stopped long ago, and it still runs."""
        return run.claim.step_id not in self.drain.running and self._since_cancelled(run) >= THREAD_GRACE_SECONDS

    def _since_cancelled(self, run: Run) -> float:
        run.cancelled_since = run.cancelled_since or time.monotonic()
        return time.monotonic() - run.cancelled_since

    def _hand_back_unbegun(self) -> None:
        """Tasks claimed ahead that a slow one holds up: somebody else may run them."""
        thread = self.drain.worker.thread
        current = thread.current
        is_held_up = current is not None and time.monotonic() - (current.started or 0) > WITHDRAW_AFTER_SECONDS
        if thread.waiting and (is_held_up or lifecycle.is_draining()):
            self._unclaim(thread.withdraw(), again=thread.submit)

    def _hand_back_suspects(self) -> None:
        """More than this process can run alone, one after the other: somebody else may, a while later."""
        alone = self.drain.worker.alone
        if withdrawn := alone.withdraw():
            self._rests_from = time.monotonic() + SUSPECTS_LATER_SECONDS
            self._unclaim(withdrawn, again=alone.submit, later_seconds=SUSPECTS_LATER_SECONDS)

    def _unclaim(self, runs: list[Run], *, again: Callable[[list[Run]], None], later_seconds: float = 0) -> None:
        """Give back what has not begun; `again` takes it when the database does not answer."""
        try:
            self._write_unclaimed(runs, timedelta(seconds=later_seconds))
        except Error:
            again(runs)
            raise
        for run in runs:
            self.drain.running.pop(run.claim.step_id, None)

    def _write_unclaimed(self, runs: list[Run], later: timedelta) -> None:
        worker, ids = self.drain.worker, {run.claim.workflow_id for run in runs}
        batch, at = [run.claim.fence for run in runs], worker.clock.now() + later
        with write() as session:
            lock(session, ids)
            session.run(session.statements.unclaim, worker=worker.id, batch=batch, now=at)
            apply(session, {id: Delta() for id in ids}, now=worker.clock.now())

    def _leave(self) -> None:
        """Draining: after the grace period, hand back what still runs, un-penalised."""
        self._leave_by = self._leave_by or time.monotonic() + settings.ENV.worker_grace
        if time.monotonic() >= self._leave_by:
            self._hand_back(self._runs())

    def _hand_back(self, runs: list[Run]) -> None:
        for run in runs:
            run.is_cancelled = True
            outcome = outcomes.released(run.claim, at=run.clock.now())
            run.log("INFO", "The worker is leaving: the step is handed back and will run again")
            outcome.lines = run.end_lines()
            self.drain.settle(run, outcome)
            self.drain.worker.loop.cancel([run])

    def _heartbeat(self) -> None:
        """Extend the leases of runs that are within their deadline; a hung one runs out of lease and is taken back."""
        self._beat = time.monotonic()
        worker = self.drain.worker
        grace = settings.ENV.worker_heartbeat_timeout
        runs = self._runs()
        live = [run.claim for run in runs if run.started is None or self._beat - run.started < run.timeout_seconds + grace]
        live += [outcome.claim for outcome in self.lines.held]
        worker.clock.set(database_now())
        now = worker.clock.now()
        with write() as session:
            lock(session, {claim.workflow_id for claim in live})
            fences = [claim.fence for claim in live]
            session.run(session.statements.extend_leases, worker=worker.id, batch=fences, lease=now + timedelta(seconds=grace))
            Worker.objects.filter(id=worker.id).update(heartbeat_at=now, memory_bytes=memory.resident_bytes())

    def _note_progress(self) -> None:
        told = [run for run in self._runs() if run.fraction is not None]
        if not told:
            return
        batch = [{**run.claim.fence, "metadata": json.dumps({"progress": run.fraction})} for run in told]
        for run in told:
            run.fraction = None
        with write() as session:
            lock(session, {run.claim.workflow_id for run in told})
            rows = session.run(session.statements.note_progress, worker=self.drain.worker.id, batch=batch)
            apply(session, {row[0]: Delta() for row in rows}, now=self.drain.worker.clock.now())


def _superseded(step_id: int, attempt: int, at: datetime) -> Line:
    message = f"Attempt {attempt} was still running when its worker came back; it was cancelled: its lease had been taken back"
    return {"step_id": step_id, "attempt": attempt, "at": at, "level": "WARNING", "message": message}
