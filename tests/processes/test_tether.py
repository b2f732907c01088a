"""Whoever starts processes in a test and is killed leaves none of them behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests import with_postgres
from tests.processes.group import ROOT, marked, shared_database, until
from tests.processes.test_with_postgres import SAY, is_listening, run

GROUP = """
import pathlib, sys
from tests.processes.group import Group
Group(pathlib.Path(sys.argv[1]), "worker", "--skip-checks")
sys.stdin.read()
"""


@pytest.mark.django_db(transaction=True)
def test_a_group_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    mark = f"HYBRID_TEST_PLACE={tmp_path}"
    outer = {**os.environ, **shared_database(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen([sys.executable, "-c", GROUP, str(tmp_path)], cwd=ROOT, env=outer, stdin=subprocess.PIPE) as starter:
        until("main, sentinel, monitor, pusher and two workers are there", lambda: len(marked(mark)) == 6)
        starter.kill()
    until("all of them are gone", lambda: not marked(mark), seconds=5)


@pytest.mark.skipif(with_postgres.binaries() is None, reason="there is no PostgreSQL server on this machine")
def test_a_cluster_and_its_command_die_with_the_process_that_started_them() -> None:
    process = run(sys.executable, "-c", f"{SAY}; print(os.getpid(), flush=True); import time; time.sleep(60)")
    assert process.stdout
    address, pid = process.stdout.readline().strip(), int(process.stdout.readline())
    port = int(address.rpartition(":")[2].partition("/")[0])
    assert is_listening(port)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    until("nobody listens any more", lambda: not is_listening(port))
    until("its command is gone", lambda: not Path(f"/proc/{pid}").exists())
    for options in Path(tempfile.gettempdir()).glob("hybrid-postgres-*/data/postmaster.opts"):
        if f'"{port}"' in options.read_text():
            shutil.rmtree(options.parents[1])
