"""What the engine's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.engine import tasks
from tests.engine.stage import Stage


@pytest.fixture
def stage(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("TASK_MODULES", "tests.engine.tasks")  # for steps that run in a process of their own
    tasks.forget()
    yield Stage()
    tasks.forget()


@pytest.fixture
def refusing(transactional_db: None) -> Iterator[str]:
    """An output that the database will not take, as a full column or an unforeseen constraint would not."""
    word, step = "poison", "workflows_app_step"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            refuse = f"WHEN NEW.output LIKE '%{word}%' BEGIN SELECT RAISE(ABORT, 'refused by the test'); END"
            cursor.execute(f"CREATE TRIGGER refuse BEFORE UPDATE ON {step} {refuse}")
            undo = "DROP TRIGGER refuse"
        else:
            cursor.execute(f"ALTER TABLE {step} ADD CONSTRAINT refuse CHECK (output::text NOT LIKE '%{word}%')")
            undo = f"ALTER TABLE {step} DROP CONSTRAINT refuse"
    yield word
    with connection.cursor() as cursor:
        cursor.execute(undo)
