"""R5: a process that is stopped beyond its lease comes back too late; a clock that is set takes nothing from anybody."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos import tasks
from tests.chaos.ledger import Entry, note
from tests.chaos.storm import PATIENT, have_ended
from tests.chaos.verdict import verdict
from tests.processes.conftest import begin
from tests.processes.group import Group, until
from tests.processes.test_kills import started
from workflows_app.graph.definition import Node
from workflows_app.models import Attempt, Step, Workflow

Workers = Callable[..., Group]
AT_ONCE = 4
LEASE = 2.0


def test_late_results_of_stopped_processes_are_refused_every_time(workers: Workers, tmp_path: Path, scale: float) -> None:
    """Four of eight processes at once are stopped in the middle of a step. Each is continued when its step runs elsewhere, and
    finds the gate of its own attempt open: it has a result to report at once."""
    workers(MAX_PARALLEL_NODES=str(2 * AT_ONCE), WORKER_HEARTBEAT_TIMEOUT=str(LEASE), TASK_MODULES=tasks.MODULES)
    runs: list[Workflow] = []
    for number in range(round(13 * scale / 5) if scale > 1 else 2):
        runs.append(begin(*(Node(f"p{place}", "hold_first", retry=PATIENT) for place in range(AT_ONCE)), name=str(number)))
        uid = str(runs[-1].uid)
        until("all run", lambda uid=uid: len(_begun(tmp_path, uid, "1")) == AT_ONCE)
        stopped = _begun(tmp_path, uid, "1")
        for pid in set(stopped.values()):
            os.kill(pid, signal.SIGSTOP)
        try:
            until("all run elsewhere", lambda uid=uid: len(_begun(tmp_path, uid, "2")) == AT_ONCE)
            (tmp_path / f"{uid}.1").touch()
        finally:
            for pid in set(stopped.values()):
                os.kill(pid, signal.SIGCONT)
        until("those who come late were heard", lambda run=runs[-1]: _late(run) == AT_ONCE)
        (tmp_path / f"{uid}.2").touch()
        until("it ends", lambda run=runs[-1]: have_ended([run]))
    found, late = verdict(runs, tmp_path), sum(_late(run) for run in runs)
    firsts = Attempt.objects.filter(step__workflow__in=runs, number=1)
    note(Entry(
        "R5", "SIGSTOP beyond the lease", found.steps, len(firsts), found.lost, found.twice, figures=f"{late} late results, all refused"
    ))  # fmt: skip
    assert not found.broken, found.broken
    assert late == len(firsts) == found.steps
    assert {attempt.outcome for attempt in firsts} == {"crashed"}
    assert set(Step.objects.filter(workflow__in=runs).values_list("output", flat=True)) == {2}


@pytest.mark.parametrize("shift", [3600, -3600])
def test_a_host_clock_that_is_set_takes_no_step_from_anybody(workers: Workers, tmp_path: Path, shift: int) -> None:
    """The clock jumps while steps run, and jumps back later; each time the steps run on for longer than a lease."""
    workers(MAX_PARALLEL_NODES="2", TASK_MODULES="tests.processes.tasks,tests.chaos.shifted_clock", WORKER_HEARTBEAT_TIMEOUT=str(LEASE))
    run = begin(Node("t", "hold", retry=PATIENT), *(Node(f"s{number}", "hold_async", retry=PATIENT) for number in range(6)))
    until("all run", lambda: Step.objects.running().count() == 7 and len(started(tmp_path)) == 7)
    for seconds in (shift, 0):
        (tmp_path / "shift").write_text(str(seconds))
        deadline = time.monotonic() + 2 * LEASE
        until("two leases went by", lambda deadline=deadline: time.monotonic() >= deadline)
    (tmp_path / "gate").touch()
    until("it ends", lambda: have_ended([run]))
    crashed = Attempt.objects.filter(step__workflow=run, outcome="crashed").count()
    found = verdict([run], tmp_path)
    case = f"a host clock set {'forward' if shift > 0 else 'back'} by an hour, and back again"
    note(Entry("R5", case, found.steps, 2, found.lost, found.twice, figures=f"{crashed} taken back"))
    assert not found.broken, found.broken
    assert crashed == 0
    assert len(started(tmp_path)) == 7


def _begun(place: Path, uid: str, attempt: str) -> dict[str, int]:
    """Which process began which step for this attempt."""
    return {line[1]: int(line[3]) for line in started(place) if line[0] == uid and line[2] == attempt}


def _late(run: Workflow) -> int:
    """First attempts whose worker reported something when they were no longer its own."""
    return Attempt.objects.filter(step__workflow=run, number=1).exclude(late_result="").count()
