"""Processes that tests start end with the process that started them, even when that is killed and can clean up nothing."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def popen(command: Sequence[str], *, at_the_end: signal.Signals = signal.SIGKILL, **options: Any) -> subprocess.Popen[Any]:
    """Call it from a thread that stays: when that is gone, the kernel sends the signal."""
    return subprocess.Popen(command, preexec_fn=_tie(os.getpid(), at_the_end), **options)  # noqa: PLW1509  it only calls the kernel


def _tie(parent: int, number: signal.Signals) -> Callable[[], None]:
    def tie() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, number)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell makes what it runs in the background deaf to it
        if os.getppid() != parent:
            os._exit(1)

    return tie
