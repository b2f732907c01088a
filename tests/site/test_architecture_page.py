"""docs/architecture.md names every module of the dashboard and of the engine, and none that is gone."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
NAMED = set(re.findall(r"`(?:[a-z_]+/)*([a-z_*]+\.py)`", PAGE))
APPLICATION = ROOT / "workflows_app"
OBVIOUS = {"__init__.py", "urls.py", "errors.py"}


def names(folder: str) -> set[str]:
    return {path.name for path in (APPLICATION / folder).glob("*.py")} - OBVIOUS


@pytest.mark.parametrize("folder", ["dashboard", "engine"])
def test_every_module_has_a_place_in_a_table(folder):
    assert {name for name in names(folder) if not any(fnmatch(name, named) for named in NAMED)} == set()


def test_every_module_that_is_named_is_there():
    there = {path.name for top in ("workflows_app", "hybrid_site", "tests") for path in (ROOT / top).rglob("*.py")} | {"manage.py", "x.py"}
    assert {named for named in NAMED if not any(fnmatch(name, named) for name in there)} == set()


def test_every_page_has_its_row():
    addresses = set(re.findall(r'path\("([a-z]+)", [a-z]+\.\1,', (APPLICATION / "dashboard" / "urls.py").read_text()))
    assert "workflows" in addresses
    assert {address for address in addresses if f"`/{address}`" not in PAGE} == set()
