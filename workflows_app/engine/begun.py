"""Which of its steps a worker process has begun: a page of memory in a file that outlives the process, for the reaper to read.

A process that dies costs the steps it had begun one of their tries, and those that it had only claimed nothing."""

from __future__ import annotations

import mmap
import os
import struct
from collections import deque

from workflows_app.engine import site

NUMBER = struct.Struct("q")
EVERY = -1


class Begun:
    """Slots for the ids of steps. Any thread may add; only the one that records outcomes takes out."""

    def __init__(self, worker_id: str, slots: int) -> None:
        self._slots = slots
        descriptor = os.open(site.path(worker_id, "begun"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, (slots + 1) * NUMBER.size)  # a full disk is said now, not by a SIGBUS later
            self._page = mmap.mmap(descriptor, (slots + 1) * NUMBER.size)
        finally:
            os.close(descriptor)
        self._free = deque(range(slots))
        self._held: dict[int, int] = {}

    def add(self, step_id: int) -> None:
        try:
            slot = self._free.popleft()
        except IndexError:  # more than anybody counted on: from now on every step counts as begun
            return NUMBER.pack_into(self._page, self._slots * NUMBER.size, EVERY)
        self._held[step_id] = slot
        NUMBER.pack_into(self._page, slot * NUMBER.size, step_id)

    def remove(self, step_id: int) -> None:
        slot = self._held.pop(step_id, None)
        if slot is not None:
            NUMBER.pack_into(self._page, slot * NUMBER.size, 0)
            self._free.append(slot)


def had_begun(worker_id: str, step_ids: list[int]) -> set[int]:
    """Those of `step_ids` that a dead worker of this site had begun; all of them when nobody knows."""
    try:
        page = site.path(worker_id, "begun").read_bytes()
    except OSError:
        return set(step_ids)
    found = {number for (number,) in NUMBER.iter_unpack(page)}
    return set(step_ids) if EVERY in found or not found else found & set(step_ids)
