"""The runner of a soak: its table, its schedule, and that a round leaves nothing behind and says how to repeat what failed."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import pytest

from tests.chaos import rounds, table
from tests.chaos.ledger import Entry
from tests.chaos.rounds import Round
from tests.processes.group import marked, until

ORPHAN = """
import os, subprocess, sys
sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleeper, start_new_session=True, env={**os.environ, "ORPHAN_OF": "%s"})
"""


@dataclass(frozen=True)
class Scripted(Round):
    """A round that runs this program instead of pytest."""

    program: str = ""

    def command(self, test: str = "") -> list[str]:
        return [sys.executable, "-c", self.program]


def scripted(program: str) -> Scripted:
    return Scripted(1, "test_r1_kills.py", "sqlite", 1, 7, program)


def entry(database: str = "sqlite", **values: object) -> dict[str, object]:
    return {"database": database, **asdict(Entry(**{"fault": "R1", "case": "kill", "steps": 10, **values}))}  # type: ignore[arg-type]


def test_runs_of_a_case_are_added_up_and_the_slowest_is_shown() -> None:
    found = table.rows([
        entry(faults=2, seconds=3.0, undisturbed_seconds=2.0, figures="first"),
        entry(faults=1, lost=1, seconds=5.0, undisturbed_seconds=2.0, figures="last"),
        entry("postgresql"),
        entry(fault="R10"), entry(fault="R2"),
    ])  # fmt: skip
    assert [(row.fault, row.database) for row in found] == [("R1", "postgresql"), ("R1", "sqlite"), ("R2", "sqlite"), ("R10", "sqlite")]
    assert found[1].cells() == ("R1", "kill", "sqlite", "2", "20", "3", "1", "0", "0", "2.50×", "last")
    assert [row.is_clean for row in found] == [True, False, True, True]


def test_only_steps_of_runs_with_faults_count_as_steps_under_faults() -> None:
    assert table.fault_steps([entry(faults=1, steps=500), entry(faults=0, steps=9_000)]) == 500


def test_the_page_gets_its_table_between_its_markers_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before\n<!-- soak -->\nold\n<!-- /soak -->\nAfter\n")
    table.write_between_markers(page, table.markdown(table.rows([entry(figures="a|b")])))
    text = page.read_text()
    assert text.startswith("Before\n<!-- soak -->\n\n| fault |") and text.endswith("\n\n<!-- /soak -->\nAfter\n")
    assert "a\\|b" in text and "old" not in text
    page.write_text("nothing")
    with pytest.raises(table.NoMarkers, match="<!-- soak -->"):
        table.write_between_markers(page, "")


def test_the_page_says_which_test_noticed_that_a_guard_was_gone() -> None:
    text = table.guards([{"guard": "the fence", "database": "sqlite", "noticed_by": "tests/x.py::test_y", "seconds": 1.0}])
    assert text.splitlines()[-1] == "| the fence | sqlite | tests/x.py::test_y |"


def test_the_whole_suite_comes_first_on_each_database_and_storms_are_longer() -> None:
    plan = rounds.schedule(["sqlite", "postgres"], scale=5, dice=Random(1))
    first = [next(plan)]
    while (following := next(plan)).number == 1:
        first.append(following)
    files = {path.name for path in rounds.SUITE.glob("test_r*.py")}
    assert {(round.file, round.database) for round in first} == {(file, database) for file in files for database in ("sqlite", "postgres")}
    assert {round.scale for round in first} == {1} and following.scale == 5 and following.file in rounds.STORMS
    assert len({round.seed for round in first}) == len(first)
    assert files >= set(rounds.STORMS)


def test_a_round_that_fails_names_its_tests_and_how_to_repeat_them(tmp_path: Path) -> None:
    result = rounds.run(scripted("print('FAILED tests/chaos/test_x.py::test_y[z] - why'); raise SystemExit(1)"), tmp_path / "ledger")
    assert result.failures == ["tests/chaos/test_x.py::test_y[z]"]
    again = Round(1, "test_x.py", "postgres", 5, 7).repeat(result.failures[0])
    assert (
        again.startswith("CHAOS_SEED=7 CHAOS_SCALE=5 ") and "tests.with_postgres" in again and "'tests/chaos/test_x.py::test_y[z]'" in again
    )


def test_a_round_that_breaks_without_a_word_is_a_failure(tmp_path: Path) -> None:
    assert rounds.run(scripted("raise SystemExit(3)"), tmp_path / "ledger").failures == ["tests/chaos/test_r1_kills.py"]
    assert rounds.run(scripted(""), tmp_path / "ledger").failures == []


def test_a_process_that_a_round_left_behind_is_ended_and_is_a_failure(tmp_path: Path) -> None:
    result = rounds.run(scripted(ORPHAN % tmp_path), tmp_path / "ledger")
    assert result.failures == ["tests/chaos/test_r1_kills.py left 1 processes behind"]
    until("it is gone", lambda: not marked(f"ORPHAN_OF={tmp_path}"))


def test_a_round_that_never_ends_is_ended_and_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST_SECONDS", 1.0)
    result = rounds.run(scripted("while True: pass"), tmp_path / "ledger")
    assert result.failures == ["tests/chaos/test_r1_kills.py"]
