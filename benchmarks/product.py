"""The product under test: `manage.py up` as a real process with a data directory of its own."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Product:
    """A running instance."""

    process: subprocess.Popen[str]
    data_dir: Path
    port: int

    def pss_mib(self) -> float:
        """Proportional set size of the supervisor and everything below it: shared pages count once."""
        root = psutil.Process(self.process.pid)
        return sum(process.memory_full_info().pss for process in [root, *root.children(recursive=True)]) / 2**20

    def commits(self) -> int:
        """How many transactions that wrote something were ever committed here. SQLite: `iChange` in the header of the wal-index
        (sqlite.org/walformat.html, section 2.1); PostgreSQL: the number that the next one will get (pg_stat_database counts reads too)."""
        from django.db import connection

        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
                return int(cursor.fetchone()[0])
        header = (self.data_dir / "hybrid.sqlite3-shm").read_bytes()[:12]
        return int(struct.unpack("<I", header[8:12])[0])


def settle_environment() -> Path:
    """Choose data directory and port for this process and the product; call before Django is set up."""
    data_dir = Path(tempfile.mkdtemp(prefix="hybrid-bench-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.update(
        DATA_DIR=str(data_dir), PORT=str(port), MODE="local", HOST="127.0.0.1", LOG_LEVEL="WARNING",
        TASK_MODULES="benchmarks.tasks", DJANGO_SETTINGS_MODULE="hybrid_site.settings",
    )  # fmt: skip
    return data_dir


@contextmanager
def running(data_dir: Path) -> Iterator[Product]:
    """Start the product, wait until it says that it is ready, and stop it afterwards."""
    with subprocess.Popen([sys.executable, "manage.py", "up"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "ready" not in line:
                raise SystemExit(f"The product did not start: {line}")
            time.sleep(1)  # let the workers finish starting before anything is measured
            yield Product(process, data_dir, int(os.environ["PORT"]))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
