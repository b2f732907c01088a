"""The table of a soak: the ledger's entries, one row for each case and database, as text and for docs/reliability.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

START, END = "<!-- soak -->", "<!-- /soak -->"
HEADINGS = ("fault", "case", "database", "runs", "steps", "faults", "lost", "twice", "frozen", "time against undisturbed", "figures")
Found = Mapping[str, Any]


class NoMarkers(ValueError):
    """The page has no place for the table; the message says what is missing."""


@dataclass(frozen=True)
class Row:
    """All runs of one case on one database. `slowdown` is the worst of them, `figures` are the last one's."""

    fault: str
    case: str
    database: str
    runs: int
    steps: int
    faults: int
    lost: int
    twice: int
    frozen: int
    slowdown: float | None
    figures: str

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.twice or self.frozen)

    def cells(self) -> tuple[str, ...]:
        slowdown = "" if self.slowdown is None else f"{self.slowdown:.2f}×"
        numbers = (self.runs, self.steps, self.faults, self.lost, self.twice, self.frozen)
        return (self.fault, self.case, self.database, *(f"{number:,}" for number in numbers), slowdown, self.figures)


def read(ledger: Path) -> list[Found]:
    return [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []


def rows(entries: Iterable[Found]) -> list[Row]:
    """Sorted by the number in the fault's name, then by case and database."""
    cases: dict[tuple[str, str, str], list[Found]] = {}
    for entry in entries:
        cases.setdefault((entry["fault"], entry["case"], entry["database"]), []).append(entry)
    return [_row(*key, found) for key, found in sorted(cases.items(), key=lambda item: (_number(item[0][0]), *item[0]))]


def fault_steps(entries: Iterable[Found]) -> int:
    """Steps of the runs in which something was broken on purpose."""
    return sum(entry["steps"] for entry in entries if entry["faults"])


def markdown(found: Sequence[Row]) -> str:
    lines = [_line(HEADINGS), _line(["---"] * len(HEADINGS)), *(_line(row.cells()) for row in found)]
    return "\n".join(lines)


def guards(verdicts: Iterable[Found]) -> str:
    """Which test noticed that a guard was taken out of the product."""
    names = ("guard", "database", "noticed_by")
    rows = [_line(("guard taken away", "database", "noticed by")), _line(["---"] * len(names))]
    return "\n".join([*rows, *(_line(str(verdict[name]) for name in names) for verdict in verdicts)])


def plain(found: Sequence[Row]) -> str:
    """For a terminal: columns as wide as what is in them."""
    table = [HEADINGS, *(row.cells() for row in found)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table)


def as_json(found: Sequence[Row]) -> list[dict[str, Any]]:
    return [asdict(row) for row in found]


def write_between_markers(page: Path, text: str) -> None:
    """Replace what stands between the markers. Raises NoMarkers."""
    before, start, rest = page.read_text().partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise NoMarkers(f"{page} has no lines {START} and {END}, between which the table would stand")
    page.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}")


def _row(fault: str, case: str, database: str, found: Sequence[Found]) -> Row:
    ratios = [entry["seconds"] / entry["undisturbed_seconds"] for entry in found if entry["undisturbed_seconds"]]
    steps, faults, lost, twice, frozen = (sum(entry[name] for entry in found) for name in ("steps", "faults", "lost", "twice", "frozen"))
    return Row(fault, case, database, len(found), steps, faults, lost, twice, frozen, max(ratios, default=None), found[-1]["figures"])


def _number(fault: str) -> int:
    digits = "".join(filter(str.isdigit, fault))
    return int(digits) if digits else 1000


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
