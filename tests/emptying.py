"""What a test that commits leaves behind is removed in a moment: most of its tables are empty, and Django's `flush` is for all of them."""

from __future__ import annotations

from functools import cache

from django.db import connections, transaction
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission"}  # what `flush` would have to make again


def in_a_moment() -> None:
    """Instead of a `flush` after each test, for the whole run."""
    TransactionTestCase._fixture_teardown = _empty_each  # type: ignore[attr-defined]


def _empty_each(case: TransactionTestCase) -> None:
    for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        empty(alias)


def empty(alias: str) -> None:
    """Foreign keys are checked at the commit, so in any order."""
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in _tables(alias)))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")


@cache
def _tables(alias: str) -> tuple[str, ...]:
    found = connections[alias].introspection.django_table_names(only_existing=True, include_views=False)
    return tuple(sorted(set(found) - KEPT))
