"""R1: kill -9 of anything, again and again: nothing lost, nothing twice, never frozen, soon at work again."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection

from tests.chaos.counting import counting_server
from tests.chaos.ledger import Entry, note
from tests.chaos.storm import FROZEN_SECONDS, PATIENT, Storm, Watched, compared, have_ended, layered, quick, starts_seen, submit
from tests.chaos.verdict import verdict
from tests.processes.conftest import alive, begin
from tests.processes.group import Group, shared_database, until
from tests.processes.test_kills import has_begun, started
from workflows_app.graph.definition import Node
from workflows_app.models import Step, Workflow

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Raged:
    """The same work undisturbed and in a storm of kills."""

    calm: list[Workflow]
    runs: list[Workflow]
    undisturbed: float
    seconds: float
    storm: Storm

    @property
    def is_soon_over(self) -> bool:
        return self.seconds <= 1.5 * self.undisturbed


def test_a_storm_of_kills_costs_half_as_much_time_again_at_most(tmp_path: Path, dice: random.Random, scale: float) -> None:
    """2,000 steps in threads, in coroutines and at a server outside, and the same 2,000 undisturbed; the whole product is killed at."""
    with counting_server() as server, Watched(tmp_path, "up") as watched:
        nodes = layered(server.url, layers=round(20 * scale))
        before = len(watched.group.pids())
        tries = compared(lambda: _raged(watched, nodes, dice, scale), is_good=lambda raged: raged.is_soon_over)
        watched.is_there()
        after = len(watched.group.pids())
    last, runs, calm = tries[-1], [run for raged in tries for run in raged.runs], [run for raged in tries for run in raged.calm]
    found, both, frozen = (
        verdict(runs, tmp_path),
        verdict([*calm, *runs], tmp_path, calls=server.calls),
        sum(raged.storm.frozen for raged in tries),
    )
    silence = max(max(raged.storm.silences) for raged in tries)
    note(Entry(
        "R1", "kill -9 of a random process every 2 s", found.steps, sum(raged.storm.kills for raged in tries), found.lost, found.twice,
        frozen, last.seconds, last.undisturbed, f"longest silence {silence:.1f} s, {watched.starts - 1} times all of it was started again",
    ))  # fmt: skip
    assert not both.broken, both.broken
    assert (found.lost, found.twice, frozen) == (0, 0, 0)
    assert before == after
    assert last.is_soon_over, f"{last.seconds:.1f} s in the storm, {last.undisturbed:.1f} s undisturbed"


def _raged(watched: Watched, nodes: list[Node], dice: random.Random, scale: float) -> Raged:
    watched.is_there()
    began = time.monotonic()
    calm = submit(nodes, 4, name="calm")
    until("the undisturbed run is over", lambda: have_ended(calm), seconds=60 * scale)
    undisturbed = time.monotonic() - began
    began = time.monotonic()
    runs = submit(nodes, 4, name="storm")
    storm = Storm(watched, dice, starts_seen(watched.place))
    storm.rage(lambda: have_ended(runs), seconds=180 * scale)
    return Raged(calm, runs, undisturbed, time.monotonic() - began, storm)


def test_a_flood_of_quick_steps_outlives_a_storm(tmp_path: Path, dice: random.Random, scale: float) -> None:
    """As many workflows as it takes for a while, always four at once."""
    runs: list[Workflow] = []
    until_when = time.monotonic() + 4 * scale

    def is_over() -> bool:
        active = Workflow.objects.active().count()
        if time.monotonic() < until_when and active < 4:
            runs.extend(submit(nodes, 4 - active, name=str(len(runs))))
        return time.monotonic() >= until_when and not active

    nodes = quick(500)
    with Watched(tmp_path) as watched:
        storm = Storm(watched, dice, starts_seen(tmp_path), every_seconds=1)
        seconds = storm.rage(is_over, seconds=60 + 24 * scale)
    found = verdict(runs, tmp_path)
    note(Entry(
        "R1", "kill -9 every second, steps that take no time", found.steps, storm.kills, found.lost, found.twice, storm.frozen,
        seconds, figures=f"{found.steps / seconds:,.0f} steps/s, longest silence {max(storm.silences):.1f} s",
    ))  # fmt: skip
    assert not found.broken, found.broken
    assert (found.lost, found.twice, storm.frozen) == (0, 0, 0)


@pytest.mark.parametrize("who", ["an idle worker", "all workers", "sentinel", "main"])
def test_whoever_is_killed_the_group_works_again_within_ten_seconds(tmp_path: Path, dice: random.Random, scale: float, who: str) -> None:
    """Killed while steps run (an idle worker: while none does), then given new work."""
    times, runs = round((3 if who == "an idle worker" else 1) * scale), []
    took: list[float] = []
    with Watched(tmp_path) as watched:
        for number in range(times):
            is_idle = who == "an idle worker"
            held = [] if is_idle else [begin(*_held(number), name=f"held {number}")]
            until("it runs", lambda held=held, number=number: not held or has_begun(tmp_path, f"s{number}", f"t{number}"))
            _kill(watched, who, dice)
            runs += [*held, begin(*_next(number), name=f"next {number}")]
            began = time.monotonic()
            (tmp_path / f"gate{number}").touch()
            until("it works again", lambda runs=runs: watched.tend() or have_ended(runs), seconds=30)
            took.append(time.monotonic() - began)
            watched.is_there()
    found = verdict(runs, tmp_path)
    frozen = sum(seconds > FROZEN_SECONDS for seconds in took)
    note(Entry(
        "R1", f"kill -9 of {who}", found.steps, times, found.lost, found.twice, frozen,
        figures=f"all done {statistics.median(took):.1f} s after the kill, {max(took):.1f} s at most",
    ))  # fmt: skip
    assert not found.broken, found.broken
    assert max(took) <= FROZEN_SECONDS


def test_the_steps_of_a_killed_worker_process_begin_again_within_five_seconds(tmp_path: Path, scale: float) -> None:
    took: list[float] = []
    runs: list[Workflow] = []
    with Watched(tmp_path) as watched:
        for number in range(round(3 * scale)):
            runs.append(begin(*_held(number), name=str(number)))
            until("all run", lambda run=runs[-1]: len(_holders(run, tmp_path)) == 21)
            holders = _holders(runs[-1], tmp_path)
            pid = holders[f"t{number}"]
            watched.group.kill(pid)
            began, lost = time.monotonic(), {step for step, holder in holders.items() if holder == pid}
            until("its steps run elsewhere", lambda lost=lost, pid=pid: _all_moved(lost, pid, _holders(runs[-1], tmp_path)))
            took.append(time.monotonic() - began)
            (tmp_path / f"gate{number}").touch()
            until("it ends", lambda run=runs[-1]: have_ended([run]))
            watched.is_there()
    found = verdict(runs, tmp_path)
    note(Entry(
        "R1", "kill -9 of a worker process: its steps begin again", found.steps, len(took), found.lost, found.twice,
        figures=f"p50 {statistics.median(took):.2f} s, at most {max(took):.2f} s",
    ))  # fmt: skip
    assert not found.broken, found.broken
    assert max(took) <= 5


def test_the_steps_of_a_host_that_is_gone_begin_again_on_another(tmp_path: Path, scale: float) -> None:
    """Leases have to run out: within 40 s by default. A short run sets them shorter; the bound shrinks with them."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite means one host")
    is_long = scale > 1
    timing = {"WORKER_HEARTBEAT_INTERVAL": "5" if is_long else "0.5", "WORKER_HEARTBEAT_TIMEOUT": "30" if is_long else "3"}
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = {**shared_database(), "DATA_DIR": str(other), "HYBRID_TEST_PLACE": str(tmp_path)}
    lost = Group(other, "worker", "--skip-checks", **elsewhere, **timing)
    try:
        run = begin(Node("t", "hold", retry=PATIENT), *(Node(f"s{number}", "hold_async", retry=PATIENT) for number in range(20)))
        until("all run", lambda: Step.objects.running().count() == 21 and len(_holders(run, tmp_path)) == 21)
        with Watched(tmp_path, **timing) as watched:
            lost.destroy()
            began = time.monotonic()
            until("all run again", lambda: len({line[1] for line in started(tmp_path) if line[2] == "2"}) == 21, seconds=60)
            took = time.monotonic() - began
            (tmp_path / "gate").touch()
            until("it ends", lambda: watched.tend() or have_ended([run]))
    finally:
        lost.destroy()
    found = verdict([run], tmp_path)
    case = f"kill -9 of a whole host, leases of {timing['WORKER_HEARTBEAT_TIMEOUT']} s"
    note(Entry("R1", case, found.steps, 1, found.lost, found.twice, figures=f"all begin again after {took:.1f} s"))
    assert not found.broken, found.broken
    assert took <= (40 if is_long else 3 + 5)


