"""`manage.py web` and `manage.py worker` by themselves: what they need is there, or they say in one line what is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.processes.group import ROOT, Group, until
from tests.processes.test_up import free_port

pytestmark = pytest.mark.processes


def environment(place: Path) -> dict[str, str]:
    return {"DATA_DIR": str(place / "data"), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "hybrid_site.settings", "TASK_MODULES": ""}


def manage(place: Path, *command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    values = {**os.environ, **environment(place), **changes}
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=values, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("command", ["web", "worker"])
def test_without_migrations_they_do_not_start_and_say_what_to_run(command: str, tmp_path: Path) -> None:
    said = manage(tmp_path, command, PORT=str(free_port()))
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1].endswith(
        "migrations are missing in the database. Run `manage.py migrate` first; `manage.py up` does it by itself."
    )
    assert "Traceback" not in said.stderr


def test_a_web_server_alone_serves_its_pages_with_their_looks(tmp_path: Path) -> None:
    """On a host that runs no workers and where nobody ran `up`."""
    assert manage(tmp_path, "migrate", "-v0").returncode == 0
    port = str(free_port())
    server = Group(tmp_path, "web", **environment(tmp_path), PORT=port)

    def answer(path: str) -> tuple[int, str, str]:
        try:
            with urlopen(Request(f"http://127.0.0.1:{port}{path}", headers={"Accept-Encoding": "gzip"}), timeout=10) as found:
                return found.status, found.headers.get("Content-Encoding", ""), found.headers.get("Cache-Control", "")
        except URLError:
            return 0, "", ""

    try:
        until("it answers", lambda: answer("/workflows")[0] == 200)
        with urlopen(f"http://127.0.0.1:{port}/workflows", timeout=10) as page:
            looks = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page.read().decode())
        assert len(looks) > 5
        assert {answer(path)[:2] for path in looks} == {(200, "gzip")}
        assert all("immutable" in answer(path)[2] for path in looks), "names change with their content, so that browsers may keep them"
    finally:
        server.destroy()


def test_a_worker_whose_database_is_away_starts_all_the_same(tmp_path: Path) -> None:
    """It waits for the database, as it would when that goes away later."""
    port = str(free_port())
    worker = Group(tmp_path, "worker", **{**environment(tmp_path), "DATABASE_URL": f"postgres://nobody@127.0.0.1:{port}/nothing"})
    try:
        until("it says so", lambda: "The database does not answer, so nobody knows whether it is migrated" in worker.said())
        assert worker.process.poll() is None
    finally:
        worker.destroy()
