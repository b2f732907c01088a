"""`manage.py drain` with real workers: one rests, a whole group leaves, and nothing is handed back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.processes.conftest import alive, begin, finished
from tests.processes.group import QUICK, ROOT, Group, shared_database, until
from tests.processes.test_kills import has_begun, judge, started
from workflows_app.graph.definition import Node
from workflows_app.models import Attempt, Step

Workers = Callable[..., Group]


def manage(*command: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, on this test's database."""
    environment = {**os.environ, **QUICK, **shared_database()}
    return subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_one_drained_worker_finishes_and_rests_while_the_other_goes_on(workers: Workers, tmp_path: Path) -> None:
    workers()
    first = begin(Node("a", "hold"))
    until("it runs", lambda: has_begun(tmp_path, "a"))
    holder = Step.objects.get(workflow=first).worker_id
    said = manage("drain", holder[:8], "--no-wait")
    assert said.returncode == 0 and "they run 1 step now" in said.stdout, said.stderr
    (tmp_path / "gate").touch()
    assert finished(first).status == "COMPLETED"
    later = begin(*(Node(f"b{number}", "mark" if number % 2 else "mark_async") for number in range(20)))
    assert finished(later).status == "COMPLETED"
    assert not Attempt.objects.filter(step__workflow=later, worker_id=holder).exists()
    assert manage("drain", holder, "--undo").returncode == 0
    pid = next(worker.pid for worker in alive() if worker.id == holder)

    def works_again() -> bool:
        finished(begin(*(Node(f"c{number}", "nap_thread", config={"seconds": 0.05}) for number in range(8))))
        return str(pid) in {line[3] for line in started(tmp_path) if line[1].startswith("c")} or any(
            Attempt.objects.filter(worker_id=holder, step__node_id__startswith="c").values_list("pk", flat=True)
        )

    until("it takes steps again", works_again)


def test_a_drained_host_finishes_what_it_runs_and_its_group_leaves(workers: Workers, tmp_path: Path) -> None:
    """Longer than WORKER_GRACE: a drain hands nothing back."""
    group = workers(WORKER_GRACE="0")
    workflow = begin(Node("a", "hold"), Node("b", "hold_async"), Node("z", "mark", needs=("a", "b")))
    until("both run", lambda: has_begun(tmp_path, "a", "b"))
    host = alive()[0].host
    assert manage("drain", "--host", host, "--no-wait").returncode == 0
    until("they were told", lambda: all(worker.drain_requested_at for worker in alive()))
    assert group.process.poll() is None
    (tmp_path / "gate").touch()
    assert group.ended() == 0, group.said()
    assert not Step.objects.running().exists()
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"completed"}
    workers()
    assert finished(workflow).status == "COMPLETED"
    judge(workflow, tmp_path)


def test_a_sigterm_to_every_process_at_once_is_a_leave_like_any_other(workers: Workers, tmp_path: Path) -> None:
    """As systemd's default sends it, to the whole control group."""
    group = workers(WORKER_GRACE="5")
    workflow = begin(
        Node("a", "nap_thread", config={"seconds": 1}), Node("b", "nap", config={"seconds": 1}), Node("z", "mark", needs=("a", "b"))
    )
    until("both run", lambda: has_begun(tmp_path, "a", "b"))
    for pid in group.pids():
        os.kill(pid, signal.SIGTERM)
    assert group.ended() == 0, group.said()
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"completed"}
    workers()
    assert finished(workflow).status == "COMPLETED"
    judge(workflow, tmp_path)


def test_what_a_task_forks_can_be_terminated(workers: Workers, tmp_path: Path) -> None:
    """Our own processes stay at SIGTERM; a task's must not inherit that."""
    workers()
    workflow = begin(Node("a", "terminates_a_child"))
    assert finished(workflow).status == "COMPLETED"
    assert Step.objects.get(node_id="a").output == {"forked": -signal.SIGTERM, "run": -signal.SIGTERM}
