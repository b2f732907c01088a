"""A small process supervisor: forks named children, restarts one that dies, stops all on a signal and leaves nothing behind."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)
PR_SET_PDEATHSIG = 1
STEADY_SECONDS = 10.0
MOST_RESTART_DELAY_SECONDS = 10.0
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Child:
    """One supervised process. `run` is called in the fork and returns its exit code; with `final_code` it is not started again."""

    name: str
    run: Callable[[], int | None]
    final_code: int | None = None
    pid: int = 0
    started: float = 0.0
    restarts: int = 0
    start_at: float = field(default=0.0)


class Supervisor:
    """Children are forked from this process, so that they share its memory; if it is killed, the kernel kills them."""

    def __init__(self, children: list[Child], *, stop_seconds: float) -> None:
        self._children, self._stop_seconds = children, stop_seconds
        self._leaving = False

    def run(self, *, on_started: Callable[[], None]) -> int:
        """Supervise until SIGINT or SIGTERM; the exit code: 0 when every child left by itself in time."""
        signals = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        share_memory()
        for child in self._children:
            self._start(child)
        on_started()
        while not self._leaving:
            received = signal.sigtimedwait(signals, self._pause())
            self._leaving = received is not None and received.si_signo != signal.SIGCHLD
            self._reap()
            self._restart_due()
        return self._stop_all()

    def _start(self, child: Child) -> None:
        child.started, parent = time.monotonic(), os.getpid()
        child.pid = os.fork()
        if child.pid == 0:
            _become(child, parent)

    def _reap(self) -> None:
        for child in self._children:
            pid, status = os.waitpid(child.pid, os.WNOHANG) if child.pid else (0, 0)
            if pid and child.final_code is not None and os.waitstatus_to_exitcode(status) == child.final_code:
                child.pid, child.start_at = 0, float("inf")
                logger.warning("The %s process left as it was asked to, and is not started again", child.name)
            elif pid:
                steady = time.monotonic() - child.started >= STEADY_SECONDS
                child.restarts = 0 if steady else child.restarts + 1
                delay = min(MOST_RESTART_DELAY_SECONDS, 0.1 * 2**child.restarts)
                child.pid, child.start_at = 0, time.monotonic() + delay
                if not self._leaving:
                    logger.warning("The %s process ended; it is started again in %.1f s", child.name, delay)

    def _restart_due(self) -> None:
        for child in self._children:
            if not child.pid and not self._leaving and time.monotonic() >= child.start_at:
                self._start(child)

    def _pause(self) -> float:
        return 0.05 if any(not child.pid and child.start_at < float("inf") for child in self._children) else 60.0

    def _stop_all(self) -> int:
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + self._stop_seconds
        while any(child.pid for child in self._children) and time.monotonic() < deadline:
            signal.sigtimedwait({signal.SIGCHLD}, 0.05)
            self._reap()
        late = [child.name for child in self._children if child.pid]
        self._signal_all(signal.SIGKILL)
        for child in self._children:
            if child.pid:
                os.waitpid(child.pid, 0)
        return 1 if late else 0

    def _signal_all(self, number: int) -> None:
        for child in self._children:
            if child.pid:
                os.kill(child.pid, number)


def share_memory() -> None:
    """Call before a fork: garbage collection in the children then leaves alone, and shared, what they inherit."""
    gc.collect()
    gc.freeze()


def die_with(parent: int) -> None:
    """Call in a fork: the kernel kills this process when its parent dies, so that no orphan works on, or holds the port."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _become(child: Child, parent: int) -> None:
    """In the fork: a process group of its own (Ctrl-C goes to the supervisor alone), and death with the supervisor."""
    os.setpgid(0, 0)
    die_with(parent)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    code = 1
    try:
        code = child.run() or 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:  # noqa: BLE001  the last frame of a process: report and leave
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
