"""Locks: the kernel says which worker processes beside us live, however they died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.rival import holding_its_lock
from workflows_app.engine import site

WORKER = "f" * 32
FORK = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.lockf(descriptor, fcntl.LOCK_EX)
if os.fork() == 0:
    print("forked", flush=True)
    sys.stdin.read()
os._exit(0)
"""


def test_a_lock_lives_as_long_as_its_process() -> None:
    with holding_its_lock(WORKER) as process:
        assert site.lives(WORKER)
        assert site.lives(WORKER), "asking must not take the lock away"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not site.lives(WORKER)
    site.forget(WORKER)
    assert not site.lives(WORKER)


def test_who_was_never_there_does_not_live() -> None:
    assert not site.lives("0" * 32)
    site.forget("0" * 32)


def test_a_forked_child_does_not_keep_its_dead_parents_lock() -> None:
    """Else a task that starts a daemon would make a dead worker look alive."""
    path = site.run_directory() / f"{WORKER}.worker"
    with subprocess.Popen([sys.executable, "-c", FORK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"forked\n"
        process.wait()
        assert not site.lives(WORKER)
    site.forget(WORKER)


def test_holding_makes_a_file_that_others_may_not_read() -> None:
    descriptor = site.hold("9" * 32)
    path = Path(site.run_directory() / f"{'9' * 32}.worker")
    assert path.stat().st_mode & 0o077 == 0
    os.close(descriptor)
    site.forget("9" * 32)


def test_seats_are_taken_from_the_first_and_given_back_by_death(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(site, "run_directory", lambda: tmp_path)
    taken = []
    for seat in range(3):
        taken.append(_seat_taker(tmp_path))
        assert int(taken[-1].stdout.readline()) == seat
    taken[1].kill()
    taken[1].wait()
    assert site.take_seat(3) == 1
    assert site.take_seat(1) == 1, "all of one are taken"
    for process in taken:
        process.kill()
        process.wait()


def test_a_seat_that_was_left_is_for_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(site, "run_directory", lambda: tmp_path)
    monkeypatch.setattr(site, "_seats", {})
    assert site.take_seat(2) == 0
    site.leave_seat(1)
    other = _seat_taker(tmp_path)
    assert int(other.stdout.readline()) == 1
    site.leave_seat(0)
    third = _seat_taker(tmp_path)
    assert int(third.stdout.readline()) == 0
    for process in (other, third):
        process.kill()
        process.wait()


def _seat_taker(directory: Path) -> subprocess.Popen[str]:
    program = f"""
import django, pathlib, sys
django.setup()
from workflows_app.engine import site
site.run_directory = lambda: pathlib.Path({str(directory)!r})
print(site.take_seat(3), flush=True)
sys.stdin.read()
"""
    return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
