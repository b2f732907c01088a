"""Signed webhooks (standardwebhooks.com): whether a message was sent by who knows the secret of its source, just now."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from workflows_app.models import EventSource

MARK = "whsec_"
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
TOLERANCE_SECONDS = 300
MAX_ID_CHARACTERS = 255
NOBODYS_KEY = b"there is no such source"


class BadSignature(ValueError):
    """The message cannot be trusted. It does not say why: a stranger must not learn which sources there are."""

    def __init__(self) -> None:
        super().__init__("The source is unknown, or the signature, the time or the id of the message is not right.")


def verify(*, source: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The message's id. Raises BadSignature for an unknown or inactive source, a signature that the body does not have, and a
    time more than five minutes away."""
    row = EventSource.objects.filter(name=source, is_active=True).first() if NAME.fullmatch(source) else None
    key = key_of(row.signing_secret) if row else NOBODYS_KEY
    message, sent_at, signatures = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    is_signed = _has(signatures, sign(key=key, message=message, sent_at=sent_at, body=body))
    if not (row and is_signed and _is_now(sent_at, now) and _is_id(message)):
        raise BadSignature
    return message


def sign(*, key: bytes, message: str, sent_at: str, body: bytes) -> bytes:
    """The signature of a message, as its header has it."""
    signed = b".".join([message.encode("utf-8", "replace"), sent_at.encode("utf-8", "replace"), body])
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


def key_of(secret: str) -> bytes:
    """The key in a secret, which is `whsec_` and base64. Raises ValueError for another text."""
    try:
        return base64.b64decode(secret.removeprefix(MARK), validate=True)
    except binascii.Error:
        raise ValueError(f"a signing secret is {MARK} and base64") from None


def _has(signatures: str, wanted: bytes) -> bool:
    """While a secret is changed, a sender signs with both: one of several separated by blanks has to be right."""
    return any([hmac.compare_digest(given.encode("utf-8", "replace"), wanted) for given in signatures.split()])


def _is_now(sent_at: str, now: datetime) -> bool:
    is_number = sent_at.isascii() and sent_at.isdecimal() and len(sent_at) <= 12
    return is_number and abs(now.timestamp() - int(sent_at)) <= TOLERANCE_SECONDS


def _is_id(message: str) -> bool:
    return 1 <= len(message) <= MAX_ID_CHARACTERS and message.isascii() and message.isprintable()
