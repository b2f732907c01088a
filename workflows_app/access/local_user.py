"""The one user of local mode."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

NAME = "local"


def local_user() -> User:
    """The superuser `local`, made if it is missing. Nobody can log in as it: it has no password.
    Two processes that make it at once get the same row, for user names are unique."""
    values = {"is_staff": True, "is_superuser": True, "password": make_password(None)}
    user, _ = User.objects.get_or_create(username=NAME, defaults=values)
    return user
