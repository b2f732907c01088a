"""Column types of our own."""

from __future__ import annotations

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class RowId(models.BigAutoField):  # type: ignore[type-arg]  # not generic at run time
    """A key that on SQLite is the plain rowid. Django's AUTOINCREMENT keeps a counter in a table of its own, one more page
    for every commit to write; it only matters for keys that must not be used again after a delete, and these never leave."""

    def db_type_suffix(self, connection: BaseDatabaseWrapper) -> str | None:
        return None if connection.vendor == "sqlite" else super().db_type_suffix(connection)
