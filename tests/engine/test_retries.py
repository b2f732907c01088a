"""What becomes of a step that fails, times out or misbehaves."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest

from tests.engine import oracle, tasks
from tests.engine.stage import Stage, log_of, node, outcomes, step
from workflows_app.actions.base import Retry, Wait
from workflows_app.graph.definition import RetryPolicy
from workflows_app.models import Attempt

TWICE = RetryPolicy(retries=2, initial_delay=10, jitter=False)


def raising(error: Exception) -> Callable[..., object]:
    def behaviour(params: object, context: object) -> None:
        raise error

    return behaviour


def test_a_failed_attempt_is_followed_by_another_until_one_completes(stage: Stage) -> None:
    workflow = stage.run(node("a", "flaky", config={"times": 2}, retry=TWICE), node("b", "echo", "a"))
    assert (workflow.status, outcomes(workflow, "a")) == ("COMPLETED", ["retried", "retried", "completed"])
    found = step(workflow, "a")
    assert (found.output, found.attempt, found.failures, found.error) == (3, 3, 2, "")
    assert workflow.error == ""
    oracle.judge(workflow)


def test_when_no_try_is_left_the_step_fails_with_the_last_reason(stage: Stage) -> None:
    workflow = stage.run(node("a", "flaky", retry=TWICE))
    assert (workflow.status, outcomes(workflow, "a")) == ("FAILED", ["retried", "retried", "failed"])
    assert (step(workflow, "a").error, workflow.error) == ("try again", "a: try again")
    oracle.judge(workflow)


def test_back_off_doubles_up_to_its_ceiling_and_never_starts_early(stage: Stage) -> None:
    policy = RetryPolicy(retries=4, initial_delay=10, max_delay=35, jitter=False)
    workflow = stage.run(node("a", "flaky", retry=policy))
    attempts = list(Attempt.objects.filter(step__workflow=workflow).order_by("number"))
    waits = [(after.started_at - before.ended_at).total_seconds() for before, after in itertools.pairwise(attempts)]
    assert [round(wait) for wait in waits] == [10, 20, 35, 35] and all(wait >= 10 for wait in waits)


def test_a_step_that_waits_for_its_next_try_is_pending_and_says_when(stage: Stage) -> None:
    workflow = stage.start(node("a", "flaky", config={"times": 1}, retry=TWICE))
    stage.drain()
    workflow.refresh_from_db()
    found = step(workflow, "a")
    assert (found.status, workflow.status) == ("PENDING", "RUNNING")
    assert found.metadata["retryAt"] == found.available_at.isoformat() and found.available_at > stage.now
    assert "Attempt 1 failed: try again. Next try in 10.0 s" in log_of(workflow, "a")


def test_fail_ends_the_step_at_once(stage: Stage) -> None:
    workflow = stage.run(node("a", "flaky", config={"how": "fail"}, retry=TWICE))
    assert (outcomes(workflow, "a"), step(workflow, "a").error) == (["failed"], "for good")


@pytest.mark.parametrize("how", ["error", "exit", "cancelled"])
@pytest.mark.parametrize("action", ["flaky", "flaky_thread"])
def test_whatever_a_task_raises_is_its_steps_failure_and_the_worker_goes_on(stage: Stage, how: str, action: str) -> None:
    """sys.exit() and a CancelledError of the task's own are no orders to the engine."""
    workflow = stage.run(
        node("a", action, config={"how": how, "times": 1}, retry=TWICE), node("b", "echo", "a"), node("c", "echo_thread", "a")
    )
    assert (workflow.status, outcomes(workflow, "a")) == ("COMPLETED", ["retried", "completed"])
    assert "Traceback" in log_of(workflow, "a")


def test_the_action_may_say_when_to_try_again(stage: Stage) -> None:
    workflow = stage.start(node("a", "flaky", config={"after": 3600}, retry=TWICE))
    stage.drain()
    assert 3590 < (step(workflow, "a").available_at - stage.now).total_seconds() <= 3600


