"""The child of `isolation.py`: runs one step in a process of its own and says over a pipe what becomes of it.

`python -m workflows_app.engine.isolated`; packets on the descriptors of the arguments, each a pickle between two of our own processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflows_app.engine.runner import Run

TELL_SECONDS = 0.25
LEAVE = signal.SIGUSR1


def main(inlet: int, outlet: int, parent: int) -> int:
    """Run what comes in at `inlet`: `(claim, clock)`. Say at `outlet`: `{"begun": True}`, then `{"lines", "fraction"}` now and
    then, at last `{"outcome"}`."""
    _stay_at_sigterm()
    from hybrid_site.processes import die_with

    die_with(parent)
    import django

    django.setup()
    from workflows_app.engine.runner import Run

    told, heard = Connection(outlet, readable=False), Connection(inlet, writable=False)
    run = Run(*heard.recv())
    told.send({"begun": True})
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(run, told, over), daemon=True)
    teller.start()
    outcome = _execute(run)
    over.set()
    teller.join()
    told.send({"outcome": outcome})
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # an orderly exit would wait for threads that the action left behind


def _stay_at_sigterm() -> None:
    """It is meant for the whole group, and for its first process to act upon, who lets this one finish (broker.py). It was blocked
    so far. What a task starts hears it as ever."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _execute(run: Run) -> Any:
    from workflows_app.engine import runner

    def leave(*_: object) -> None:
        run.is_cancelled = True

    signal.signal(LEAVE, leave)
    if run.action.in_thread or run.action.is_instant:
        return runner.execute(run)
    return asyncio.run(runner.execute_async(run))


def _tell(run: Run, told: Connection, over: threading.Event) -> None:
    from workflows_app.engine.transcript import Room

    while not over.wait(TELL_SECONDS):
        fraction, run.fraction = run.fraction, None
        lines = run.take_lines(Room())
        if lines or fraction is not None:
            told.send({"lines": lines, "fraction": fraction})


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:4])))
