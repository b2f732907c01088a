"""The data directory as a place: which processes share it, and which of them live."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from django.conf import settings

_seats: dict[int, int] = {}


@lru_cache(maxsize=1)
def run_directory() -> Path:
    """Where bells and locks of live processes are; everything in it may be deleted while nothing runs."""
    path: Path = settings.DATA_DIR / "run"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@lru_cache(maxsize=1)
def site_id() -> str:
    """A random name of this data directory, the same for every process in it."""
    path = run_directory() / "site_id"
    if not path.exists():
        draft = path.with_name(f"site_id.{secrets.token_hex(8)}")
        draft.write_text(secrets.token_hex(16))
        with suppress(FileExistsError):
            os.link(draft, path)  # the first one wins, whole
        draft.unlink()
    return path.read_text()


def hold(worker_id: str) -> int:
    """Take the lock that says this process lives. The kernel lets go of it when the process dies, however it dies;
    a POSIX lock is not inherited by forked children. Keep the descriptor open."""
    descriptor = os.open(path(worker_id, "worker"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def take_seat(seats: int) -> int:
    """The first free of `seats` seats of this data directory, from 0, held while this process lives; `seats` when all are taken."""
    for seat in range(seats):
        with suppress(OSError):
            _seats[seat] = hold(f"seat-{seat}")
            return seat
    return seats


def leave_seat(seat: int) -> None:
    """Let another process have it."""
    if seat in _seats:
        os.close(_seats.pop(seat))


def lives(worker_id: str) -> bool:
    """Whether the worker with this id lives in this site. Never ask about the own process: closing the file would drop its lock."""
    try:
        descriptor = os.open(path(worker_id, "worker"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def forget(worker_id: str) -> None:
    """Remove what a dead worker left behind."""
    for kind in ("worker", "begun"):
        path(worker_id, kind).unlink(missing_ok=True)


def path(worker_id: str, kind: str) -> Path:
    """A file of this worker: `worker`, its lock, or `begun`, the steps it has begun."""
    return run_directory() / f"{worker_id}.{kind}"