@pytest.mark.parametrize("after", [1e300, float("inf"), float("nan"), -5])
def test_an_absurd_time_to_try_again_becomes_one_between_now_and_a_year(stage: Stage, after: float) -> None:
    tasks.behaviours["odd"] = raising(Retry("odd", after_seconds=after))
    workflow = stage.run(node("a", "behave", config={"as": "odd"}, retry=TWICE))
    waits = [attempt.ended_at - workflow.created_at for attempt in Attempt.objects.filter(step__workflow=workflow)]
    assert outcomes(workflow, "a") == ["retried", "retried", "failed"] and max(waits).days <= 2 * 366


@pytest.mark.parametrize(
    ("on", "expected"), [(("5xx",), "retried"), (("503",), "retried"), (("429", "timeout"), "failed"), (None, "retried")]
)
def test_only_the_named_kinds_of_failure_are_tried_again(stage: Stage, on: tuple[str, ...] | None, expected: str) -> None:
    workflow = stage.start(node("a", "flaky", config={"how": "503"}, retry=RetryPolicy(retries=1, initial_delay=5, on=on)))
    stage.drain()
    assert outcomes(workflow, "a") == [expected]


def test_a_kind_that_is_a_number_is_named_as_text(stage: Stage) -> None:
    tasks.behaviours["busy"] = raising(Retry("busy", kind=503))  # type: ignore[arg-type]
    workflow = stage.start(node("a", "behave", config={"as": "busy"}, retry=RetryPolicy(retries=1, on=("5xx",))))
    stage.drain()
    assert outcomes(workflow, "a") == ["retried"]


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (Unspeakable(), "Unspeakable: (its message cannot be shown: RuntimeError)"),
        (ValueError("first line\nsecond"), "ValueError: first line"),
        (KeyError(), "KeyError: no message"),
        (ValueError("nul \0 and \ud800"), "ValueError: nul \ufffd and ?"),
    ],
)
def test_any_exception_has_a_message_that_can_be_kept(stage: Stage, error: Exception, shown: str) -> None:
    tasks.behaviours["break"] = raising(error)
    workflow = stage.run(node("a", "behave", config={"as": "break"}), node("b", "behave_async", config={"as": "break"}))
    assert step(workflow, "a").error == step(workflow, "b").error == shown


def test_an_endless_message_is_cut(stage: Stage) -> None:
    tasks.behaviours["shout"] = raising(ValueError("x" * 10_000_000))
    workflow = stage.run(node("a", "behave", config={"as": "shout"}))
    assert len(step(workflow, "a").error) < 5_000 and len(log_of(workflow, "a")) < 40_000


def test_a_coroutine_is_cancelled_at_its_timeout(stage: Stage) -> None:
    workflow = stage.start(node("a", "gated", timeout_seconds=0.05, retry=RetryPolicy(retries=1, on=("timeout",), initial_delay=5)))
    stage.drain()
    assert outcomes(workflow, "a") == ["retried"] and "took longer than its timeout of 0.05 s" in log_of(workflow, "a")


def test_a_timeout_of_the_actions_own_is_its_own(stage: Stage) -> None:
    tasks.behaviours["give_up"] = raising(TimeoutError("the printer is away"))
    workflow = stage.run(node("a", "behave_async", config={"as": "give_up"}, timeout_seconds=30))
    assert step(workflow, "a").error == "TimeoutError: the printer is away"


def test_a_thread_past_its_timeout_is_told_and_its_step_goes_on_without_it(stage: Stage) -> None:
    workflow = stage.start(
        node("a", "gated_thread", timeout_seconds=0.05), node("b", "opens", "a", trigger_rule="all_done", config={"gate": "a"})
    )
    stage.drain()
    workflow.refresh_from_db()
    assert (workflow.status, step(workflow, "a").status, step(workflow, "b").status) == ("FAILED", "FAILED", "COMPLETED")
    assert "took longer than its timeout" in step(workflow, "a").error and tasks.calls == ["a", "b", "a told"]
    oracle.judge(workflow)


