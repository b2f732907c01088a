"""One e-mail through Django's backend, in a thread of its own: the mail protocol blocks."""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from workflows_app.actions.base import Context, Fail, Retry
from workflows_app.actions.http_exchange import shortest

DEADLINE_SECONDS = 30.0


async def send(*, to: Sequence[str], subject: str, body: str, context: Context) -> None:
    """Hand it to the mail server. Raises Retry when that is away or busy, Fail when it refuses or none is set up."""
    _require_set_up()
    message = EmailMessage(subject, body, to=list(to), headers={"Message-ID": message_id(context.idempotency_key)})
    seconds = shortest(DEADLINE_SECONDS, context.timeout_seconds)
    try:
        await asyncio.to_thread(_hand_over, message, seconds)
    except (smtplib.SMTPException, OSError) as error:
        raise _judged(error) from None
    context.log(f"E-mail sent to {len(to)} {'address' if len(to) == 1 else 'addresses'}")


def message_id(key: str) -> str:
    """The same for every attempt of a step, so that a mailbox can tell a repetition."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@hybrid-engine>"


def _require_set_up() -> None:
    for name, value in (("EMAIL_HOST", settings.EMAIL_HOST), ("EMAIL_FROM", settings.DEFAULT_FROM_EMAIL)):
        if not value:
            raise Fail(f"E-mail is not set up: the setting {name} is empty")


def _hand_over(message: EmailMessage, seconds: float | None) -> None:
    message.connection = get_connection(timeout=seconds)
    message.send()


def _judged(error: Exception) -> Retry | Fail:
    """RFC 5321, 4.2.1: codes from 400 to 499 are for now, from 500 up for good."""
    where = f"The mail server {settings.EMAIL_HOST}"
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return Retry(f"{where} did not answer in time", kind="timeout")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        address, (code, reply) = next(iter(error.recipients.items()))
        return _refused(f"{where} does not take mail for {address}", code, reply)
    if isinstance(error, smtplib.SMTPResponseException):
        return _refused(f"{where} refused", error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Fail(f"{where}: {error}")
    return Retry(f"{where} cannot be reached: {error}", kind="connection")


def _refused(said: str, code: int, reply: bytes | str) -> Retry | Fail:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return Retry(f"{said}: {code} {text}", kind="connection") if 400 <= code < 500 else Fail(f"{said}: {code} {text}")
