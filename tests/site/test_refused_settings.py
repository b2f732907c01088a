"""Settings that no server could run with: each is refused at the start, in one line that names it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_site.env import SettingError, load

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def refusal(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as caught:
        load()
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://user:hush@host/name", "sqlite://:memory:", "sqlite://", "postgres://user:hush@host", "postgres://host:port/name"],
)
def test_a_database_url_that_names_no_database_is_refused_without_its_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, DATABASE_URL=url)
    assert message.startswith("DATABASE_URL='(hidden)' is not allowed: DATABASE_URL must be postgres://")
    assert "hush" not in message


@pytest.mark.parametrize(
    "url", ["postgres://user:hush@host:5432/name", "postgresql:///name?host=/run/postgresql", "sqlite:////data/file.sqlite3"]
)
def test_a_database_url_with_a_database_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert load().database_url == url


@pytest.mark.parametrize("hosts", ["http://example.org", "two words", "example.org:8000", "example.org,a/b"])
def test_allowed_hosts_that_no_request_can_name_are_refused(hosts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch, ALLOWED_HOSTS=hosts).startswith(f"ALLOWED_HOSTS={hosts!r} is not allowed: ALLOWED_HOSTS must be host names")


@pytest.mark.parametrize("hosts", ["example.org", "*", ".example.org, 10.0.0.7, [fd00::7]", "localhost"])
def test_allowed_hosts_are_names_addresses_and_patterns(hosts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", hosts)
    assert load().allowed_hosts == hosts


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(command, env={**kept, **environment}, capture_output=True, text=True, timeout=60, check=False)


def test_a_data_directory_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = manage("check", DATA_DIR=str(tmp_path / "file"))
    assert ended.returncode != 0
    assert ended.stderr.startswith(f"DATA_DIR='{tmp_path}/file' is not allowed") and len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["up", "web", "worker"])
def test_a_task_module_that_cannot_be_imported_stops_every_server_in_one_line(command: str, tmp_path: Path) -> None:
    ended = manage(command, DATA_DIR=str(tmp_path), PORT="1", TASK_MODULES="no_such_tasks")
    assert ended.returncode != 0
    assert "TASK_MODULES='no_such_tasks' is not allowed" in ended.stderr and "No module named" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite3", "postgres://me:hush@127.0.0.1:1/name"])
def test_a_database_that_cannot_be_opened_stops_the_start_in_one_line(url: str, tmp_path: Path, unused_port: int) -> None:
    ended = manage("up", DATA_DIR=str(tmp_path), PORT=str(unused_port), DATABASE_URL=url)
    assert ended.returncode != 0 and "hush" not in ended.stderr
    assert ended.stderr.startswith("CommandError: The database cannot be used: ") and len(ended.stderr.splitlines()) == 1
