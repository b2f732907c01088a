"""Where actions run inside a worker process: coroutines on one event loop, plain Python tasks one at a time in one thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from workflows_app.engine import runner
from workflows_app.engine.outcomes import Outcome
from workflows_app.engine.runner import Run

SHORT_SECONDS = 0.002
Report = Callable[[Run, Outcome | None], None]
Begin = Callable[[int], None]


class LoopExecutor:
    """An asyncio loop in a thread of its own. On that thread `begin` is told the step that begins, `report` each outcome (None:
    cancelled)."""

    def __init__(self, report: Report, begin: Begin) -> None:
        self._report, self._begin = report, begin
        self.loop = asyncio.new_event_loop()
        self._asked_at: float | None = None
        threading.Thread(target=self.loop.run_forever, name="actions", daemon=True).start()

    def submit(self, runs: Sequence[Run]) -> None:
        self.loop.call_soon_threadsafe(self._start, runs)

    def cancel(self, runs: Sequence[Run]) -> None:
        self.loop.call_soon_threadsafe(self._cancel, runs)

    def ping(self) -> None:
        """Ask the loop for a sign of life; a blocked one does not give it."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            self.loop.call_soon_threadsafe(self._answer)

    @property
    def silent_seconds(self) -> float:
        return 0.0 if self._asked_at is None else time.monotonic() - self._asked_at

    def _answer(self) -> None:
        self._asked_at = None

    def _start(self, runs: Sequence[Run]) -> None:
        for run in runs:
            if run.is_cancelled:
                self._report(run, None)
                continue
            self._begin(run.claim.step_id)
            if run.action.is_instant:
                self._report(run, runner.execute(run))
            else:
                run.task = self.loop.create_task(self._run(run))

    async def _run(self, run: Run) -> None:
        try:
            outcome = await runner.execute_async(run)
        except asyncio.CancelledError:
            self._report(run, None)
            return
        self._report(run, outcome)

    def _cancel(self, runs: Sequence[Run]) -> None:
        for run in runs:
            if run.task:
                run.task.cancel()


class ThreadExecutor:
    """One plain Python task at a time. What has not begun can be withdrawn; what runs can only be told."""

    def __init__(self, report: Report, begin: Begin) -> None:
        self._report, self._begin = report, begin
        self._queue: SimpleQueue[int] = SimpleQueue()
        self._queued: dict[int, Run] = {}
        self.current: Run | None = None
        self.seconds_per_task = 0.02
        threading.Thread(target=self._work, name="tasks", daemon=True).start()

    @property
    def waiting(self) -> int:
        return len(self._queued)

    def room(self, *, ahead_seconds: float = 0.02, most: int = 64) -> int:
        """How many more to claim: as many as lately finished in `ahead_seconds`, at least one when idle.
        A process must not hoard slow tasks that idle ones beside it could run."""
        if self.current is not None and time.monotonic() - (self.current.started or 0) > ahead_seconds:
            return 0
        allowed = max(1, min(most, int(ahead_seconds / self.seconds_per_task)))
        return allowed - self.waiting - (self.current is not None)

    def submit(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self._queued[run.claim.step_id] = run
            self._queue.put(run.claim.step_id)

    def withdraw(self, step_id: int | None = None) -> list[Run]:
        """Take back those (or that one) that have not begun; whoever pops a run owns it."""
        ids = list(self._queued) if step_id is None else [step_id]
        popped = (self._queued.pop(id, None) for id in ids)
        return [run for run in popped if run is not None]

    def _learn(self, seconds: float, cpu_seconds: float) -> None:
        """A short task counts by its CPU time: the rest it mostly spent waiting for this process's other thread."""
        measured = seconds if seconds > SHORT_SECONDS else max(cpu_seconds, 1e-5)
        self.seconds_per_task += (measured - self.seconds_per_task) * 0.5

    def _work(self) -> None:
        while True:
            run = self._queued.pop(self._queue.get(), None)
            if run is None:
                continue
            self.current = run
            self._begin(run.claim.step_id)
            began, began_cpu = time.monotonic(), time.thread_time()
            outcome = runner.execute(run)
            self._learn(time.monotonic() - began, time.thread_time() - began_cpu)
            self.current = None
            self._report(run, outcome)
