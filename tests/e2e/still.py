"""The web server alone, without workers, on rows that a program wrote: they stay as they are."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import tether
from tests.with_postgres import database_of_its_own

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Still:
    """`url` answers; `found` is what the program that wrote the rows printed."""

    url: str
    found: dict[str, Any]


@contextmanager
def still(data: Path, writer: str = "") -> Iterator[Still]:
    """Of the rows that `python -m <writer>` makes; of none without one."""
    own = {"DATA_DIR": str(data), "DATABASE_URL": database_of_its_own(), "PORT": str(_free_port())}
    environment = {**os.environ, **own, "DJANGO_SETTINGS_MODULE": "hybrid_site.settings"}
    environment["WORKER_HEARTBEAT_TIMEOUT"] = "3600"  # for workers that are rows only
    url = f"http://127.0.0.1:{environment['PORT']}"
    _call(environment, "manage.py", "migrate", "-v0")
    found = json.loads(_call(environment, "-m", writer)) if writer else {}
    with (data / "log").open("wb") as log:
        process = tether.popen(
            [sys.executable, "manage.py", "web"], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )  # fmt: skip
    try:
        _wait_until_it_answers(url, process, data / "log")
        yield Still(url, found)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _call(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/api/health", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return  # unhealthy, for there is no worker
        except OSError:
            continue
    raise AssertionError(f"the web server did not start: {log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
