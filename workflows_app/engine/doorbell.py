"""The doorbell: a hint, after a commit, that a step became ready. Losing it costs a fraction of a second, never a step."""

from __future__ import annotations

import os
import secrets
import select
import socket
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from workflows_app.engine import crier, site

SUFFIX = ".bell"


class Bell:
    """A datagram socket in the data directory that anybody beside it may ring. Clear it before you look, never after."""

    def __init__(self) -> None:
        self.path = site.run_directory() / f"{secrets.token_hex(8)}{SUFFIX}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(_address(self.path.name))

    def fileno(self) -> int:
        return self.socket.fileno()

    def wait(self, seconds: float) -> bool:
        """Sleep until it rings, `seconds` at most; whether it rang. Empties it."""
        rang = bool(select.select([self.socket], [], [], max(0.0, seconds))[0])
        self.clear()
        return rang

    def clear(self) -> set[str]:
        """Empty it; what was said."""
        said = set()
        while True:
            try:
                said.add(self.socket.recv(200).decode())
            except BlockingIOError:
                return said

    def close(self) -> None:
        self.socket.close()
        self.path.unlink(missing_ok=True)


def ring(message: str = "") -> None:
    """Wake everybody who listens, in this data directory at once and, on PostgreSQL, soon at other hosts. Call it after the commit."""
    ring_here(message)
    crier.cry(message)


def ring_here(message: str = "") -> None:
    """Wake everybody who listens in this data directory. A full bell was rung already; a dead one is removed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        for name in _listeners():
            try:
                sender.sendto(message.encode(), _address(name))
            except BlockingIOError:
                continue
            except (ConnectionRefusedError, FileNotFoundError):
                (site.run_directory() / name).unlink(missing_ok=True)


def _listeners() -> Iterator[str]:
    return (name for name in os.listdir(site.run_directory()) if name.endswith(SUFFIX))


def _address(name: str) -> str:
    """Through the open directory, because a socket's path may have 107 characters only."""
    return f"/proc/self/fd/{_directory(site.run_directory())}/{name}"


@lru_cache(maxsize=4)
def _directory(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
