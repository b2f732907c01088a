"""How much memory a process has resident, as the kernel tells it."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

from workflows_app.engine import site
from workflows_app.models import Worker

RESIDENT = 1  # the second field of statm, proc(5)


def resident_bytes(pid: int | str = "self") -> int | None:
    """None when there is no such process, or no such kernel."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[RESIDENT]) * os.sysconf("SC_PAGE_SIZE")
    return None


def of_worker(worker: Worker) -> int | None:
    """Of one beside us as it is now, of another as it last said. A worker of another container has other process ids, and another
    host name."""
    is_beside = worker.site == site.site_id() and worker.host == socket.gethostname()[:255]
    return (resident_bytes(worker.pid) if is_beside else None) or worker.memory_bytes
