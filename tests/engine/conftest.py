"""What the engine's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine import tasks
from tests.engine.stage import Stage


@pytest.fixture
def stage(transactional_db: None) -> Iterator[Stage]:
    tasks.forget()
    yield Stage()
    tasks.forget()
