"""What a chaos run came to: one JSON line per case, for the table of docs/reliability.md."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from django.db import connection


@dataclass(frozen=True)
class Entry:
    """`fault` is the row of docs/reliability.md (R1, R2, ...). `lost`, `twice` and `frozen` were counted by the oracle; `seconds` and
    `undisturbed_seconds` compare the same work with and without the fault, where that means something."""

    fault: str
    case: str
    steps: int
    faults: int = 0
    lost: int = 0
    twice: int = 0
    frozen: int = 0
    seconds: float = 0.0
    undisturbed_seconds: float | None = None
    figures: str = ""


def note(entry: Entry) -> None:
    """Print the entry and append it to the file that CHAOS_LEDGER names."""
    line = json.dumps({"database": connection.vendor, **asdict(entry)})
    print(line)
    if path := os.environ.get("CHAOS_LEDGER"):
        with Path(path).open("a") as ledger:
            ledger.write(line + "\n")
