"""Test the tests: remove one guard at a time from a copy of the product, and see that a test notices.

`python -m tests.chaos.mutations [--json FILE] [--only NAME]`; the exit code is 1 when a guard can be removed unnoticed."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.chaos.guards import GUARDS, Guard
from tests.with_postgres import NoPostgres, cluster

ROOT = Path(__file__).parents[2]
LEFT_BEHIND = shutil.ignore_patterns(".git", ".venv", "var", "node_modules", "__pycache__", ".*_cache", ".hypothesis")
AT_ONCE = 2
MOST_SECONDS = 150
NOTICED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
SURVIVED, NOBODY = "SURVIVED", "nobody could look"


class NotFound(ValueError):
    """The text of a guard does not stand exactly once in its file."""


@dataclass(frozen=True)
class Verdict:
    """`noticed_by` names the first test that failed, or says SURVIVED."""

    guard: str
    database: str
    noticed_by: str
    seconds: float

    @property
    def is_noticed(self) -> bool:
        return self.noticed_by not in (SURVIVED, NOBODY)


@dataclass(frozen=True)
class Place:
    """A copy of the product and a PostgreSQL cluster ("" without one), for one guard at a time."""

    tree: Path
    postgres: str

    def judge(self, guard: Guard, database: str) -> Verdict:
        began = time.monotonic()
        with self._without(guard):
            noticed_by = NOBODY if database == "postgres" and not self.postgres else self._first_failure(guard, database)
        return Verdict(guard.name, database, noticed_by, time.monotonic() - began)

    @contextmanager
    def _without(self, guard: Guard) -> Iterator[None]:
        file = self.tree / guard.file
        whole = file.read_text()
        file.write_text(weakened(guard, whole))
        try:
            yield
        finally:
            file.write_text(whole)

    def _first_failure(self, guard: Guard, database: str) -> str:
        """Tests that never end have noticed as well."""
        outer = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CHAOS_LEDGER", "CHAOS_SCALE")}
        with tempfile.TemporaryDirectory(prefix="hybrid-guard-") as data:
            environment = {**outer, "DATA_DIR": data, "PYTHONDONTWRITEBYTECODE": "1"}
            if database == "postgres":
                environment["DATABASE_URL"] = self.postgres
            command = [sys.executable, "-m", "pytest", "-x", "-rfE", "--tb=no", "--show-capture=no", *guard.tests]
            try:
                done = subprocess.run(
                    command, cwd=self.tree, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
                )
            except subprocess.TimeoutExpired:
                return f"no end within {MOST_SECONDS} s"
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{guard.name}: pytest did not run its tests:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        found = NOTICED.search(done.stdout)
        return found[1] if found else SURVIVED


def weakened(guard: Guard, whole: str) -> str:
    """The file without the guard. Raises NotFound."""
    if whole.count(guard.text) != 1:
        raise NotFound(f"{guard.name}: {guard.text!r} stands {whole.count(guard.text)} times in {guard.file}, not once")
    return whole.replace(guard.text, guard.instead)


def judge_all(guards: Sequence[Guard]) -> list[Verdict]:
    """In the order of the guards, AT_ONCE at the same time."""
    for guard in guards:
        weakened(guard, (ROOT / guard.file).read_text())
    with ExitStack() as stack:
        free: SimpleQueue[Place] = SimpleQueue()
        for _ in range(AT_ONCE):
            free.put(_place(stack, needs_postgres=any("postgres" in guard.databases for guard in guards)))

        def judge(one: tuple[Guard, str]) -> Verdict:
            place = free.get()
            try:
                verdict = place.judge(*one)
            finally:
                free.put(place)
            print(f"{verdict.seconds:6.1f} s  {verdict.database:<8}  {verdict.guard:<62}  {verdict.noticed_by}", flush=True)
            return verdict

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(judge, [(guard, database) for guard in guards for database in guard.databases]))


def _place(stack: ExitStack, *, needs_postgres: bool) -> Place:
    tree = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hybrid-tree-"))) / "tree"
    shutil.copytree(ROOT, tree, ignore=LEFT_BEHIND)
    url = ""
    if needs_postgres:
        try:
            url = stack.enter_context(cluster())
        except NoPostgres as error:
            print(error, file=sys.stderr)
    return Place(tree, url)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutations", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts there, too")
    parser.add_argument("--only", metavar="NAME", default="", help="only guards whose name holds this")
    given = parser.parse_args(arguments)
    verdicts = judge_all([guard for guard in GUARDS if given.only in guard.name])
    if given.json:
        given.json.write_text(json.dumps([asdict(verdict) for verdict in verdicts], indent=1) + "\n")
    unnoticed = [verdict for verdict in verdicts if not verdict.is_noticed]
    print(f"{len(verdicts) - len(unnoticed)} of {len(verdicts)} removed guards were noticed")
    return 1 if unnoticed or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
