"""What a step waits for beside the steps above it: a person, an event, another workflow, a turn, a trigger, a worker, a pause."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import NOW, a_step, a_user, a_worker, a_workflow, an_attempt, later
from workflows_app.engine import pausing, report
from workflows_app.engine.report import standing
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

pytestmark = pytest.mark.django_db
WAITING = Status.WAITING_FOR_DEPENDENCY


def that_waits(kind: str | None, **changes: Any) -> Workflow:
    workflow = a_workflow(Node("a", "approval"), statuses={"a": WAITING})
    workflow.steps.update(**{"waits_for": kind, "attempt": 1, **changes})
    return workflow


def reason(workflow: Workflow) -> dict[str, Any]:
    (found,) = report.workflow(workflow.uid, now=NOW)["steps"][0]["waitingFor"]
    return found


@pytest.mark.parametrize(("kind", "else_said"), [("approval", "an approval"), ("event", "an event")])
def test_a_step_that_somebody_else_ends_says_who_and_until_when(kind: str, else_said: str) -> None:
    assert reason(that_waits(kind)) == {"kind": kind, "id": None, "at": None, "text": else_said}
    told = reason(that_waits(kind, available_at=later(60), metadata={"waitingFor": "the boss"}))
    assert told == {"kind": kind, "id": None, "at": "2026-11-21T12:01:00+00:00", "text": "the boss"}


def test_a_step_that_waits_for_a_workflow_names_it_and_how_it_is() -> None:
    workflow = that_waits("workflow")
    child = a_workflow(parent=workflow, parent_step=workflow.steps.get())
    assert reason(workflow) == {"kind": "workflow", "id": str(child.uid), "at": None, "text": f"workflow {child.uid}, which is PENDING"}


def test_after_a_retry_it_is_the_latest_sub_workflow() -> None:
    workflow = that_waits("workflow")
    children = [a_workflow(parent=workflow, parent_step=workflow.steps.get()) for _ in range(2)]
    assert reason(workflow)["id"] == str(children[1].uid)


def test_a_step_whose_key_is_full_names_the_key_and_who_holds_it() -> None:
    a_worker()
    policy = {"concurrency_key": "warehouse", "concurrency_limit": 1}
    holder = a_workflow(Node("load", "input"), statuses={"load": Status.RUNNING})
    holder.steps.update(**policy)
    workflow = a_workflow(Node("a", "input"))
    workflow.steps.update(**policy)
    assert reason(workflow) == {
        "kind": "limit", "id": "warehouse", "at": None,
        "text": f"a turn: at most 1 step with the key 'warehouse' run at once, now step load of workflow {holder.uid}",
    }  # fmt: skip


def test_of_many_holders_five_are_named() -> None:
    a_worker()
    policy = {"concurrency_key": "warehouse", "concurrency_limit": 7}
    for _ in range(7):
        a_workflow(Node("load", "input"), statuses={"load": Status.RUNNING}).steps.update(**policy)
    workflow = a_workflow(Node("a", "input"))
    workflow.steps.update(**policy)
    text = reason(workflow)["text"]
    assert text.count("step load of workflow") == 5 and text.endswith(", 2 more")


def test_with_a_place_free_for_its_key_it_waits_for_a_worker() -> None:
    policy = {"concurrency_key": "warehouse", "concurrency_limit": 2}
    a_workflow(Node("load", "input"), statuses={"load": Status.RUNNING}).steps.update(**policy)
    workflow = a_workflow(Node("a", "input"))
    workflow.steps.update(**policy)
    assert reason(workflow)["kind"] == "worker"


def test_one_that_was_submitted_and_not_started_waits_for_its_trigger() -> None:
    workflow = a_workflow(Node("a", "input"), statuses={"a": WAITING}, status=Status.PENDING, awaits_trigger=True)
    assert reason(workflow)["kind"] == "trigger"


def test_one_over_the_limit_of_workflows_waits_for_a_place() -> None:
    workflow = a_workflow(Node("a", "input"), statuses={"a": WAITING}, status=WAITING)
    assert reason(workflow)["text"].startswith("a place")


def test_keys_and_sub_workflows_cost_one_query_each_however_many(django_assert_num_queries: Any) -> None:
    a_worker()
    for _ in range(3):
        workflow = that_waits("workflow")
        a_workflow(parent=workflow, parent_step=workflow.steps.get()).steps.update(concurrency_key="k", concurrency_limit=1)
    with django_assert_num_queries(11):
        assert len(report.workflows(Workflow.objects.newest_first())) == 6
    assert Step.objects.filter(concurrency_key="k").count() == 6


def reasons(workflow: Workflow, seconds: float = 0) -> list[tuple[str, str]]:
    """Kind and text of what its first step waits for."""
    found = report.workflow(workflow.uid, now=later(seconds))["steps"][0]["waitingFor"]
    return [(reason["kind"], reason["text"]) for reason in found]


def test_a_due_step_whose_workers_have_nothing_else_to_do_waits_for_a_free_one() -> None:
    a_worker()
    assert reasons(a_workflow()) == [("worker", "a free worker")]


def test_busy_workers_say_what_they_run_and_how_many_steps_they_take_before_this_one() -> None:
    a_worker()
    a_worker("v" * 32)
    a_workflow(Node("busy", "input"), statuses={"busy": Status.RUNNING})
    first = a_workflow(Node("a", "input"))
    urgent = a_workflow(Node("a", "input", priority=0))
    second = a_workflow(Node("a", "input"))
    now = "2 workers run 1 step now, and "
    assert reasons(urgent) == [("worker", f"a free worker: {now}this one is next")]
    assert reasons(first) == [("worker", f"a free worker: {now}1 come before this one")]
    assert reasons(second) == [("worker", f"a free worker: {now}2 come before this one")]


def test_steps_of_the_other_executor_do_not_come_before() -> None:
    a_worker()
    other = a_workflow(Node("thread", "input"))
    other.steps.update(executor=Step.THREAD)
    assert reasons(a_workflow(Node("loop", "input"))) == [("worker", "a free worker")]


def test_of_a_long_line_only_its_length_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "MOST_IN_LINE", 3)
    a_worker()
    for _ in range(4):
        workflow = a_workflow(Node("a", "input"))
    assert reasons(workflow)[0][1].endswith("and more than 1,000 are due")


def test_without_a_worker_it_says_so_and_when_one_was_heard_of() -> None:
    assert reason(a_workflow()) == {"kind": "worker", "id": None, "at": None, "text": "a worker: none is alive"}
    a_worker(heartbeat_at=later(-300))
    a_worker("v" * 32, heartbeat_at=later(-200), stopped_at=later(-100))
    at = "2026-11-21T11:58:20+00:00"
    told = {"kind": "worker", "id": None, "at": at, "text": f"a worker: none is alive; the last was heard of at {at}"}
    assert reason(a_workflow()) == told


def test_workers_that_are_drained_are_none_that_take_steps() -> None:
    a_worker(drain_requested_at=NOW)
    assert reasons(a_workflow()) == [("worker", "a worker that takes steps: 1 worker alive, all being drained")]


def test_a_step_that_no_worker_knew_says_what_they_lack() -> None:
    workflow = a_workflow(Node("a", "mark"))
    workflow.steps.update(available_at=later(5), attempt=2, failures=1)
    an_attempt(workflow.steps.get(), number=1, outcome="retried", error="it broke")
    an_attempt(workflow.steps.get(), number=2, outcome="released", error="There is no action 'mark'")
    at = "2026-11-21T12:00:05+00:00"
    text = f"a worker that can run it, looked for again at {at}: There is no action 'mark'"
    assert reason(workflow) == {"kind": "worker", "id": None, "at": at, "text": text}


def test_one_whose_last_attempt_failed_waits_for_its_next_although_an_earlier_one_was_left() -> None:
    workflow = a_workflow(Node("a", "mark"))
    workflow.steps.update(available_at=later(5), attempt=2, failures=1)
    an_attempt(workflow.steps.get(), number=1, outcome="released", error="There is no action 'mark'")
    an_attempt(workflow.steps.get(), number=2, outcome="retried", error="it broke")
    assert reasons(workflow) == [("time", "attempt 3 of 4, due at 2026-11-21T12:00:05+00:00")]


def test_a_paused_queue_is_the_reason_whoever_is_free() -> None:
    a_worker()
    pausing.pause(by=a_user("ana"), reason="the warehouse moves", now=later(-60))
    text = "the queue, which is paused by ana since 2026-11-21 11:59:00 UTC (the warehouse moves)"
    assert reason(a_workflow()) == {"kind": "pause", "id": None, "at": "2026-11-21T11:59:00+00:00", "text": text}


def test_what_is_missing_beside_the_pause_is_told_too() -> None:
    pausing.pause(now=NOW)
    policy = {"concurrency_key": "warehouse", "concurrency_limit": 1}
    a_workflow(Node("load", "input"), statuses={"load": Status.RUNNING}).steps.update(**policy)
    workflow = a_workflow(Node("a", "input"))
    workflow.steps.update(**policy)
    assert [kind for kind, _ in reasons(workflow)] == ["pause", "limit", "worker"]
    a_worker()
    assert [kind for kind, _ in reasons(workflow)] == ["pause", "limit"]


def test_a_timer_that_is_over_waits_for_what_a_due_step_waits_for() -> None:
    a_worker(heartbeat_at=later(60))
    workflow = that_waits(None, available_at=later(60), metadata={"waitingFor": "a delay of 60 s"})
    assert reasons(workflow) == [("time", "a delay of 60 s")]
    pausing.pause(now=NOW)
    assert reasons(workflow) == [("time", "a delay of 60 s")]
    assert [kind for kind, _ in reasons(workflow, 61)] == ["pause"]


def test_the_place_in_the_line_of_a_key_is_told() -> None:
    a_worker()
    policy = {"concurrency_key": "warehouse", "concurrency_limit": 1}
    a_workflow(Node("load", "input"), statuses={"load": Status.RUNNING}).steps.update(**policy)
    waiting = [a_workflow(Node("a", "input", priority=priority)) for priority in (5, 5, 0)]
    for workflow in waiting:
        workflow.steps.update(**policy)
    ends = [reasons(workflow)[0][1].rpartition(";")[2] for workflow in waiting]
    assert ends[:2] == [" 1 wait before it", " 2 wait before it"] and ends[2].startswith("a turn")


def test_one_over_the_limit_of_workflows_says_the_limit_and_its_place(settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_concurrent_workflows": 2})
    for _ in range(2):
        a_workflow(statuses={"fetch": Status.RUNNING})
    held = [a_workflow(Node("a", "input"), statuses={"a": WAITING}, status=WAITING) for _ in range(3)]
    place = "a place: as many workflows run as MAX_CONCURRENT_WORKFLOWS allows (2 of 2), and"
    said = [reasons(workflow)[0][1] for workflow in held]
    assert said == [f"{place} none waits before this one", f"{place} 1 waits before this one", f"{place} 2 wait before this one"]


def test_a_step_that_runs_or_has_ended_waits_for_nothing_whatever_is_paused() -> None:
    pausing.pause(now=NOW)
    workflow = a_workflow(Node("a", "input"), Node("b", "input"), statuses={"a": Status.RUNNING, "b": Status.COMPLETED})
    assert [step["waitingFor"] for step in report.workflow(workflow.uid, now=NOW)["steps"]] == [[], []]


def test_an_element_waits_as_any_step_does() -> None:
    a_worker()
    workflow = a_workflow(Node("fetch", "map", body=Node("fetch", "input")))
    parent = workflow.steps.get()
    a_step(workflow, Node("fetch[0]", "input"), parent=parent)
    pausing.pause(now=NOW)
    (reason,) = report.step(workflow.uid, "fetch[0]", now=NOW)["waitingFor"]
    assert reason["kind"] == "pause"


def test_a_page_of_every_kind_costs_the_same_for_few_and_for_many(django_assert_num_queries: Any) -> None:
    def one_of_each() -> None:
        a_workflow()
        a_workflow(Node("k", "input")).steps.update(concurrency_key="k", concurrency_limit=1)
        left = a_workflow(Node("left", "input"))
        left.steps.update(available_at=later(9), attempt=2, failures=1)
        a_workflow(Node("h", "input"), statuses={"h": WAITING}, status=WAITING)

    a_worker()
    pausing.pause(now=NOW)
    one_of_each()
    report.workflows(Workflow.objects.newest_first(), now=NOW)
    for _ in range(2):
        with django_assert_num_queries(9):
            report.workflows(Workflow.objects.newest_first(), now=NOW)
        for _ in range(5):
            one_of_each()
