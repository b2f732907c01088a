"""R7: steps that take their worker along, never end or return too much fail with the reason, and their neighbours hardly notice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos import tasks
from tests.chaos.ledger import Entry, note
from tests.chaos.storm import PATIENT, Watched, compared, have_ended
from tests.chaos.verdict import verdict
from tests.engine import oracle
from tests.processes.conftest import begin
from tests.processes.group import until
from tests.processes.test_kills import started
from workflows_app.engine import isolation
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.models import Step, Workflow

pytestmark = pytest.mark.django_db(transaction=True)
TRIES = 3
CRASHES = {
    "poison_exit": "exit code 7",
    "poison_segfault": "SIGSEGV",
    "poison_killed": "SIGKILL",
}
FAILURES = {
    "poison_memory": "MemoryError",
    "poison_loop": "took longer than its timeout of 1 s",
    "poison_output": "at most",
    "poison_error": "RuntimeError: xxx",
}
CHAINS, HOP_SECONDS = 16, 0.25
SUSPECTS = 2 * isolation.AT_ONCE + 1


@dataclass(frozen=True)
class Beside:
    """The same neighbours undisturbed and beside poison."""

    calm: Workflow
    neighbours: Workflow
    poison: list[Workflow]
    seconds: float

    @property
    def p95(self) -> tuple[float, float]:
        return _p95(self.calm), _p95(self.neighbours)

    @property
    def is_hardly_noticed(self) -> bool:
        before, beside = self.p95
        return beside <= 1.2 * before


def test_poison_fails_after_its_tries_with_the_reason_and_neighbours_hardly_notice(tmp_path: Path, scale: float) -> None:
    tries = compared(lambda: _beside_poison(tmp_path, round(26 * scale), scale), is_good=lambda found: found.is_hardly_noticed)
    poison = [workflow for one in tries for workflow in one.poison]
    found, last = verdict([one.neighbours for one in tries], tmp_path), tries[-1]
    before, beside = last.p95
    crashes = sum(Step.objects.filter(workflow__in=poison).values_list("crashes", flat=True))
    figures = f"p95 of neighbours {before * 1000:.0f} → {beside * 1000:.0f} ms, {crashes} processes lost in {last.seconds:.0f} s"
    note(Entry(
        "R7", "poison of seven kinds beside others", found.steps, crashes, found.lost, found.twice,
        seconds=beside, undisturbed_seconds=before, figures=figures,
    ))  # fmt: skip
    assert not found.broken, found.broken
    assert (found.lost, found.twice) == (0, 0)
    for workflow in poison:
        _is_ended_with_the_reason(workflow, tmp_path)
    assert last.is_hardly_noticed, figures


def _beside_poison(place: Path, hops: int, scale: float) -> Beside:
    with Watched(place, TASK_MODULES=tasks.MODULES, MAX_OUTPUT_BYTES="1000000") as watched:
        calm = _neighbours("calm", hops)
        until("the undisturbed run is over", lambda: have_ended([calm]), seconds=60 * scale)
        runs, poison, began = [_neighbours("beside poison", hops)], [_poison(0)], time.monotonic()
        while not have_ended(runs):
            until("poison or neighbours have ended", lambda: have_ended(poison[-1:]) or have_ended(runs), seconds=60)
            if not have_ended(runs):
                poison.append(_poison(len(poison)))
        until("the last poison has ended", lambda: have_ended(poison), seconds=60)
        seconds = time.monotonic() - began
        assert watched.starts == 1, "the whole group was taken along"
    return Beside(calm, runs[0], poison, seconds)


def test_who_asks_for_more_memory_than_a_worker_may_have_fails_and_its_neighbours_complete(tmp_path: Path) -> None:
    """For real: 2 GB, and a limit of 400 MB."""
    with Watched(tmp_path, WORKER_MEMORY_MB="400") as watched:
        greedy = begin(
            *(Node(f"g{number}", "take_memory", config={"megabytes": 2_000}, retry=RetryPolicy(retries=0)) for number in range(3))
        )
        beside = _neighbours("beside the greedy", 8)
        until("all have ended", lambda: have_ended([greedy, beside]))
        assert watched.starts == 1
        assert len(watched.group.pids()) == watched.size, "a process was lost"
    found = verdict([beside], tmp_path)
    note(Entry("R7", "2 GB with WORKER_MEMORY_MB=400", found.steps + 3, 3, found.lost, found.twice))
    assert not found.broken, found.broken
    assert (found.lost, found.twice) == (0, 0)
    for step in greedy.steps.all():
        assert (step.status, step.crashes) == ("FAILED", 0) and step.error.startswith("MemoryError"), step.error


def test_all_who_are_on_their_last_try_begin_again_though_each_worker_runs_few_of_them_alone(tmp_path: Path) -> None:
    """Innocent and long: their workers are killed until one more crash would be held against them."""
    once = RetryPolicy(retries=1, initial_delay=0)
    with Watched(tmp_path) as watched:
        run = begin(*(Node(f"s{number}", "hold_async", retry=once) for number in range(SUSPECTS)))
        until("all run", lambda: _begun(tmp_path) == SUSPECTS)
        for pid in {int(line[3]) for line in started(tmp_path)}:
            watched.group.kill(pid)
        killed = time.monotonic()
        until("all run again", lambda: watched.tend() or _begun(tmp_path, attempt=2) == SUSPECTS, seconds=60)
        took = time.monotonic() - killed
        assert set(run.steps.values_list("status", "crashes")) == {("RUNNING", 1)}
        (tmp_path / "gate").touch()
        until("it has ended", lambda: have_ended([run]))
    found = verdict([run], tmp_path)
    figures = f"{SUSPECTS} steps, all begin again {took:.1f} s after the kill"
    note(Entry("R7", "last tries of many long steps", found.steps, SUSPECTS, found.lost, found.twice, figures=figures))
    assert not found.broken, found.broken
    assert (found.lost, found.twice) == (0, 0)


def _begun(place: Path, attempt: int = 1) -> int:
    return len({line[1] for line in started(place) if int(line[2]) == attempt})


def _poison(number: int) -> Workflow:
    """One after the other, so that each is to blame for its own crashes only."""
    names = [*CRASHES, *FAILURES]
    return begin(
        *(
            Node(
                name, name, needs=tuple(names[place - 1 : place]) if place else (), trigger_rule="all_done", timeout_seconds=1,
                retry=RetryPolicy(retries=TRIES - 1, initial_delay=0) if name in CRASHES else RetryPolicy(retries=0),
            )
            for place, name in enumerate(names)
        ),
        name=f"poison {number}",
    )  # fmt: skip


def _neighbours(name: str, hops: int) -> Workflow:
    """Chains side by side, on the loops of all processes; a thread is held by one task at a time, so these are few."""
    return begin(
        *(
            Node(
                f"h{hop}x{chain}", "nap_thread" if chain == 0 else "nap", needs=(f"h{hop - 1}x{chain}",) if hop else (),
                config={"seconds": HOP_SECONDS}, retry=PATIENT,
            )
            for hop in range(hops)
            for chain in range(CHAINS)
        ),
        name=name,
    )  # fmt: skip


def _is_ended_with_the_reason(workflow: Workflow, place: Path) -> None:
    oracle.judge(workflow)
    assert workflow.status == "FAILED"
    begun = [line[1] for line in started(place) if line[0] == str(workflow.uid)]
    for step in workflow.steps.all():
        tries, reason = (TRIES, CRASHES[step.node_id]) if step.node_id in CRASHES else (1, FAILURES[step.node_id])
        counted = step.crashes if step.node_id in CRASHES else step.failures
        assert (step.status, counted, begun.count(step.node_id)) == ("FAILED", tries, tries), step.node_id
        assert reason in step.error and len(step.error) < 5_000, step.error[:200]


def _p95(workflow: Workflow) -> float:
    """How long a hop takes, from the end of the one before: waiting for a worker and running again after a crash included."""
    steps = {step.node_id: step for step in workflow.steps.all()}
    hops: Sequence[float] = sorted(
        (steps[node.id].ended_at - steps[node.needs[0]].ended_at).total_seconds()
        for node in workflow.definition.compiled().nodes
        if node.needs
    )
    return hops[int(len(hops) * 0.95)]
