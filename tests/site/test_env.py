"""Settings from the environment: each honoured, each wrong value refused with one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_site.env import Env, SettingError, load

ROOT = Path(__file__).parents[2]
WRONG = [
    ("MODE", "cloud"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "eighty"),
    ("WEB_PROCESSES", "0"),
    ("WEB_THREADS", "0"),
    ("MAX_PARALLEL_NODES", "0"),
    ("MAX_PARALLEL_NODES", "257"),
    ("MAX_PARALLEL_NODES", "2.5"),
    ("MAX_PARALLEL_IO", "-1"),
    ("MAX_CONCURRENT_WORKFLOWS", "-1"),
    ("MAX_EVENT_CHAIN", "-1"),
    ("LOG_LEVEL", "LOUD"),
    ("RETRY_MAX_RETRIES", "-1"),
    ("RETRY_MAX_RETRIES", "101"),
    ("RETRY_INITIAL_DELAY", "-0.1"),
    ("RETRY_MAX_DELAY", "a minute"),
    ("WORKER_HEARTBEAT_INTERVAL", "0"),
    ("WORKER_HEARTBEAT_TIMEOUT", "0.1"),
    ("WORKER_GRACE", "-1"),
    ("STEP_TIMEOUT_DEFAULT", "0"),
    ("STEP_TIMEOUT_HTTP_CALL", "-5"),
    ("STEP_TIMEOUT_LLM_SERVICE", "0"),
    ("LLM_BASE_URL", "api.example.org"),
    ("LLM_BASE_URL", "ftp://api.example.org"),
    ("LLM_BASE_URL", "https://api.example.org/v1?key=1"),
    ("LLM_API_KEY", "two words"),
    ("EMAIL_PORT", "0"),
    ("EMAIL_TLS", "ssl"),
    ("EMAIL_FROM", "nobody"),
    ("OUTBOUND_ALLOW", "10.0.0.0/33"),
    ("OUTBOUND_ALLOW", "the intranet"),
    ("MAX_BODY_BYTES", "10"),
    ("MAX_OUTPUT_BYTES", "99999999999"),
    ("MAX_LOG_LINES", "5"),
    ("MAX_LOG_BYTES", "1000"),
    ("MAX_NODES", "20000"),
    ("RETENTION_DAYS", "-1"),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", "a" * 60),
    ("SECRET_KEY", "django-insecure-" + "0123456789abcdef" * 4),
]


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Env.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_in_one_line_that_says_what_is_allowed(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as caught:
        load()
    message = str(caught.value)
    assert message.startswith(f"{name}=") and "must be" in message and "\n" not in message
    assert (value in message) != (name in {"SECRET_KEY", "LLM_API_KEY"})


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("PORT", "9001", 9001),
        ("HOST", "::1", "::1"),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("DATA_DIR", "elsewhere", Path("elsewhere")),
        ("RETRY_INITIAL_DELAY", "0", 0.0),
        ("MAX_CONCURRENT_WORKFLOWS", "3", 3),
        ("WORKER_GRACE", "0.5", 0.5),
        ("STEP_TIMEOUT_HTTP_CALL", "2.5", 2.5),
        ("STEP_TIMEOUT_LLM_SERVICE", "60", 60.0),
        ("LLM_BASE_URL", "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("EMAIL_FROM", "Engine <engine@example.org>", "Engine <engine@example.org>"),
    ],
)
def test_a_right_value_is_kept(name: str, value: str, kept: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(load(), name.lower()) == kept


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("OUTBOUND_ALLOW", "")
    assert (load().port, load().outbound_networks) == (8000, ())


def test_a_file_beside_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8123\nMAX_PARALLEL_NODES=2\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("PORT", "8124")
    assert (load().port, load().max_parallel_nodes) == (8124, 2)


def test_a_heartbeat_must_fit_into_its_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_HEARTBEAT_INTERVAL", "10")
    monkeypatch.setenv("WORKER_HEARTBEAT_TIMEOUT", "10")
    with pytest.raises(SettingError, match=r"^WORKER_HEARTBEAT_TIMEOUT=10\.0 .* above WORKER_HEARTBEAT_INTERVAL"):
        load()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "example.org"])
def test_local_mode_listens_on_loopback_only(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", host)
    with pytest.raises(SettingError, match="MODE=server"):
        load()
    monkeypatch.setenv("MODE", "server")
    monkeypatch.setenv("ALLOWED_HOSTS", "engine.example")
    assert load().host == host


def test_lists_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTBOUND_ALLOW", "10.0.0.0/8, fd00::/8")
    monkeypatch.setenv("TASK_MODULES", " shop.tasks ,, more ")
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example, b.example")
    kept = load()
    assert [str(network) for network in kept.outbound_networks] == ["10.0.0.0/8", "fd00::/8"]
    assert kept.task_module_names == ("shop.tasks", "more")
    assert kept.allowed_host_names == ("a.example", "b.example")


@pytest.mark.parametrize(("nodes", "io", "shares"), [("4", "256", [64] * 4), ("3", "10", [4, 3, 3]), ("4", "2", [1, 1, 0, 0])])
def test_waiting_steps_are_shared_out_among_the_processes(nodes: str, io: str, shares: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_PARALLEL_NODES", nodes)
    monkeypatch.setenv("MAX_PARALLEL_IO", io)
    assert [load().io_slots(seat) for seat in range(int(nodes))] == shares
    assert load().io_slots(int(nodes)) == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_on_every_address_must_know_its_names(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE", "server")
    monkeypatch.setenv("HOST", host)
    with pytest.raises(SettingError, match=r"^ALLOWED_HOSTS='' .* name the hosts"):
        load()
    monkeypatch.setenv("ALLOWED_HOSTS", "engine.example")
    assert load().allowed_host_names == ("engine.example",)


def test_a_timeout_for_an_action_that_has_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEP_TIMEOUT_DELAY", "5")
    with pytest.raises(SettingError, match=r"^STEP_TIMEOUT_DELAY='5' .* STEP_TIMEOUT_DEFAULT and STEP_TIMEOUT_HTTP_CALL"):
        load()


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000")])
def test_the_address_is_one_that_can_be_opened(host: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", host)
    assert load().base_url == url


def _manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, timeout=60, check=False)


def test_a_wrong_value_stops_the_start_with_that_line_alone(tmp_path: Path) -> None:
    ended = _manage("up", PORT="none", DATA_DIR=str(tmp_path))
    assert ended.returncode != 0 and ended.stdout == ""
    assert ended.stderr.splitlines() == ["PORT='none' is not allowed: PORT must be a whole number from 1 to 65535."]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("tls", "flags"), [("none", "False False"), ("starttls", "True False"), ("tls", "False True")])
def test_the_mail_server_of_the_settings_is_djangos(tls: str, flags: str, tmp_path: Path) -> None:
    given = {"EMAIL_HOST": "mail.example", "EMAIL_PORT": "2525", "EMAIL_USER": "me", "EMAIL_PASSWORD": "hush", "EMAIL_FROM": "a@b.example"}
    names = "EMAIL_HOST EMAIL_PORT EMAIL_HOST_USER EMAIL_HOST_PASSWORD DEFAULT_FROM_EMAIL EMAIL_USE_TLS EMAIL_USE_SSL"
    code = f"from django.conf import settings; print(*(getattr(settings, name) for name in '{names}'.split()))"
    ended = _manage("shell", "--no-imports", "-c", code, EMAIL_TLS=tls, DATA_DIR=str(tmp_path), **given)
    assert ended.stdout.strip() == f"mail.example 2525 me hush a@b.example {flags}", ended.stderr


def test_a_database_password_is_not_shown(tmp_path: Path) -> None:
    ended = _manage("check", DATABASE_URL="oracle://me:hush@host/name", DATA_DIR=str(tmp_path))
    assert ended.returncode != 0 and "hush" not in ended.stderr
    assert ended.stderr.startswith("DATABASE_URL=") and len(ended.stderr.splitlines()) == 1


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert set(rows) == {name.upper() for name in Env.model_fields}
    for name, field in Env.model_fields.items():
        assert rows[name.upper()] == (f"`{field.default}`" if str(field.default) else "(empty)")
