"""One round of a soak: one file of the chaos suite on one database, in a process of its own that leaves nothing behind."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

from tests import tether
from tests.processes import group

SUITE = Path(__file__).parent
MARK = "CHAOS_ROUND"
MOST_SECONDS = 1800.0
PATIENCE_SECONDS = 60.0
WHOLE_AGAIN = 10
STORMS = ("test_r1_kills.py", "test_r4_leaving.py", "test_r5_pauses.py")
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Round:
    number: int
    file: str
    database: str
    scale: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.number:>3}  {self.database:<8}  {self.file.removesuffix('.py'):<24}  scale {self.scale:g}"

    def command(self, test: str = "") -> list[str]:
        pytest = ["-m", "pytest", test or f"tests/chaos/{self.file}", "-rfE", "-s"]
        return [sys.executable, *(["-m", "tests.with_postgres", sys.executable] if self.database == "postgres" else []), *pytest]

    def repeat(self, test: str) -> str:
        """What to type to see it again: the same dice fall."""
        return f"CHAOS_SEED={self.seed} CHAOS_SCALE={self.scale:g} {shlex.join(self.command(test))}"


@dataclass(frozen=True)
class Result:
    round: Round
    seconds: float
    failures: list[str]
    said: str


def schedule(databases: Sequence[str], *, scale: float, dice: Random) -> Iterator[Round]:
    """The whole suite on each database as CI runs it; then the storms, `scale` times as long, and now and then the whole again."""
    whole = sorted(path.name for path in SUITE.glob("test_r*.py"))
    for number in count():
        is_whole = number % WHOLE_AGAIN == 0
        for file in whole if is_whole else [name for name in STORMS if name in whole]:
            for database in databases:
                yield Round(number + 1, file, database, 1 if is_whole else scale, dice.randrange(10**9))


def run(round: Round, ledger: Path) -> Result:
    """Run it to its end. Whatever happens, KeyboardInterrupt too, no process of it stays; one that had to be ended is a failure."""
    began, mark = time.monotonic(), f"{os.getpid()}-{time.monotonic_ns()}"
    with tempfile.TemporaryDirectory(prefix="hybrid-soak-") as place, (Path(place) / "said").open("w+b") as said:
        child = tether.popen(
            round.command(),
            cwd=SUITE.parents[1],
            env=_environment(round, place, ledger, mark),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            code = _wait(child)
        finally:
            left = _clear(child, mark)
        text = (Path(place) / "said").read_text(errors="replace")
    failures = FAILED.findall(text) or ([f"tests/chaos/{round.file}"] if code not in (0, 5) else [])
    failures += [f"tests/chaos/{round.file} left {left} processes behind"] if left else []
    return Result(round, time.monotonic() - began, failures, text)


def _environment(round: Round, place: str, ledger: Path, mark: str) -> dict[str, str]:
    outer = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    chaos = {"CHAOS_SEED": str(round.seed), "CHAOS_SCALE": str(round.scale), "CHAOS_LEDGER": str(ledger)}
    return {**outer, **chaos, "DATA_DIR": place, MARK: mark}


def _wait(child: subprocess.Popen[bytes]) -> int | None:
    try:
        return child.wait(MOST_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _clear(child: subprocess.Popen[bytes], mark: str) -> int:
    """Ask a round that still runs to end, as Ctrl-C would; kill what is left, and say how many that were."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            child.wait(PATIENCE_SECONDS)
    left = group.marked(f"{MARK}={mark}")
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    child.wait(PATIENCE_SECONDS)
    return len(left)
