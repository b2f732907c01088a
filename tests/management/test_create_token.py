"""`manage.py create_token`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import a_user
from workflows_app.access import tokens
from workflows_app.models import ApiToken

pytestmark = pytest.mark.django_db


def run(*args: Any, **options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_token", *args, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_it_prints_a_token_that_works_and_nothing_else_on_stdout() -> None:
    user = a_user("ana")
    out, err = run("ana", name="ci")
    assert tokens.authenticate(secret=out.strip(), now=datetime.now(UTC)) == user
    assert out.strip() not in err and "ot shown again" in err


def test_days_limit_its_life() -> None:
    a_user("ana")
    run("ana", name="ci", days=7)
    expires = ApiToken.objects.get().expires_at
    assert expires is not None
    assert abs(expires - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)


def test_an_unknown_user_is_named_and_nobody_is_created() -> None:
    with pytest.raises(CommandError, match=r"no user named 'nobody'.*createsuperuser"):
        run("nobody", name="ci")
    assert not ApiToken.objects.exists()


def test_an_inactive_user_gets_no_token() -> None:
    user = a_user("ana")
    user.is_active = False
    user.save()
    with pytest.raises(CommandError, match="not active"):
        run("ana", name="ci")


@pytest.mark.parametrize("days", [0, -1, 40_000])
def test_a_lifetime_that_makes_no_sense_is_refused(days: int) -> None:
    a_user("ana")
    with pytest.raises(CommandError, match="--days must be"):
        run("ana", name="ci", days=days)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_token_needs_a_name_that_fits(name: str) -> None:
    a_user("ana")
    with pytest.raises(CommandError, match="--name must have"):
        run("ana", name=name)