def test_a_task_that_is_late_does_not_hold_its_result_against_the_next_attempt(stage: Stage) -> None:
    """Attempt 1 returns after its step gave it up: what it returns is nobody's."""
    policy = RetryPolicy(retries=1, initial_delay=0, jitter=False)
    workflow = stage.start(node("a", "gated_thread", timeout_seconds=0.05, retry=policy), node("b", "opens", config={"gate": "a"}))
    stage.play(workflow)
    assert outcomes(workflow, "a")[-1] in ("completed", "failed") and step(workflow, "a").attempt == len(outcomes(workflow, "a"))
    oracle.judge(workflow)


def test_a_delay_holds_no_slot_and_is_one_attempt(stage: Stage) -> None:
    count = stage.worker.io_slots * 3
    workflow = stage.start(*(node(f"d{number}", "delay", config={"seconds": 3600}) for number in range(count)), node("b"))
    stage.drain()
    assert step(workflow, "b").status == "COMPLETED"
    waiting = step(workflow, "d0")
    assert (waiting.status, waiting.attempt, waiting.worker_id) == ("WAITING_FOR_DEPENDENCY", 1, "")
    assert waiting.metadata == {"waitingFor": "a delay of 3600 s"}
    stage.drain()
    assert step(workflow, "d0").status == "WAITING_FOR_DEPENDENCY"
    stage.play(workflow)
    assert (workflow.status, outcomes(workflow, "d0"), step(workflow, "d0").attempt) == ("COMPLETED", ["completed"], 1)
    assert (step(workflow, "d0").ended_at - step(workflow, "d0").started_at).total_seconds() >= 3600
    oracle.judge(workflow)


def test_what_an_action_keeps_while_it_waits_is_there_when_it_is_woken(stage: Stage) -> None:
    workflow = stage.run(node("a", "wait_twice"))
    assert step(workflow, "a").output == [1, 1, 1] and tasks.calls == ["a", "a", "a"]
    assert outcomes(workflow, "a") == ["completed"]


def test_a_wait_that_makes_no_sense_fails_the_step(stage: Stage) -> None:
    tasks.behaviours["wait"] = lambda params, context: Wait(seconds=params["s"], state=None, reason="odd \0 reason")
    workflow = stage.run(*(node(f"w{n}", "behave", config={"as": "wait", "s": s}) for n, s in enumerate(["1e400", "soon"])))
    assert workflow.status == "FAILED"


def test_a_failure_after_a_wait_begins_again_from_the_start(stage: Stage) -> None:
    def behaviour(params: object, context: object) -> object:
        if context.resume is None:  # type: ignore[attr-defined]
            return Wait(seconds=60, state={"n": 1}, reason="first")
        if tasks.calls.count("a") == 2:
            raise Retry("lost it")
        return "done"

    tasks.behaviours["b"] = behaviour
    workflow = stage.run(node("a", "behave", config={"as": "b"}, retry=TWICE))
    assert (outcomes(workflow, "a"), tasks.calls) == (["retried", "completed"], ["a"] * 4)


def test_steps_with_nothing_in_common_do_not_wait_for_a_slow_one(stage: Stage) -> None:
    """A coroutine that sleeps leaves the loop to others; they end first."""
    slow = node("slow", "gated")
    workflow = stage.start(slow, node("quick"), node("open", "opens", "quick", config={"gate": "slow"}))
    stage.play(workflow)
    assert workflow.status == "COMPLETED" and tasks.calls == ["slow", "quick", "open"]


def test_a_result_that_the_database_refuses_fails_its_step_and_no_other(stage: Stage, refusing: str) -> None:
    workflow = stage.run(node("bad", config={"value": refusing}), *(node(f"good{n}") for n in range(5)))
    assert (step(workflow, "bad").status, workflow.done_steps) == ("FAILED", 5)
    assert step(workflow, "bad").error.startswith("The result could not be recorded: ")
    oracle.judge(workflow)


def test_a_clock_that_is_not_set_goes_by_the_monotonic_one() -> None:
    from workflows_app.engine.clock import Clock

    clock = Clock()
    first, began = clock.now(), time.monotonic()
    assert 0 <= (clock.now() - first).total_seconds() <= time.monotonic() - began + 1e-3
