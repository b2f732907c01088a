"""A real worker group, or the whole product, in processes of its own, on the database of the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from django.db import connection

from tests import settings as test_settings
from tests import tether

ROOT = Path(__file__).parents[2]
MARK = "HYBRID_TEST_GROUP"
Value = TypeVar("Value")
QUICK = {
    "MAX_PARALLEL_NODES": "2",
    "WORKER_GRACE": "2",
    "WORKER_HEARTBEAT_INTERVAL": "0.3",
    "WORKER_HEARTBEAT_TIMEOUT": "2",
    "RETRY_INITIAL_DELAY": "0.05",
    "TASK_MODULES": "tests.processes.tasks,workflows_app.demo_tasks",
    "DJANGO_SETTINGS_MODULE": "hybrid_site.settings",
    "LOG_LEVEL": "INFO",
}


def until(what: str, condition: Callable[[], Value], *, seconds: float = 30) -> Value:
    """Wait for the condition and return what it gave; fail after `seconds`, which a working product never needs."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"still waiting after {seconds} s: {what}"
        time.sleep(0.01)
    return found


class Group:
    """`manage.py worker` or `manage.py up`, and all processes that come of it: they carry a mark in their environment."""

    def __init__(self, place: Path, *command: str, **environment: str) -> None:
        self.place, self.name = place, f"{place.name}-{os.getpid()}-{time.monotonic_ns()}"
        self.log = place / "log"
        values = {**os.environ, **QUICK, "HYBRID_TEST_PLACE": str(place), MARK: self.name, **environment}
        with self.log.open("ab") as log:
            self.process = tether.popen(
                [sys.executable, "manage.py", *command],
                cwd=ROOT,
                env=values,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def pids(self) -> list[int]:
        """Every living process of this group, the oldest first."""
        return marked(f"{MARK}={self.name}")

    def children(self, parent: int) -> list[int]:
        return [pid for pid in self.pids() if _parent(pid) == parent]

    @property
    def main(self) -> int:
        return self.process.pid

    @property
    def sentinel(self) -> int:
        return self.children(self.main)[0]

    @property
    def pusher(self) -> int:
        """In a group where nothing died yet, the sentinel forks it last, after the workers and the monitor."""
        return self.children(self.sentinel)[-1]

    @property
    def monitor(self) -> int:
        return self.children(self.sentinel)[-2]

    def ended(self, *, seconds: float = 20) -> int:
        """Wait for the first process to end and the others to be gone; its exit code."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end within {seconds} s:\n{self.said()}") from None
        until("every process of the group is gone", lambda: not self.pids(), seconds=10)
        return code

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        until(f"process {pid} is dead", lambda: pid not in _living())

    def destroy(self) -> None:
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        self.process.wait(20)
        until("every process of the group is gone", lambda: not self.pids())


def shared_database() -> dict[str, str]:
    """The environment that makes a process use this test's database and data directory."""
    found = connection.settings_dict
    name = str(found["NAME"])
    if connection.vendor == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{name}", "DATA_DIR": test_settings.DATA}
    address = f"{found['USER']}:{quote(found['PASSWORD'] or '')}@{found['HOST']}:{found['PORT']}"
    return {"DATABASE_URL": f"postgres://{address}/{name}", "DATA_DIR": test_settings.DATA}


def marked(variable: str) -> list[int]:
    """Every living process with this `NAME=value` in its environment, the oldest first."""
    return sorted((pid for pid in _living() if variable.encode() in _read(pid, "environ")), key=_started)


def _living() -> list[int]:
    found = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in found if _stat(pid)[:1] not in ([], ["Z"])]


def _stat(pid: int) -> list[str]:
    """State, parent, ... of a process; nothing when it is gone."""
    return _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])


def _started(pid: int) -> tuple[int, int]:
    found = _stat(pid)
    return (int(found[19]) if found else 0, pid)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def written_bytes(pids: list[int]) -> int:
    """What these processes have caused to be written to a disk."""
    lines = (line for pid in pids for line in _read(pid, "io").decode().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def cpu_seconds(pids: list[int]) -> float:
    return sum(sum(map(int, _stat(pid)[11:13])) for pid in pids) / os.sysconf("SC_CLK_TCK")
