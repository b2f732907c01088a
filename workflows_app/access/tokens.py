"""API tokens: made once, shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q

from workflows_app.models import ApiToken

MARK = "he_"
PREFIX_LENGTH = 11
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewToken:
    """`secret` is what the caller sends; it is nowhere kept."""

    row: ApiToken
    secret: str


def create(*, user: User, name: str, now: datetime, lifetime: timedelta | None = None) -> NewToken:
    """A token that acts as this user; without a lifetime it never expires."""
    secret = MARK + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        digest=_digest(secret),
        created_at=now,
        expires_at=now + lifetime if lifetime else None,
    )
    return NewToken(row, secret)


def authenticate(*, secret: str, now: datetime) -> User | None:
    """The active user of a token that has not expired; None for any other."""
    not_expired = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    token = ApiToken.objects.select_related("user").filter(not_expired, digest=_digest(secret), user__is_active=True).first()
    if token is None:
        return None
    _note_use(token, now)
    return token.user


def _note_use(token: ApiToken, now: datetime) -> None:
    """At most once a minute, so that reading with a token does not write each time."""
    if token.last_used_at is None or token.last_used_at <= now - USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