def _held(number: int) -> list[Node]:
    config = {"gate": f"gate{number}"}
    return [
        Node(f"t{number}", "hold", config=config, retry=PATIENT),
        *(Node(f"s{number}" if not place else f"s{number}x{place}", "hold_async", config=config, retry=PATIENT) for place in range(20)),
        Node(f"z{number}", "mark", needs=(f"t{number}", f"s{number}"), retry=PATIENT),
    ]


def _next(number: int) -> list[Node]:
    return [Node(f"a{number}", "mark", retry=PATIENT), Node(f"b{number}", "mark_async", needs=(f"a{number}",), retry=PATIENT)]


def _kill(watched: Watched, who: str, dice: random.Random) -> None:
    group, workers = watched.group, [worker.pid for worker in alive()]
    choose: dict[str, Callable[[], list[int]]] = {
        "an idle worker": lambda: [dice.choice(workers)],
        "all workers": lambda: workers,
        "sentinel": lambda: [group.sentinel],
        "main": lambda: [group.main],
    }
    for pid in choose[who]():
        group.kill(pid)


def _all_moved(steps: set[str], pid: int, holders: dict[str, int]) -> bool:
    return all(holders.get(step, pid) != pid for step in steps)


def _holders(run: Workflow, place: Path) -> dict[str, int]:
    """Which process holds which step, as the last start of each says, where the row says that it runs."""
    attempts = dict(Step.objects.running().filter(workflow=run).values_list("node_id", "attempt"))
    return {line[1]: int(line[3]) for line in started(place) if attempts.get(line[1]) == int(line[2])}
