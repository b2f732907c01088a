"""A process that holds the locks of pretended workers: to everybody else these workers live until it lets go."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from workflows_app.engine import site

HOLDER = """
import fcntl, os, sys
held = {}
for line in sys.stdin:
    verb, path = line.split()
    if verb == "hold":
        held[path] = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.lockf(held[path], fcntl.LOCK_EX)
    else:
        os.close(held.pop(path))
    print(verb, flush=True)
"""


class Locks:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def hold(self, worker_id: str) -> None:
        """From now on this worker lives."""
        self._tell("hold", worker_id)

    def let_go(self, worker_id: str) -> None:
        """It died, however it died."""
        self._tell("let_go", worker_id)

    def _tell(self, verb: str, worker_id: str) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{verb} {site.run_directory() / f'{worker_id}.worker'}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == verb


@contextmanager
def holding() -> Iterator[Locks]:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Locks(process)
