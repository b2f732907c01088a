"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from hybrid_site import middleware
from tests import emptying, factories
from workflows_app.catalog import triggers
from workflows_app.dashboard import kept
from workflows_app.engine import crier
from workflows_app.engine.report import graphs, throughput, usual


@pytest.fixture
def now() -> datetime:
    return factories.NOW


@pytest.fixture
def server_mode(settings: Any) -> None:
    """As with MODE=server. Make clients after it."""
    settings.IS_LOCAL = False
    settings.MIDDLEWARE = middleware.chain(is_local=False)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The test database cannot be dropped while the crier is connected to it."""
    emptying.in_a_moment()
    yield
    crier.rest()


@pytest.fixture(autouse=True)
def _forget_graphs() -> Iterator[None]:
    """Kept graphs would hide a query from tests that count them; kept versions and times have the ids of rows that were rolled back."""
    graphs._kept.clear()
    throughput.forget()
    usual._steps_of.cache_clear()
    triggers._known = {}
    yield


@pytest.fixture(autouse=True)
def _keep_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pages may show a moment late would be late in tests."""
    monkeypatch.setattr(kept, "SECONDS", 0.0)
