"""The doorbell: rung after a commit, heard beside, lost without harm."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflows_app.engine import doorbell, site


@pytest.fixture(params=["short", "long"])
def place(request: pytest.FixtureRequest, tmp_path: Path, settings) -> Iterator[Path]:  # type: ignore[no-untyped-def]
    """A data directory of its own; a long one has a path that no socket address can hold."""
    settings.DATA_DIR = tmp_path / ("d" if request.param == "short" else "/".join(["x" * 60] * 4))
    site.run_directory.cache_clear()
    site.site_id.cache_clear()
    yield site.run_directory()
    site.run_directory.cache_clear()
    site.site_id.cache_clear()


@pytest.fixture
def bell(place: Path) -> Iterator[doorbell.Bell]:
    found = doorbell.Bell()
    yield found
    found.close()


def test_a_ring_is_heard_and_says_what_was_said(bell: doorbell.Bell) -> None:
    assert bell.wait(0) is False
    doorbell.ring_here("stop")
    doorbell.ring_here()
    assert bell.clear() == {"stop", ""}
    assert bell.wait(0) is False


def test_a_ring_ends_a_wait_at_once(bell: doorbell.Bell) -> None:
    began = time.monotonic()
    ringer = threading.Thread(target=doorbell.ring_here)
    ringer.start()
    assert bell.wait(20) is True and time.monotonic() - began < 10
    ringer.join()


def test_everybody_who_listens_hears_it(bell: doorbell.Bell) -> None:
    others = [doorbell.Bell() for _ in range(3)]
    doorbell.ring_here()
    assert [each.wait(0) for each in (bell, *others)] == [True] * 4
    for each in others:
        each.close()


def test_a_full_bell_does_not_hold_up_who_rings(bell: doorbell.Bell) -> None:
    for _ in range(3000):
        doorbell.ring_here()
    assert bell.wait(0) is True and bell.wait(0) is False


def test_the_bell_of_a_dead_process_is_removed_at_the_next_ring(place: Path, bell: doorbell.Bell) -> None:
    dead = doorbell.Bell()
    dead.socket.close()
    assert dead.path.exists()
    doorbell.ring_here()
    assert not dead.path.exists() and bell.path.exists() and bell.wait(0)


def test_ringing_where_nobody_listens_is_nothing(place: Path) -> None:
    doorbell.ring_here()


def test_a_closed_bell_leaves_no_file(place: Path) -> None:
    bell = doorbell.Bell()
    bell.close()
    assert list(place.glob("*.bell")) == []


def test_the_place_has_one_name_for_all_its_processes(place: Path) -> None:
    first = site.site_id()
    site.site_id.cache_clear()
    assert site.site_id() == first and len(first) == 32
    assert [path.name for path in place.iterdir()] == ["site_id"]


def test_of_many_who_name_a_new_place_at_once_one_wins(place: Path) -> None:
    barrier, found = threading.Barrier(8), []

    def name() -> None:
        barrier.wait(10)
        found.append(site.site_id.__wrapped__())

    threads = [threading.Thread(target=name) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_the_place_is_closed_to_others(place: Path) -> None:
    assert place.stat().st_mode & 0o077 == 0
