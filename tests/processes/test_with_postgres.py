"""The runner that gives a command a PostgreSQL cluster of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

import pytest

from tests import with_postgres
from tests.processes.group import ROOT, until

pytestmark = pytest.mark.skipif(with_postgres.binaries() is None, reason="there is no PostgreSQL server on this machine")
SAY = "import os, django.db; print(os.environ['DATABASE_URL'], flush=True)"


def run(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.with_postgres", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def is_listening(port: int) -> bool:
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines())
    return any(line[1].endswith(f":{port:04X}") and line[3] == "0A" for line in lines)


def test_the_command_gets_an_address_that_answers_and_its_exit_code_is_forwarded() -> None:
    ask = (
        "import os, psycopg; print(psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT 6 * 7').fetchone()[0]); raise SystemExit(5)"
    )
    process = run(sys.executable, "-c", ask)
    said, complaints = process.communicate(timeout=60)
    assert (said.strip(), process.returncode) == ("42", 5), complaints


def test_the_cluster_is_gone_afterwards_also_when_it_is_interrupted() -> None:
    process = run(sys.executable, "-c", f"{SAY}; import time; time.sleep(60)")
    assert process.stdout
    port = urlparse(process.stdout.readline().strip()).port
    assert port and is_listening(port)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    until("nobody listens any more", lambda: not is_listening(port))


def test_one_that_is_ended_while_it_sets_up_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    os.chmod(tmp_path, 0o755)
    with subprocess.Popen([sys.executable, "-m", "tests.with_postgres", "true"], cwd=ROOT, env=environment) as process:
        until("it has begun", lambda: list(tmp_path.iterdir()) or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, 2, 128 + signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []


def test_without_a_server_it_says_so_in_one_line(tmp_path: Path) -> None:
    elsewhere = f"from pathlib import Path; from tests import with_postgres as w; w.ROOT = Path({str(tmp_path)!r})"
    code = f"{elsewhere}; raise SystemExit(w.main(['true']))"
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("There is no PostgreSQL server") and len(done.stderr.splitlines()) == 1
