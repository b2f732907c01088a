"""What the chaos tests share: a printed seed, a scale (1 in CI, more in a soak), and the marker `chaos`."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.processes.conftest import workers

__all__ = ["workers"]
TOGETHER = ("test_r0_", "test_r3_", "test_r4_", "test_r5_", "test_r11_", "test_r12_pruning", "test_r15_")
"""Their work is mostly waiting, and no bound of theirs is near: two may run beside each other. All others are marked `alone`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.chaos)
            if not item.path.name.startswith(TOGETHER):
                item.add_marker(pytest.mark.alone)


@pytest.fixture(scope="session")
def scale() -> float:
    """How much longer than in CI; `CHAOS_SCALE` of a soak."""
    return float(os.environ.get("CHAOS_SCALE", "1"))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Printed, and given again by `CHAOS_SEED=… pytest tests/chaos/…`: the same dice fall."""
    number = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10**9))
    print(f"{request.node.nodeid} CHAOS_SEED={number}")
    return number


@pytest.fixture
def dice(seed: int) -> random.Random:
    return random.Random(seed)
