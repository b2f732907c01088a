"""Steps under suspicion run each in a process of its own: one that kills its process again takes no neighbour along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any

from django.conf import settings

from workflows_app.engine import outcomes, retry, runner
from workflows_app.engine.claims import Claim
from workflows_app.engine.isolated import LEAVE
from workflows_app.engine.outcomes import Outcome
from workflows_app.engine.runner import Run

AT_ONCE = 4
START_SECONDS = 60.0
GRACE_SECONDS = 5.0
AGAIN_SECONDS = 3.0
Report = Callable[[Run, Outcome | None], None]


def is_suspect(claim: Claim) -> bool:
    """Whether one more crash would be held against the step for good: a neighbour may have been to blame so far, so it runs alone."""
    return claim.crashes > 0 and claim.crashes >= max(1, retry.max_attempts(claim.node) - 1)


class IsolatedExecutor:
    """At most AT_ONCE children, each watched by a thread, started when the first suspect comes. `begin` is told when a step begins."""

    def __init__(self, report: Report, begin: Callable[[int], None]) -> None:
        self._report, self._begin = report, begin
        self._queue: SimpleQueue[Run] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self._queue.put(run)
        while runs and len(self._threads) < AT_ONCE:
            self._threads.append(threading.Thread(target=self._work, name="isolation", daemon=True))
            self._threads[-1].start()

    def withdraw(self) -> list[Run]:
        """Take back those that no child runs yet: this process must not hoard what others could run."""
        taken: list[Run] = []
        while True:
            try:
                taken.append(self._queue.get_nowait())
            except Empty:
                return taken

    def _work(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # here, and so in children until they can stay at it
        while True:
            run = self._queue.get()
            self._report(run, None if run.is_cancelled else self._watched(run))

    def _watched(self, run: Run) -> Outcome | None:
        """This thread has to go on when the process could not be started or understood."""
        try:
            return self._watch(run)
        except Exception as error:  # noqa: BLE001  memory or descriptors may be short, or what it sent cannot be read here
            return given_up(run, error)

    def _watch(self, run: Run) -> Outcome | None:
        with _Child(run.claim, run) as child:
            while not run.is_cancelled:
                message = child.hear()
                if message is None:
                    return crashed(run, child.verdict())
                if "outcome" in message:
                    return _adopted(run, message["outcome"])
                if "begun" in message:
                    self._begin(run.claim.step_id)
                    run.started = time.monotonic()
                _take_in(run, message)
                if child.is_late(run):
                    return runner.failure(run, runner.timed_out(run))
            child.ask_to_leave()
            return None


class _Child:
    """One process for one step; killed in any case when it is left."""

    def __init__(self, claim: Claim, run: Run) -> None:
        inlet, to_child = Pipe(duplex=False)
        self._from_child, outlet = Pipe(duplex=False)
        ends = (inlet.fileno(), outlet.fileno())
        command = [sys.executable, "-m", "workflows_app.engine.isolated", *map(str, ends), str(os.getpid())]
        self.process = subprocess.Popen(command, cwd=settings.BASE_DIR, pass_fds=ends, stdin=subprocess.DEVNULL)  # noqa: S603  our own module
        self._begin_by = time.monotonic() + START_SECONDS
        inlet.close()
        outlet.close()
        _send(to_child, (claim, run.clock))

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._from_child.close()

    def hear(self) -> dict[str, Any] | None:
        """What it says next, nothing yet (an empty dict), or None when it is dead: what it forked may hold its end of the pipe open."""
        try:
            is_dead = self.process.poll() is not None  # before the look: what it said last is still there
            if self._from_child.poll(0.1):
                return self._from_child.recv()  # type: ignore[no-any-return]
            return None if is_dead else {}
        except (EOFError, OSError):
            return None

    def is_late(self, run: Run) -> bool:
        """A coroutine ends itself at its timeout; whatever has not ended a while later is killed."""
        if run.started is None:
            return time.monotonic() > self._begin_by
        grace = 0.0 if run.action.in_thread else GRACE_SECONDS
        return time.monotonic() - run.started >= run.timeout_seconds + grace

    def ask_to_leave(self) -> None:
        """The step is no longer ours: tell the task, which may clean up for a while."""
        self.process.send_signal(LEAVE)
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return

    def verdict(self) -> str:
        try:
            code = self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return "The step closed the connection to its worker"
        if code < 0:
            return f"The step's own process was killed by {_name(-code)}"
        return f"The step ended its own process with exit code {code}"


def given_up(run: Run, error: Exception) -> Outcome:
    """Before the step began nobody is to blame: the step is tried again a while later. Afterwards it failed."""
    if run.started is not None:
        return runner.failure(run, error)
    reason = f"No process of its own could be started for it: {type(error).__name__}: {error}"
    run.log("WARNING", f"{reason}. It is tried again in {AGAIN_SECONDS:g} s")
    outcome = outcomes.released(run.claim, at=run.clock.now(), reason=reason, after_seconds=AGAIN_SECONDS)
    outcome.lines = run.end_lines()
    return outcome


def crashed(run: Run, reason: str) -> Outcome:
    """The child died: this step, and nothing beside it, is to blame."""
    outcome = outcomes.crashed(run.claim, reason, at=run.clock.now())
    run.log("ERROR", f"Attempt {run.claim.attempt} ended: {outcome.error}")
    outcome.lines = run.end_lines()
    return outcome


def _send(to_child: Connection, what: object) -> None:
    """A child that died already is noticed when it is heard."""
    try:
        to_child.send(what)
    except OSError:
        pass
    finally:
        to_child.close()


def _take_in(run: Run, message: dict[str, Any]) -> None:
    run.lines.extend(message.get("lines", ()))
    if message.get("fraction") is not None:
        run.fraction = message["fraction"]


def _adopted(run: Run, outcome: Outcome | None) -> Outcome | None:
    """The child's outcome, under the claim of this process."""
    return None if outcome is None else replace(outcome, claim=run.claim, lines=[*run.end_lines(), *outcome.lines])


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
