"""Every package that is installed has its line in docs/dependencies.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LINE = re.compile(r"^([A-Za-z0-9._-]+)(\[[a-z]+\])?==([0-9][^\s]*)$")


def requirements(name: str) -> list[str]:
    lines = (line.strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_to_one_version(name: str) -> None:
    assert [line for line in requirements(name) if not LINE.match(line)] == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_listed_with_its_reason(name: str) -> None:
    listed = set(re.findall(r"[A-Za-z0-9._-]+", (ROOT / "docs" / "dependencies.md").read_text()))
    packages = {found[1] for line in requirements(name) if (found := LINE.match(line))}
    assert packages and packages - listed == set()
