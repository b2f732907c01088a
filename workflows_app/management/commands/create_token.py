"""`manage.py create_token USERNAME --name NAME [--days N]`: an API token, printed once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from workflows_app.access import tokens
from workflows_app.engine.clock import database_now

MAX_DAYS = 36_500


class Command(BaseCommand):
    help = "Create an API token for a user and print it. It is shown this once: only its digest is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="the user the token acts as")
        parser.add_argument("--name", required=True, help="what the token is for, at most 100 characters")
        parser.add_argument("--days", type=int, help="days until it expires; without it, it never does")

    def handle(self, *args: Any, username: str, name: str, days: int | None, **options: Any) -> None:
        user, lifetime = _user(username), _lifetime(days)
        if not 1 <= len(name.strip()) <= 100:
            raise CommandError("--name must have 1 to 100 characters.")
        token = tokens.create(user=user, name=name.strip(), now=database_now(), lifetime=lifetime)
        self.stderr.write(f"Token {token.row} for {username}, {_expiry(days)}. Not shown again; send it as `Authorization: Bearer …`.")
        self.stdout.write(token.secret)


def _user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user named {username!r}. Make one with `manage.py createsuperuser`, then try again.")
    if not user.is_active:
        raise CommandError(f"The user {username!r} is not active, so a token for it would be refused.")
    return user


def _lifetime(days: int | None) -> timedelta | None:
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise CommandError(f"--days must be a whole number from 1 to {MAX_DAYS}.")
    return timedelta(days=days) if days else None


def _expiry(days: int | None) -> str:
    return f"valid for {days} days" if days else "valid until it is deleted"
