"""docs/limits.md is true: each number is the code's, each text is one that somebody can read."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from hybrid_site.env import Env

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r'^\| (.+?) \| ([\d,]+)[^|]* \| `([\w.]+)` \| "(.+?)" \|$', (ROOT / "docs/limits.md").read_text(), re.MULTILINE)
SOURCE = "\n".join(path.read_text() for path in (ROOT / "workflows_app").rglob("*.py"))


def test_every_row_of_the_table_is_read() -> None:
    lines = [line for line in (ROOT / "docs/limits.md").read_text().splitlines() if line.startswith("| ")]
    assert len(ROWS) == len(lines) - 2


@pytest.mark.parametrize(("what", "number", "name", "text"), ROWS, ids=[row[0] for row in ROWS])
def test_a_limit_is_what_the_page_says(what: str, number: str, name: str, text: str) -> None:
    if name.isupper():
        value = Env.model_fields[name.lower()].default
    else:
        module, _, constant = name.rpartition(".")
        value = getattr(importlib.import_module(f"workflows_app.{module}"), constant)
    assert value == int(number.replace(",", ""))
    assert text in SOURCE, f"nobody says {text!r}"


def test_no_setting_for_a_limit_is_missing() -> None:
    told = {name for _, _, name, _ in ROWS}
    of_the_host = {"MAX_PARALLEL_NODES", "MAX_PARALLEL_IO", "MAX_CONCURRENT_WORKFLOWS"}
    assert {name.upper() for name in Env.model_fields if name.startswith("max_")} - of_the_host <= told
