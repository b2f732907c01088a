"""Steps whose workers died run in a process of their own: whoever is to blame takes nobody along, and is named with the reason."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.engine import oracle
from tests.engine.stage import NEVER, Stage, log_of, node, outcomes, statuses, step
from tests.processes.group import until
from workflows_app.engine import isolation, supervision
from workflows_app.engine.claims import Slots
from workflows_app.graph.definition import RetryPolicy
from workflows_app.models import Step, Workflow

THRICE = RetryPolicy(retries=3, initial_delay=0)


def suspected(stage: Stage, *nodes: object, crashes: int = 3, **order: object) -> Workflow:
    """A workflow whose first steps have seen their workers die so often."""
    workflow = stage.start(*nodes, **order)
    Step.objects.filter(workflow=workflow, available_at__isnull=False).update(crashes=crashes)
    return workflow


@pytest.mark.parametrize(
    ("retries", "crashes", "is_suspect"),
    [(3, 0, False), (3, 2, False), (3, 3, True), (1, 0, False), (1, 1, True), (0, 0, False), (0, 1, True), (9, 8, False), (9, 9, True)],
)
def test_a_step_is_suspected_with_one_try_left(stage: Stage, retries: int, crashes: int, is_suspect: bool) -> None:
    from tests.engine.rival import claim_as

    stage.start(node("a", retry=RetryPolicy(retries=retries)))
    Step.objects.update(crashes=crashes)
    (claim,) = claim_as("c" * 32, now=stage.now)
    assert isolation.is_suspect(claim) is is_suspect


@pytest.mark.parametrize("action", ["pid", "pid_thread"])
def test_a_suspect_runs_in_a_process_of_its_own_and_its_result_is_recorded_as_ever(stage: Stage, action: str) -> None:
    workflow = suspected(
        stage, node("a", action, retry=THRICE), node("b", "echo", "a", config={"value": "{{ a.output.pid }}"}, references=("a",))
    )
    assert stage.play(workflow).status == "COMPLETED"
    assert step(workflow, "a").output["pid"] != os.getpid()
    assert step(workflow, "b").output == step(workflow, "a").output["pid"]
    oracle.judge(workflow)


@pytest.mark.parametrize(
    ("how", "reason"),
    [("exit", "The step ended its own process with exit code 9"), ("segfault", "The step's own process was killed by SIGSEGV")],
)
@pytest.mark.parametrize("action", ["deadly", "deadly_thread"])
def test_one_that_kills_its_process_fails_with_the_reason_and_takes_nobody_along(stage: Stage, action: str, how: str, reason: str) -> None:
    workflow = suspected(stage, node("bad", action, config={"how": how}, retry=THRICE), node("after", "echo", "bad"))
    beside = stage.start(*(node(f"n{number}", retry=NEVER) for number in range(5)))
    stage.play(workflow)
    found = step(workflow, "bad")
    assert (found.status, found.crashes) == ("FAILED", 4)
    assert found.error == f"{reason}; that happened 4 times, so the step is not tried again"
    assert outcomes(workflow, "bad") == ["crashed"]
    assert f"Attempt 1 ended: {reason}" in log_of(workflow, "bad")
    assert set(statuses(stage.play(beside)).values()) == {"COMPLETED"}
    oracle.judge(beside)


def test_what_it_says_and_how_far_it_is_comes_through_in_order(stage: Stage) -> None:
    workflow = suspected(stage, node("a", "talkative", retry=THRICE))
    assert stage.play(workflow).status == "COMPLETED"
    assert log_of(workflow, "a").splitlines() == [f"line {number}" for number in range(20)]


def test_failures_waits_and_skips_mean_the_same_there(stage: Stage) -> None:
    workflow = suspected(
        stage,
        node("flaky", "fails", retry=RetryPolicy(retries=2, initial_delay=0)),
        node("wait", "wait_twice", retry=THRICE),
        node("skipped", run_if={"==": [1, 2]}, retry=THRICE),
    )
    stage.play(workflow)
    assert statuses(workflow) == {"flaky": "FAILED", "wait": "COMPLETED", "skipped": "SKIPPED"}
    assert step(workflow, "flaky").error == "RuntimeError: as asked" and step(workflow, "flaky").failures == 3
    assert "Traceback" in log_of(workflow, "flaky")
    oracle.judge(workflow)


def test_one_that_takes_too_long_is_killed_and_fails_as_ever(stage: Stage) -> None:
    workflow = suspected(stage, node("a", "endless", timeout_seconds=0.3, retry=RetryPolicy(retries=2, initial_delay=0)))
    stage.play(workflow)
    assert (step(workflow, "a").status, step(workflow, "a").failures) == ("FAILED", 3)
    assert step(workflow, "a").error == "The step took longer than its timeout of 0.3 s"


def test_one_that_is_stopped_is_told_and_its_process_ends(stage: Stage, tmp_path: Path) -> None:
    workflow = suspected(stage, node("a", "leaves_when_told", config={"place": str(tmp_path)}, retry=THRICE))
    drain = _claimed(stage)
    until("it runs", lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    pid = int((tmp_path / "pid").read_text())
    stage.stop(workflow)
    run = drain.running[step(workflow, "a").pk]
    drain.drop(run)
    until("it was told", (tmp_path / "told").exists)
    until("its process is gone", lambda: not Path(f"/proc/{pid}").exists())
    assert outcomes(workflow, "a") == ["stopped"]


def test_a_child_dies_with_its_worker(tmp_path: Path) -> None:
    """The kernel sees to it, however the worker ends."""
    import subprocess
    import sys

    code = (
        "import os, subprocess, sys; from multiprocessing import Pipe; a, b = Pipe(False); c, d = Pipe(False);"
        "p = subprocess.Popen([sys.executable, '-m', 'workflows_app.engine.isolated', str(a.fileno()), str(d.fileno()), str(os.getpid())],"
        "pass_fds=(a.fileno(), d.fileno())); print(p.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        pid = int(worker.stdout.readline())
        status = Path(f"/proc/{pid}/status")
        until("it has started", lambda: "isolated" in Path(f"/proc/{pid}/cmdline").read_text())
        os.kill(worker.pid, signal.SIGKILL)
    until("the child is gone", lambda: not status.exists() or "zombie" in status.read_text())


def test_a_process_hoards_no_suspects_and_hands_back_what_it_has_not_begun(stage: Stage, tmp_path: Path) -> None:
    """However long those take that it runs: somebody else begins the others."""
    config = {"place": str(tmp_path)}
    workflow = suspected(stage, *(node(f"n{number}", "waits_for_gate", config=config, retry=THRICE) for number in range(7)))
    drain = _claimed(stage)
    until("as many run as may", lambda: len(list(tmp_path.glob("n*"))) == isolation.AT_ONCE)
    drain.supervision._hand_back_suspects()
    assert Step.objects.running().count() == isolation.AT_ONCE
    handed_back = Step.objects.filter(available_at__gt=stage.now)
    assert handed_back.count() == 7 - isolation.AT_ONCE
    assert set(handed_back.values_list("attempt", "crashes")) == {(0, 3)}
    assert drain._free_slots().loop > 0
    drain.supervision._rests_from -= supervision.SUSPECTS_LATER_SECONDS
    assert drain._free_slots() == Slots(), "when they are due again it claims nothing for a while: others must have them"
    drain.supervision._rests_from -= supervision.REST_SECONDS
    (tmp_path / "gate").touch()
    drain.run()
    assert stage.play(workflow).status == "COMPLETED"
    oracle.judge(workflow)


def _claimed(stage: Stage):  # type: ignore[no-untyped-def]
    """A drain that has claimed what is due and dispatched it."""
    from tests.engine.stage import PromptDrain

    drain = PromptDrain(stage.worker)
    drain._commit_patiently()
    drain._dispatch()
    return drain


def test_a_process_that_cannot_be_started_costs_nobody_a_try(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """When memory or descriptors are short. Each of the watching threads has to outlive it."""
    real, failures = subprocess.Popen, iter(range(isolation.AT_ONCE))

    def refusing(*args: object, **options: object) -> object:
        if next(failures, None) is None:
            return real(*args, **options)
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(isolation.subprocess, "Popen", refusing)
    workflow = suspected(stage, *(node(f"n{number}", "pid", retry=THRICE) for number in range(isolation.AT_ONCE)))
    assert stage.play(workflow).status == "COMPLETED"
    assert sum(outcomes(workflow, f"n{number}").count("released") for number in range(isolation.AT_ONCE)) == isolation.AT_ONCE
    assert set(workflow.steps.values_list("crashes", "failures")) == {(3, 0)}


def test_one_that_dies_is_noticed_although_what_it_forked_lives_on(stage: Stage) -> None:
    workflow = suspected(stage, node("bad", "forks_and_dies", retry=THRICE))
    stage.play(workflow)
    assert step(workflow, "bad").error.startswith("The step's own process was killed by SIGKILL")


def test_a_sigterm_for_the_whole_group_is_for_its_first_process_to_act_upon(stage: Stage) -> None:
    workflow = suspected(stage, node("a", "hears_sigterm", retry=THRICE))
    assert stage.play(workflow).status == "COMPLETED"
    assert step(workflow, "a").output == "not told"


def test_a_sigterm_that_comes_while_its_process_starts_is_no_crash(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = subprocess.Popen

    def struck(*args: object, **options: object) -> object:
        process = real(*args, **options)
        process.send_signal(signal.SIGTERM)
        return process

    monkeypatch.setattr(isolation.subprocess, "Popen", struck)
    workflow = suspected(stage, node("a", "pid", retry=THRICE))
    assert stage.play(workflow).status == "COMPLETED"
    assert outcomes(workflow, "a") == ["completed"]
