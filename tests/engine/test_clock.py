"""The database's clock, carried by the monotonic one between two looks at it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tests.engine.stage import Stage, node
from workflows_app.engine import loop
from workflows_app.engine.clock import Clock, database_now


def test_it_goes_on_from_where_it_was_set_as_the_monotonic_clock_does() -> None:
    clock, then = Clock(), datetime(2001, 1, 1, tzinfo=UTC)
    began = time.monotonic()
    clock.set(then)
    passed = clock.now() - then
    assert timedelta(0) <= passed <= timedelta(seconds=time.monotonic() - began)


def test_it_never_goes_back() -> None:
    clock = Clock()
    looks = [clock.now() for _ in range(1000)]
    assert looks == sorted(looks)


@pytest.mark.django_db
def test_the_databases_time_is_aware_and_about_now() -> None:
    found = database_now()
    assert found.tzinfo is not None and abs(found - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.django_db
def test_the_databases_time_goes_on_within_a_transaction() -> None:
    """On PostgreSQL now() would stand still at its begin."""
    assert connection.in_atomic_block
    first = database_now()
    assert database_now() > first or connection.vendor == "sqlite"


def test_a_worker_whose_clock_fell_behind_sets_it_before_it_looks(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The monotonic clock stands still while a laptop sleeps; what is started after it woke would not seem due for hours."""
    monkeypatch.setattr(loop, "LINGER_SECONDS", 0)
    workflow = stage.start(node("a"))
    stage.worker.clock.set(stage.now - timedelta(hours=8))
    loop.drain()
    workflow.refresh_from_db()
    assert workflow.status == "COMPLETED"
