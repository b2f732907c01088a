"""SQLite as the product opens it: durable through a power cut, readable while somebody writes."""

from __future__ import annotations

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="about SQLite"),
]


def _pragma(name: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


def test_every_commit_is_flushed() -> None:
    assert (_pragma("journal_mode"), _pragma("synchronous")) == ("wal", 2)


def test_a_writer_takes_its_turn_instead_of_failing() -> None:
    assert connection.transaction_mode == "IMMEDIATE"
    assert _pragma("busy_timeout") >= 10_000
