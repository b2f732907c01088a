"""Column types of our own."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class RowId(models.BigAutoField):  # type: ignore[type-arg]  # not generic at run time
    """A key that on SQLite is the plain rowid. Django's AUTOINCREMENT keeps a counter in a table of its own, one more page
    for every commit to write; it only matters for keys that must not be used again after a delete, and these never leave."""

    def db_type_suffix(self, connection: BaseDatabaseWrapper) -> str | None:
        return None if connection.vendor == "sqlite" else super().db_type_suffix(connection)


class CannotDecrypt(ValueError):
    """A stored secret was encrypted with a key that this installation does not have."""

    def __init__(self) -> None:
        super().__init__("a stored secret cannot be decrypted: SECRETS_KEY (or secrets_key in DATA_DIR) is not the one it was kept with")


class EncryptedText(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """Text that is encrypted in the database (Fernet) with the first of `settings.SECRETS_KEYS`; the others still decrypt."""

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None else _cipher().encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, expression: object, connection: BaseDatabaseWrapper) -> str | None:
        """Raises CannotDecrypt."""
        try:
            return value if value is None else _cipher().decrypt(value.encode()).decode()
        except InvalidToken:
            raise CannotDecrypt from None


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SECRETS_KEYS])
