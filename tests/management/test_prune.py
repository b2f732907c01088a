"""`manage.py prune` on a database file of its own: what goes, what is said, and that the file becomes smaller."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILL = """
from datetime import timedelta
from django.utils import timezone
from tests import factories
from workflows_app.graph.definition import Node
from workflows_app.models import LogLine
old = timezone.now() - timedelta(days={days})
for number in range({count}):
    workflow = factories.a_workflow(Node("a", "echo"), statuses={{"a": "COMPLETED"}}, ended_at=old)
    step = workflow.steps.get()
    LogLine.objects.bulk_create(LogLine(step=step, attempt=1, at=old, message="x" * 1000) for _ in range(100))
"""


def manage(place: Path, *words: str, ok: bool = True) -> str:
    values = {**os.environ, "DATA_DIR": str(place), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "hybrid_site.settings"}
    ended = subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=values, capture_output=True, text=True, check=False)
    assert (ended.returncode == 0) is ok, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site")
    manage(path, "migrate", "--verbosity", "0")
    return path


def fill(place: Path, *, days: int, count: int) -> None:
    manage(place, "shell", "--no-imports", "-c", FILL.format(days=days, count=count))


def file_of(place: Path) -> Path:
    return place / "hybrid.sqlite3"


def test_it_says_what_would_go_then_removes_it_and_the_file_shrinks(place: Path) -> None:
    fill(place, days=100, count=120)
    fill(place, days=10, count=1)
    before = file_of(place).stat().st_size
    would = "120 workflows, 120 steps, 12,000 log lines"
    assert manage(place, "prune", "--dry-run").strip() == f"Would remove {would}."
    said = manage(place, "prune")
    assert said.startswith("Removed ") and " MB smaller." in said
    assert "120 workflows, 120 steps, " in said and "12,000 log lines" in said
    assert file_of(place).stat().st_size < before / 3 and before > 14_000_000
    assert (place / "hybrid.sqlite3-wal").stat().st_size <= 64_000_000 if (place / "hybrid.sqlite3-wal").exists() else True
    assert manage(place, "prune", "--dry-run").strip() == "Would remove nothing."
    assert "Removed 1 workflow, 1 step, 100 log lines" in manage(place, "prune", "--older-than-days", "5")


@pytest.mark.parametrize("days", ["0", "-3", "x", "40000"])
def test_another_number_of_days_is_refused(place: Path, days: str) -> None:
    assert f"{days!r} is not a number of days from 1 to 36500" in manage(place, "prune", "--older-than-days", days, ok=False)


def test_while_somebody_else_prunes_it_says_so(place: Path) -> None:
    script = "from django.core.management import call_command; from workflows_app.engine import site; import subprocess, sys;"
    script += "site.hold('pruner'); print(subprocess.run([sys.executable, 'manage.py', 'prune'], capture_output=True, text=True).stderr)"
    assert "another process is pruning this database" in manage(place, "shell", "--no-imports", "-c", script)


def test_a_file_of_an_early_release_is_written_anew_once(tmp_path: Path) -> None:
    early = sqlite3.connect(tmp_path / "hybrid.sqlite3")
    early.execute("CREATE TABLE made_without_auto_vacuum (id)")
    early.close()
    manage(tmp_path, "migrate", "--verbosity", "0")
    fill(tmp_path, days=100, count=30)
    said = manage(tmp_path, "prune")
    assert "does not shrink: stop everything and run this with --vacuum once" in said and "smaller" not in said
    before = file_of(tmp_path).stat().st_size
    assert "The file was written anew" in manage(tmp_path, "prune", "--vacuum")
    assert file_of(tmp_path).stat().st_size < before / 2
    assert "does not shrink" not in manage(tmp_path, "prune")
    fill(tmp_path, days=100, count=100)
    assert "MB smaller." in manage(tmp_path, "prune")
    assert sqlite3.connect(file_of(tmp_path)).execute("PRAGMA integrity_check").fetchone() == ("ok",)
