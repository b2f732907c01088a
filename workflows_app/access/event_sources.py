"""Event sources: senders of signed webhooks. A signing secret is shown once, when it is made."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

from workflows_app.access.webhooks import MARK, NAME, key_of
from workflows_app.models import EventSource

LEAST_BYTES, MOST_BYTES = 24, 64  # what standardwebhooks.com asks for


class InvalidSource(ValueError):
    """A name that an address cannot hold, a taken one, or a secret that is none. It never shows the secret."""


@dataclass(frozen=True, slots=True)
class NewSource:
    """`secret` is what the sender signs with."""

    row: EventSource
    secret: str


def create(*, name: str, now: datetime, secret: str = "", is_active: bool = True) -> NewSource:
    """A source with this secret, which the sender gave, or with one made here. Raises InvalidSource."""
    if not NAME.fullmatch(name):
        raise InvalidSource(f"The name {name[:120]!r} is not allowed: use 1 to 100 letters, digits, - and _.")
    secret = secret or new_secret()
    check_secret(secret)
    row, is_new = EventSource.objects.get_or_create(
        name=name, defaults={"signing_secret": secret, "is_active": is_active, "created_at": now}
    )
    if not is_new:
        raise InvalidSource(f"There is already a source named {name!r}.")
    return NewSource(row, secret)


def change(*, source: EventSource, secret: str = "", make_new: bool = False) -> str:
    """Keep `is_active`, and a secret that the sender gave or that is made here; the one made, if any. Raises InvalidSource."""
    made = new_secret() if make_new and not secret else ""
    if secret:
        check_secret(secret)
    changes = {"signing_secret": secret or made} if secret or made else {}
    EventSource.objects.filter(pk=source.pk).update(is_active=source.is_active, **changes)
    return made


def new_secret() -> str:
    return MARK + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """Raises InvalidSource."""
    try:
        key = key_of(secret)
    except ValueError:
        key = b""
    if not (secret.startswith(MARK) and LEAST_BYTES <= len(key) <= MOST_BYTES):
        raise InvalidSource(f"A signing secret is {MARK} and base64 of {LEAST_BYTES} to {MOST_BYTES} bytes.")
