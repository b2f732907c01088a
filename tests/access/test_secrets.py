"""Stored secrets: kept encrypted, named, rotated, never shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from hybrid_site import secret as keys
from tests.factories import NOW, later
from workflows_app.access import event_sources, secrets
from workflows_app.engine import secret_values
from workflows_app.models import EventSource, Secret
from workflows_app.models.fields import CannotDecrypt

pytestmark = pytest.mark.django_db
CANARY = "canary-5f1e8d-völlig-geheim"


def put(name: str = "API_KEY", value: str = CANARY) -> bool:
    return secrets.put(name=name, value=value, now=NOW)


def stored(table: str = "secret", column: str = "value") -> list[str]:
    """What the database really holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM workflows_app_{table}")
        return [row[0] for row in cursor.fetchall()]


def test_a_value_that_was_put_is_read_by_its_name() -> None:
    put()
    put("other", "x")
    assert secret_values.values({"API_KEY"}) == {"API_KEY": CANARY}
    assert secret_values.values(["API_KEY", "other", "missing"]) == {"API_KEY": CANARY, "other": "x"}


def test_to_name_no_secret_costs_no_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert secret_values.values(()) == {}


def test_the_database_holds_it_encrypted_only() -> None:
    put()
    assert len(stored()) == 1 and "canary" not in stored()[0] and stored()[0].startswith("gAAAA")


def test_putting_again_changes_the_value_and_keeps_one_row() -> None:
    assert put() is True
    assert secrets.put(name="API_KEY", value="second", now=later(5)) is False
    row = Secret.objects.get()
    assert (row.value, row.created_at, row.updated_at) == ("second", NOW, later(5))


@pytest.mark.parametrize("name", ["", "-x", "a b", "a.b", "ä", "a\n", "x" * 101, "{{", "a/b", "a\0"])
def test_a_name_that_an_expression_could_not_say_is_refused(name: str) -> None:
    with pytest.raises(secrets.InvalidSecret, match="is not allowed"):
        put(name)
    assert not Secret.objects.exists()


@pytest.mark.parametrize("name", ["a", "API_KEY", "api-key", "_x", "9lives", "x" * 100])
def test_a_name_like_that_of_a_step_is_taken(name: str) -> None:
    put(name)
    assert secrets.names() == [name]


@pytest.mark.parametrize("value", ["", "x" * 50_001, CANARY + "\0"])
def test_a_value_that_cannot_be_kept_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(secrets.InvalidSecret) as caught:
        put(value=value)
    assert "canary" not in str(caught.value)
    assert not Secret.objects.exists()


@pytest.mark.parametrize(
    "value", [" blanks kept ", "-----BEGIN KEY-----\nlines\n-----END KEY-----\n", "{{ params.x }}", "x" * 50_000, "🔑"]
)
def test_any_other_text_comes_back_as_it_was(value: str) -> None:
    put(value=value)
    assert secret_values.values(["API_KEY"]) == {"API_KEY": value}


def test_names_are_listed_in_order_and_deleted_ones_are_gone() -> None:
    for name in ("b", "a"):
        put(name)
    assert secrets.names() == ["a", "b"]
    secrets.delete(name="a")
    assert secrets.names() == ["b"] and secret_values.values(["a"]) == {}
    with pytest.raises(secrets.UnknownSecret, match="secrets list"):
        secrets.delete(name="a")


def test_after_a_rotation_the_new_key_alone_reads_everything(settings: Any) -> None:
    old, new = keys.fernet_key(), keys.fernet_key()
    settings.SECRETS_KEYS = (old,)
    put()
    event_sources.create(name="shop", now=NOW)
    signing = EventSource.objects.get().signing_secret
    before = stored(), stored("eventsource", "signing_secret")
    settings.SECRETS_KEYS = (new, old)
    assert secrets.rotate() == 2
    settings.SECRETS_KEYS = (new,)
    assert secret_values.values(["API_KEY"]) == {"API_KEY": CANARY}
    assert EventSource.objects.get().signing_secret == signing
    assert stored() != before[0] and stored("eventsource", "signing_secret") != before[1]


def test_a_rotation_without_a_needed_key_changes_nothing(settings: Any) -> None:
    first, second, third = (keys.fernet_key() for _ in range(3))
    settings.SECRETS_KEYS = (first,)
    put("a")
    settings.SECRETS_KEYS = (second,)
    put("b")
    before = stored()
    settings.SECRETS_KEYS = (third, first)
    with pytest.raises(CannotDecrypt, match="SECRETS_KEY"):
        secrets.rotate()
    assert stored() == before


def test_one_lost_key_does_not_take_the_other_secrets_along(settings: Any, caplog: Any) -> None:
    """A worker asks for the secrets of many steps at once, and must not stop."""
    settings.SECRETS_KEYS = (keys.fernet_key(),)
    put("lost")
    settings.SECRETS_KEYS = (keys.fernet_key(),)
    put("kept", "readable")
    assert secret_values.values(["lost", "kept"]) == {"kept": "readable"}
    assert "The secret lost cannot be used" in caplog.text and CANARY not in caplog.text


def test_neither_the_text_nor_the_repr_of_a_row_shows_the_value() -> None:
    put()
    row = Secret.objects.get()
    assert CANARY not in f"{row} {row!r}"
