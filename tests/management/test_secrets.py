"""`manage.py secrets` and `manage.py event_sources`."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hybrid_site import secret as keys
from workflows_app.access import secrets
from workflows_app.engine import secret_values
from workflows_app.models import EventSource, Secret

pytestmark = pytest.mark.django_db
CANARY = "canary-71c3"


def run(command: str, *args: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(command, *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.mark.parametrize(("text", "value"), [(CANARY, CANARY), (CANARY + "\n", CANARY), (CANARY + "\r\n", CANARY), ("a\nb\n\n", "a\nb\n")])
def test_a_value_is_read_from_standard_input_and_not_shown(given: Any, text: str, value: str) -> None:
    given(text)
    out, err = run("secrets", "set", "API_KEY")
    assert secret_values.values(["API_KEY"]) == {"API_KEY": value}
    assert "API_KEY is kept" in out and "{{ secrets.API_KEY }}" in out and CANARY not in out + err


def test_setting_again_says_that_it_changed(given: Any) -> None:
    for text, word in (("one", "kept"), ("two", "changed")):
        given(text)
        assert f"API_KEY is {word}" in run("secrets", "set", "API_KEY")[0]
    assert secret_values.values(["API_KEY"]) == {"API_KEY": "two"}


def test_at_a_terminal_it_is_asked_for_without_an_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal is the one thing a test does not have."""
    asked: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("workflows_app.management.commands.secrets.getpass", lambda prompt: asked.append(prompt) or CANARY)
    run("secrets", "set", "API_KEY")
    assert asked == ["Value of API_KEY (not shown): "] and secret_values.values(["API_KEY"]) == {"API_KEY": CANARY}


def test_the_value_is_never_an_argument(given: Any) -> None:
    """Arguments are in the shell's history and in the list of processes."""
    given("x")
    with pytest.raises((CommandError, SystemExit)):
        run("secrets", "set", "API_KEY", CANARY)
    assert not Secret.objects.exists()


@pytest.mark.parametrize(
    ("args", "text"), [(("set", "a b"), "x"), (("set", "NAME"), ""), (("set", "NAME"), "x" * 60_000), (("delete", "no"), "")]
)
def test_what_is_refused_is_one_line(given: Any, args: tuple[str, ...], text: str) -> None:
    given(text)
    with pytest.raises(CommandError) as caught:
        run("secrets", *args)
    assert "\n" not in str(caught.value)


def test_the_list_has_names_only(given: Any) -> None:
    for name in ("b", "a"):
        given(CANARY)
        run("secrets", "set", name)
    assert run("secrets", "list") == ("a\nb\n", "")


def test_delete_says_what_follows(given: Any) -> None:
    given("x")
    run("secrets", "set", "a")
    assert "fail from now on" in run("secrets", "delete", "a")[0]
    assert secrets.names() == []


def test_rotate_says_how_many(given: Any, settings: Any) -> None:
    given("x")
    run("secrets", "set", "a")
    settings.SECRETS_KEYS = (keys.fernet_key(), *settings.SECRETS_KEYS)
    assert run("secrets", "rotate")[0].startswith("1 stored secrets are encrypted")
    settings.SECRETS_KEYS = settings.SECRETS_KEYS[:1]
    assert secret_values.values(["a"]) == {"a": "x"}


def test_rotate_without_the_old_key_says_which_setting_is_wrong(given: Any, settings: Any) -> None:
    given("x")
    run("secrets", "set", "a")
    settings.SECRETS_KEYS = (keys.fernet_key(),)
    with pytest.raises(CommandError, match="SECRETS_KEY"):
        run("secrets", "rotate")


def test_a_source_is_added_and_its_secret_is_all_there_is_on_stdout() -> None:
    out, err = run("event_sources", "add", "shop")
    assert out.strip() == EventSource.objects.get().signing_secret and out.strip() not in err
    assert "/api/events/webhooks/shop" in err and "not shown again" in err
    EventSource.objects.update(is_active=False)
    assert run("event_sources", "list")[0] == "shop\tnot active\n"


def test_a_bad_or_taken_source_is_refused() -> None:
    run("event_sources", "add", "shop")
    for name in ("shop", "a b"):
        with pytest.raises(CommandError):
            run("event_sources", "add", name)
    assert EventSource.objects.count() == 1
