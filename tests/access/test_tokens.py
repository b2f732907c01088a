"""API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOW, a_token, a_user, later
from workflows_app.access import tokens
from workflows_app.models import ApiToken

pytestmark = pytest.mark.django_db


def test_a_token_acts_as_its_user() -> None:
    user = a_user()
    secret = tokens.create(user=user, name="ci", now=NOW).secret
    assert tokens.authenticate(secret=secret, now=NOW) == user


def test_the_secret_is_nowhere_in_the_database() -> None:
    token = tokens.create(user=a_user(), name="ci", now=NOW)
    kept = ApiToken.objects.values().get()
    assert token.secret not in str(kept)
    assert kept["prefix"] == token.secret[:11] and len(kept["digest"]) == 64


def test_two_tokens_differ() -> None:
    user = a_user()
    assert tokens.create(user=user, name="a", now=NOW).secret != tokens.create(user=user, name="a", now=NOW).secret


@pytest.mark.parametrize("secret", ["", "he_", "x" * 10_000, "\0", "\ud800", "é"])
def test_what_is_no_token_is_nobody(secret: str) -> None:
    a_token()
    assert tokens.authenticate(secret=secret, now=NOW) is None


def test_the_digest_itself_is_no_token() -> None:
    token = a_token(secret="s")
    assert tokens.authenticate(secret=token.digest, now=NOW) is None


def test_a_token_ends_exactly_at_its_lifetime() -> None:
    secret = tokens.create(user=a_user(), name="ci", now=NOW, lifetime=timedelta(seconds=10)).secret
    assert tokens.authenticate(secret=secret, now=later(9.9)) is not None
    assert tokens.authenticate(secret=secret, now=later(10)) is None


def test_the_token_of_a_user_who_left_is_nobody() -> None:
    user = a_user()
    secret = tokens.create(user=user, name="ci", now=NOW).secret
    user.is_active = False
    user.save()
    assert tokens.authenticate(secret=secret, now=NOW) is None


def test_use_is_noted_once_a_minute(django_assert_num_queries: Any) -> None:
    a_token(secret="s")
    tokens.authenticate(secret="s", now=NOW)
    assert ApiToken.objects.get().last_used_at == NOW
    with django_assert_num_queries(1):
        tokens.authenticate(secret="s", now=later(59))
    tokens.authenticate(secret="s", now=later(60))
    assert ApiToken.objects.get().last_used_at == later(60)
