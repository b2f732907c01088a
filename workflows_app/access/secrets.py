"""Stored secrets: put, listed by name, deleted, encrypted anew. Their values are read by steps only (engine/secret_values.py)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from workflows_app.graph.names import STEP_ID
from workflows_app.models import EventSource, Secret

MAX_NAME_CHARACTERS = 100
MAX_VALUE_CHARACTERS = 50_000


class InvalidSecret(ValueError):
    """A name that `secrets.NAME` could not say, or a value that cannot be kept. It never shows the value."""


class UnknownSecret(LookupError):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no secret named {name[:100]!r}. `manage.py secrets list` shows the names.")


def put(*, name: str, value: str, now: datetime) -> bool:
    """Keep a value under this name, in place of an earlier one; whether it is a new name. Raises InvalidSecret."""
    check_name(name)
    check_value(value)
    changed = Secret.objects.filter(name=name).update(value=value, updated_at=now)
    if not changed:
        Secret.objects.update_or_create(name=name, defaults={"value": value, "updated_at": now}, create_defaults=_new(value, now))
    return not changed


def check_name(name: str) -> None:
    """Raises InvalidSecret."""
    if not (STEP_ID.fullmatch(name) and len(name) <= MAX_NAME_CHARACTERS):
        raise InvalidSecret(f"The name {name[:120]!r} is not allowed: use 1 to {MAX_NAME_CHARACTERS} letters, digits, _ and -, no - first.")


def check_value(value: str) -> None:
    """Raises InvalidSecret."""
    if not value:
        raise InvalidSecret("The value is empty. To remove a secret, delete it.")
    if len(value) > MAX_VALUE_CHARACTERS or "\0" in value:
        raise InvalidSecret(f"The value must have {MAX_VALUE_CHARACTERS:,} characters at most, and no NUL.")


def delete(*, name: str) -> None:
    """Steps that name it fail from now on. Raises UnknownSecret."""
    if not Secret.objects.filter(name=name).delete()[0]:
        raise UnknownSecret(name)


def names() -> list[str]:
    return list(Secret.objects.order_by("name").values_list("name", flat=True))


def rotate() -> int:
    """Encrypt every stored secret, those of event sources too, with the first of the keys; how many. All or none. Afterwards the
    other keys are needed no more. Raises CannotDecrypt when one was kept with a key that is not there."""
    with transaction.atomic():
        stored = list(Secret.objects.select_for_update())
        sources = list(EventSource.objects.select_for_update())
        for secret in stored:
            Secret.objects.filter(pk=secret.pk).update(value=secret.value)
        for source in sources:
            EventSource.objects.filter(pk=source.pk).update(signing_secret=source.signing_secret)
    return len(stored) + len(sources)


def _new(value: str, now: datetime) -> dict[str, object]:
    return {"value": value, "created_at": now, "updated_at": now}
