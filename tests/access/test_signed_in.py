"""A session and its user are found, and lost, as with Django's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from workflows_app.access.signed_in import SessionStore, StoredUsers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("server_mode")]
PAGE = "/workflows"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ada", password="a long password", email="ada@example.org")


@pytest.fixture
def signed_in(user: User, server_mode: None) -> Client:
    client = Client()
    assert client.login(username="ada", password="a long password")
    assert client.get(PAGE).status_code == 200
    return client


def is_sent_to_the_login(client: Client) -> bool:
    response = client.get(PAGE)
    return response.status_code == 302 and str(response["Location"]).startswith("/login")


def test_a_wrong_password_opens_nothing(user: User) -> None:
    client = Client()
    assert not client.login(username="ada", password="another")
    assert is_sent_to_the_login(client)


def test_after_the_logout_the_session_is_gone(signed_in: Client) -> None:
    copied = Client()
    copied.cookies = signed_in.cookies.copy()
    signed_in.logout()
    assert is_sent_to_the_login(copied) and Session.objects.count() == 0


def test_an_expired_session_ends(signed_in: Client) -> None:
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=30))
    assert signed_in.get(PAGE).status_code == 200
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert is_sent_to_the_login(signed_in)


@pytest.mark.parametrize("end", ["switched off", "removed", "new password"])
def test_whoever_may_no_longer_is_out_at_the_next_request(signed_in: Client, user: User, end: str) -> None:
    if end == "removed":
        user.delete()
    else:
        user.is_active = end != "switched off"
        user.set_password("a new one, as long") if end == "new password" else None
        user.save()
    assert is_sent_to_the_login(signed_in)


ODD_KEYS = ["", "x", "nosuchsessionatall00000000000000", "'; DROP TABLE django_session; --", "\x00" * 32, "é" * 32, "a" * 9000]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_another_key_is_nobody_and_gets_no_session(user: User, key: str) -> None:
    client = Client()
    client.cookies["sessionid"] = key
    assert is_sent_to_the_login(client) and Session.objects.count() == 0


def test_a_key_that_is_not_there_is_not_used_for_what_is_kept_next() -> None:
    store = SessionStore("a" * 32)
    assert store.get("word") is None and store.session_key is None
    store["word"] = "kept"
    store.save()
    assert store.session_key and store.session_key != "a" * 32


def test_what_is_found_is_what_django_finds(signed_in: Client, user: User) -> None:
    key = Session.objects.get().session_key
    assert dict(SessionStore(key).items()) == dict(db.SessionStore(key).items()) != {}
    found: Any = StoredUsers().get_user(user.pk)
    theirs = User.objects.get()
    assert {field.name: getattr(found, field.name) for field in User._meta.concrete_fields} == {
        field.name: getattr(theirs, field.name) for field in User._meta.concrete_fields
    }
    assert found.date_joined.tzinfo is not None and not found.get_deferred_fields()
    assert StoredUsers().get_user(0) is None
