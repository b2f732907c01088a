"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests import factories
from workflows_app.engine.report import graphs


@pytest.fixture
def now() -> datetime:
    return factories.NOW


@pytest.fixture(autouse=True)
def _forget_graphs() -> Iterator[None]:
    """Kept graphs would hide a query from tests that count them."""
    graphs._kept.clear()
    yield
