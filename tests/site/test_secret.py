"""The key made at first start."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hybrid_site import secret


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret_key"
    made = secret.from_file(path)
    assert len(made) >= 64
    assert secret.from_file(path) == made


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    secret.from_file(tmp_path / "data" / "secret_key")
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_two_installations_differ(tmp_path: Path) -> None:
    assert secret.from_file(tmp_path / "one") != secret.from_file(tmp_path / "other")


def test_processes_that_start_at_once_agree_on_one(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: secret.from_file(path), range(64)))
    assert len(found) == 1
    assert [left.name for left in tmp_path.iterdir()] == ["secret_key"]
