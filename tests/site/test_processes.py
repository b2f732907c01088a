"""The process supervisor, with real forks: each test supervises in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.processes

PROGRAM = """
    import os, signal, sys, threading
    from hybrid_site.processes import Child, Supervisor

    def say(*words):
        os.write(1, (" ".join(map(str, words)) + "\\n").encode())

    def steady():
        say("steady", os.getpid())
        signal.sigwait({signal.SIGTERM})
        say("bye")

    def deaf():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("deaf", os.getpid())
        threading.Event().wait()

    def brief():
        say("brief", os.getpid())
        return 3

    def broken():
        say("broken", os.getpid())
        raise RuntimeError("a mistake")

    children = [Child(name, globals()[name]) for name in sys.argv[1:]]
    for number in (signal.SIGTERM,):
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    sys.exit(Supervisor(children, stop_seconds=1.0).run(on_started=lambda: say("started", os.getpid())))
"""


class Supervised:
    """A running supervisor and what its children say."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[list[str]] = []

    def next(self, word: str) -> int:
        """Wait for a line with this word that was not asked for yet, whatever else is said before; the pid in it."""
        while not any(said[0] == word for said in self.said):
            assert self.process.stdout
            line = self.process.stdout.readline()
            assert line, f"it ended without saying {word!r}"
            self.said.append(line.split())
        found = next(said for said in self.said if said[0] == word)
        self.said.remove(found)
        return int(found[1])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def supervised(*children: str) -> Iterator[Supervised]:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), *children]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Supervised(process)
        finally:
            process.kill()


def test_children_run_until_they_are_told_and_then_nothing_is_left() -> None:
    with supervised("steady", "steady") as it:
        pids = [it.next("steady"), it.next("steady")]
        assert it.end() == 0
        assert not any(psutil.pid_exists(pid) for pid in pids)


def test_ctrl_c_ends_it_too() -> None:
    with supervised("steady") as it:
        it.next("steady")
        assert it.end(signal.SIGINT) == 0


def test_a_child_is_out_of_reach_of_the_terminals_ctrl_c() -> None:
    with supervised("steady") as it:
        pid = it.next("steady")
        assert os.getpgid(pid) == pid != os.getpgid(it.process.pid)
        it.end()


def test_a_child_that_is_killed_is_started_again() -> None:
    with supervised("steady") as it:
        first = it.next("steady")
        os.kill(first, signal.SIGKILL)
        assert it.next("steady") != first
        assert it.end() == 0


def test_a_child_that_ends_by_itself_is_started_again_and_again() -> None:
    with supervised("brief") as it:
        assert len({it.next("brief"), it.next("brief"), it.next("brief")}) == 3
        it.end()


def test_a_child_that_raises_says_why_and_is_started_again() -> None:
    with supervised("broken") as it:
        it.next("broken")
        it.next("broken")
        it.end()
        assert it.process.stderr and "RuntimeError: a mistake" in it.process.stderr.read()


def test_a_child_that_does_not_listen_is_killed_and_that_shows_in_the_exit_code() -> None:
    with supervised("deaf", "steady") as it:
        pid = it.next("deaf")
        it.next("started")
        assert it.end() == 1
        assert not psutil.pid_exists(pid)


def test_children_die_with_a_supervisor_that_is_killed() -> None:
    with supervised("deaf") as it:
        child = psutil.Process(it.next("deaf"))
        it.next("started")
        it.end(signal.SIGKILL)
        psutil.wait_procs([child], timeout=10)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
