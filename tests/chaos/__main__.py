"""`python -m tests.chaos --minutes 30`: the chaos suite again and again, on both databases, and one table of what it came to."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from tests import with_postgres
from tests.chaos import rounds, table

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
DATABASES = {"both": ("sqlite", "postgres"), "sqlite": ("sqlite",), "postgres": ("postgres",)}
TAIL_LINES = 60


class Soak:
    """Rounds until the time is over, each to its end; then whether each guard is missed when it is taken away."""

    def __init__(self, arguments: argparse.Namespace, ledger: Path) -> None:
        self.arguments, self.ledger = arguments, ledger
        self.seed = arguments.seed if arguments.seed is not None else SystemRandom().randrange(10**9)
        self.began, self.began_at = time.monotonic(), datetime.now(UTC)
        self.results: list[rounds.Result] = []
        self.mutations: Any = None
        self.is_interrupted = False

    def run(self) -> None:
        try:
            self._storm()
            if self.arguments.mutations:
                self._mutate()
        except KeyboardInterrupt:
            self.is_interrupted = True
            print("Interrupted: what was seen until now follows.", flush=True)

    @property
    def minutes(self) -> float:
        return (time.monotonic() - self.began) / 60

    @property
    def failures(self) -> list[dict[str, str]]:
        return [
            {"test": test, "again": result.round.repeat(test) if "::" in test else result.round.repeat("")}
            for result in self.results
            for test in result.failures
        ]

    @property
    def is_good(self) -> bool:
        rows = table.rows(table.read(self.ledger))
        missed = self.mutations is not None and not self.mutations["passed"]
        return not (self.failures or missed or self.is_interrupted) and bool(rows) and all(row.is_clean for row in rows)

    def report(self) -> dict[str, Any]:
        entries = table.read(self.ledger)
        return {
            "began": self.began_at.isoformat(timespec="seconds"), "minutes": round(self.minutes, 1), "seed": self.seed,
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
            "databases": list(DATABASES[self.arguments.database]), "rounds": len(self.results), "passed": self.is_good,
            "fault_steps": table.fault_steps(entries), "rows": table.as_json(table.rows(entries)),
            "failures": self.failures, "mutations": self.mutations,
        }  # fmt: skip

    def _storm(self) -> None:
        plan = rounds.schedule(DATABASES[self.arguments.database], scale=self.arguments.scale, dice=Random(self.seed))
        for round in plan:
            if self.results and self.minutes >= self.arguments.minutes:
                return
            self._say(rounds.run(round, self.ledger))

    def _say(self, result: rounds.Result) -> None:
        self.results.append(result)
        steps = table.fault_steps(table.read(self.ledger))
        word = "FAILED" if result.failures else "ok"
        print(
            f"{self.minutes:6.1f} min  {result.round.name}  {result.seconds:6.1f} s  {word:<6}  {steps:>9,} steps under faults", flush=True
        )
        if result.failures:
            print("\n".join(result.said.splitlines()[-TAIL_LINES:]))
            for failure in self.failures[-len(result.failures) :]:
                print(f"  {failure['test']}\n  again: {failure['again']}", flush=True)

    def _mutate(self) -> None:
        """The suite has to fail when a guard is taken out of the product."""
        out = self.ledger.with_name("mutations.json")
        child = subprocess.Popen([sys.executable, "-m", "tests.chaos.mutations", "--json", str(out)], cwd=PAGE.parents[1])
        try:
            code = child.wait()
        except KeyboardInterrupt:
            child.wait(rounds.PATIENCE_SECONDS)  # Ctrl-C reached it, too: it puts the guard back
            raise
        self.mutations = {"passed": code == 0, "result": json.loads(out.read_text()) if out.exists() else None}
        print(f"{self.minutes:6.1f} min  guards taken away one by one: {'each is missed' if code == 0 else 'FAILED'}", flush=True)


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="no round begins after so many; 30 by default")
    parser.add_argument("--database", choices=DATABASES, default="both")
    parser.add_argument(
        "--scale", type=float, default=5, help="how much longer than in CI the storms are after the first pass; 5 by default"
    )
    parser.add_argument("--seed", type=int, help="throw the dice of an earlier run again")
    parser.add_argument("--out", type=Path, help="write the result as JSON here")
    parser.add_argument("--write-docs", action="store_true", help=f"put the table between the markers of {PAGE.name}")
    parser.add_argument("--no-mutations", dest="mutations", action="store_false", help="leave the mutation check out")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    arguments = parse(words)
    if arguments.database != "sqlite" and with_postgres.binaries() is None:
        print("There is no PostgreSQL server on this machine: install the package postgresql, or give --database sqlite", file=sys.stderr)
        return 2
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # a shell starts what it runs in the background deaf to Ctrl-C, and children inherit that
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="hybrid-soak-") as place:
        soak = Soak(arguments, Path(place) / "ledger.jsonl")
        print(f"Soak of {arguments.minutes:g} minutes, seed {soak.seed}", flush=True)
        soak.run()
        return _tell(soak, arguments, print)


def _tell(soak: Soak, arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    found, result = table.rows(table.read(soak.ledger)), soak.report()
    say(f"\n{table.plain(found)}\n\n{result['fault_steps']:,} steps under faults in {result['minutes']} minutes")
    for failure in soak.failures:
        say(f"FAILED {failure['test']}\n  again: {failure['again']}")
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    if arguments.write_docs and not soak.is_interrupted:
        table.write_between_markers(PAGE, _page(result, table.markdown(found)))
    say("Passed." if soak.is_good else "FAILED.")
    return 0 if soak.is_good else 1


def _page(result: dict[str, Any], rows: str) -> str:
    head = f"{result['began'][:10]}, {result['machine']}: {result['minutes']} minutes, {result['rounds']} rounds"
    text = f"{head}, {result['fault_steps']:,} steps in runs with faults, {len(result['failures'])} failures.\n\n{rows}"
    verdicts = (result["mutations"] or {}).get("result")
    return f"{text}\n\n{table.guards(verdicts)}" if verdicts else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
