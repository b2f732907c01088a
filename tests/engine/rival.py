"""Other workers than the one of this process: claims under another name, and locks that another process holds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings

from workflows_app.engine import site
from workflows_app.engine.claims import Claim, Inputs, Slots, claim
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.models import Worker

HOLD = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.lockf(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def claim_as(worker_id: str, *, now: datetime, slots: int = 100, lease_seconds: float | None = None) -> list[Claim]:
    """Claims of due steps under this name, as another process would make them."""
    seconds = settings.ENV.worker_heartbeat_timeout if lease_seconds is None else lease_seconds
    with write() as session:
        found = claim(session, worker_id=worker_id, slots=Slots(slots, slots), now=now, lease=now + timedelta(seconds=seconds))
    Inputs().load(Session(), found)
    return found


def registered(worker_id: str, *, now: datetime, is_here: bool = True, **changes: object) -> Worker:
    place = site.site_id() if is_here else "another site"
    values = {"host": "host", "site": place, "pid": 4711, "started_at": now, "heartbeat_at": now, **changes}
    return Worker.objects.create(id=worker_id, **values)


@contextmanager
def holding_its_lock(worker_id: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds this worker's lock: to everybody else the worker lives."""
    command = [sys.executable, "-c", HOLD, str(site.run_directory() / f"{worker_id}.worker")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()
