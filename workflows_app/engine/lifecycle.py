"""What the processes of a worker group tell each other through shared memory: leave, and who would claim new work at once."""

from __future__ import annotations

import mmap
import os
import secrets
import signal
import struct
import time

DRAINING, ASKED, FIRST_SLOT, SLOT_BYTES, SLOTS = 0, 1, 8, 8, 500
ATTENTIVE_SECONDS = 0.4
_page = mmap.mmap(-1, mmap.PAGESIZE)
_group, _main = "", 0


def begin() -> None:
    """Call in the group's first process before it forks: page and name belong to this group only."""
    global _page, _group, _main  # noqa: PLW0603  shared memory has to be mapped anew per group
    _page = mmap.mmap(-1, mmap.PAGESIZE)
    _group, _main = secrets.token_hex(16), os.getpid()


def group() -> str:
    """A random name of the group that this process belongs to."""
    return _group


def leave() -> None:
    """Ask the group's first process to leave in order, from any process of the group."""
    _page[ASKED] = 1
    os.kill(_main, signal.SIGTERM)


def was_asked_to_leave() -> bool:
    """Whether the group leaves because it was drained, rather than for a signal from outside."""
    return _page[ASKED] == 1


def start_draining() -> None:
    _page[DRAINING] = 1


def is_draining() -> bool:
    return _page[DRAINING] == 1


def set_attentive(is_attentive: bool) -> None:
    """Say that this process has room and is listening, for the next ATTENTIVE_SECONDS; or that it is not.
    A hint: a killed process, or two that share a slot, cost the broker one pause."""
    until = time.monotonic() + ATTENTIVE_SECONDS if is_attentive else 0.0
    struct.pack_into("d", _page, _slot(os.getpid()), until)


def somebody_else_is_attentive() -> bool:
    own = _slot(os.getpid())
    now = time.monotonic()
    values = struct.unpack_from(f"{SLOTS}d", _page, FIRST_SLOT)
    return any(until > now for index, until in enumerate(values) if FIRST_SLOT + index * SLOT_BYTES != own)


def _slot(pid: int) -> int:
    return FIRST_SLOT + pid % SLOTS * SLOT_BYTES
