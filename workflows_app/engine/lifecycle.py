"""One bit that every process of a worker group shares: it is leaving, claim nothing more."""

from __future__ import annotations

import mmap

_flag = mmap.mmap(-1, 1)


def begin() -> None:
    """Call in the group's first process before it forks: the bit belongs to this group only."""
    global _flag  # noqa: PLW0603  shared memory has to be mapped anew per group
    _flag = mmap.mmap(-1, 1)


def start_draining() -> None:
    _flag[0] = 1


def is_draining() -> bool:
    return _flag[0] == 1
