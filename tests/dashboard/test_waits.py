"""What a step waits for, in words: in full where the page counts down, in short for lists, both made of the API's `waitingFor`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dashboard.rows import EVIL, asking, mapping, wait_for
from tests.factories import NOW, a_step, a_worker, a_workflow, later
from workflows_app.dashboard import waits
from workflows_app.engine import pausing
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

STATUSES = {"a": "COMPLETED", "b": "RUNNING", **dict.fromkeys("cdefg", "WAITING_FOR_DEPENDENCY")}
WAITING = Status.WAITING_FOR_DEPENDENCY
DAY = 24 * 3600


def words(status: Status, **changes: Any) -> str:
    """Of a workflow with this one step."""
    workflow = a_workflow(Node("b", "output"))
    workflow.steps.all().delete()
    a_step(workflow, Node("b", "output"), status=status, **changes)
    return waits.of_workflows([workflow], now=NOW)[workflow.pk].removeprefix("b ").removeprefix("waits for ")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"available_at": later(65), "attempt": 1}, "its time, until 12:01:05 UTC"),
        ({"available_at": later(65), "metadata": {"waitingFor": "a delay of 65 s"}}, "a delay of 65 s, until 12:01:05 UTC"),
        ({"attempt": 1, "waits_for": Step.APPROVAL, "metadata": {"waitingFor": "approval by ana"}}, "approval by ana"),
        ({"attempt": 1, "waits_for": Step.APPROVAL, "available_at": later(2 * DAY)}, "an approval, until 2026-11-23 12:00 UTC"),
        ({"attempt": 1, "waits_for": Step.EVENT}, "an event"),
        ({"attempt": 1, "waits_for": Step.WORKFLOW}, "a workflow"),
        ({"attempt": 1}, "an answer from outside"),
        ({}, "a place: as many workflows run as MAX_CONCURRENT_WORKFLOWS allows"),
    ],
)
def test_a_step_that_is_held_back_says_by_what(changes: dict[str, Any], expected: str) -> None:
    assert words(WAITING, **changes) == expected


@pytest.mark.django_db
def test_the_next_try_says_which_of_how_many() -> None:
    workflow = a_workflow(Node("a", "input"))
    workflow.steps.update(available_at=later(4), attempt=1, failures=1)
    assert line(workflow) == "a waits for attempt 2 of 4 at 12:00:04 UTC"


@pytest.mark.django_db
def test_what_is_due_says_what_keeps_workers_from_it() -> None:
    assert words(Status.PENDING).startswith("a worker: none is alive")
    a_worker()
    assert words(Status.PENDING).startswith("a free worker")
    pausing.pause(reason=EVIL, now=NOW)
    assert words(Status.PENDING) == f"the queue, which is paused since 2026-11-21 12:00:00 UTC ({EVIL})"


def reason(kind: str, text: str, *, id: str | None = None, at: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "id": id, "at": at, "text": text}


def of(*reasons: dict[str, Any]) -> list[waits.Wait]:
    return waits.of_reasons(reasons, STATUSES, now=NOW)


def test_steps_before_it_are_named_with_how_they_are_where_they_do_not_wait_too() -> None:
    waiting = of(reason("step", "step b, which is RUNNING", id="b"), reason("step", "step c", id="c"))
    assert [(wait.words, wait.step) for wait in waiting] == [("b (running)", "b"), ("c", "c")]


def test_of_many_the_first_three_are_named_and_the_others_counted() -> None:
    assert [wait.words for wait in of(*(reason("step", f"step {id}", id=id) for id in "cdefg"))] == ["c", "d", "e", "2 more"]


def test_a_time_is_a_moment_that_the_page_counts_down_to() -> None:
    (pause,) = of(reason("time", "a delay of 65 s", at=later(65).isoformat()))
    assert (pause.words, pause.at and pause.at.words) == ("a delay of 65 s", "in 1 min")
    (retry,) = of(reason("time", f"attempt 2 of 4, due at {later(4).isoformat()}", at=later(4).isoformat()))
    assert (retry.words, retry.at and retry.at.words) == ("attempt 2 of 4,", "in 4 sec")


def test_an_approval_that_expires_says_when() -> None:
    (wait,) = of(reason("approval", "approval by ana", at=later(3600).isoformat()))
    assert (wait.words, wait.at and wait.at.words) == ("approval by ana, which expires", "in 1 hr")


@pytest.mark.parametrize("kind", ["pause", "worker"])
def test_since_when_nothing_starts_is_no_time_that_it_waits_for(kind: str) -> None:
    assert of(reason(kind, "since long ago", at=later(-3600).isoformat())) == [waits.Wait("since long ago")]


def test_a_workflow_can_be_followed() -> None:
    assert of(reason("workflow", "workflow 4711, which is RUNNING", id="4711"))[0].workflow == "4711"


@pytest.mark.parametrize("kind", ["worker", "limit", "trigger", "answer", "event", "elements", "pause"])
def test_any_other_reason_is_told_in_the_words_of_the_api(kind: str) -> None:
    assert of(reason(kind, "what the API says")) == [waits.Wait("what the API says")]


def line(workflow: Workflow) -> str | None:
    return waits.of_workflows([workflow], now=NOW).get(workflow.pk)


@pytest.mark.django_db
def test_of_a_workflow_the_first_step_that_is_held_up_is_named_and_the_others_counted() -> None:
    workflow = a_workflow(*(Node(id, "delay") for id in "abc"))
    for seconds, step in zip((30, 10, 20), workflow.steps.order_by("position"), strict=True):
        Step.objects.filter(pk=step.pk).update(status=WAITING, attempt=1, available_at=later(seconds), metadata={"waitingFor": "a delay"})
    assert line(workflow) == "b waits for a delay, until 12:00:10 UTC, and 2 more steps"


@pytest.mark.django_db
def test_what_a_person_can_answer_comes_before_what_time_brings() -> None:
    workflow = asking(approvers=["ana"])
    nap = a_step(workflow, Node("nap", "delay"), position=1, status=WAITING, available_at=later(5), attempt=1)
    assert line(workflow) == "ask waits for approval by anybody, and 1 more step"
    wait_for(workflow, "ask", Step.EVENT)
    assert str(line(workflow)).startswith(f"{nap.node_id} waits for")


@pytest.mark.django_db
def test_a_workflow_of_which_something_runs_or_that_has_ended_waits_for_nothing() -> None:
    busy = a_workflow(Node("a", "delay"), Node("b", "delay"), statuses={"a": Status.RUNNING})
    over = a_workflow(Node("a", "delay"), statuses={"a": Status.COMPLETED})
    assert waits.of_workflows([busy, over], now=NOW) == {}


@pytest.mark.django_db
def test_what_holds_the_workflow_as_a_whole_names_no_step() -> None:
    submitted = a_workflow(Node("a", "input"), statuses={"a": WAITING}, status=Status.PENDING, awaits_trigger=True)
    assert line(submitted) == "waits for somebody to trigger the workflow: it was submitted, not started"
    held = a_workflow(Node("a", "input"), statuses={"a": WAITING}, status=WAITING)
    assert str(line(held)).startswith("waits for a place: ")


@pytest.mark.django_db
def test_a_map_says_how_many_elements_are_open_or_what_keeps_them() -> None:
    workflow = mapping([Status.COMPLETED, Status.FAILED])
    Step.objects.filter(node_id="fetch[1]").update(status=WAITING, waits_for=Step.TURN, ended_at=None)
    assert line(workflow) == "fetch waits for 1 of 2 elements, which have not ended"
    Step.objects.filter(node_id="fetch[1]").update(status=Status.PENDING, waits_for=None, available_at=NOW)
    pausing.pause(now=NOW)
    assert str(line(workflow)).startswith("fetch[1] waits for the queue, which is paused")


@pytest.mark.django_db
def test_a_page_of_workflows_costs_as_many_queries_as_one(django_assert_num_queries: Any) -> None:
    def a_page(count: int) -> list[Workflow]:
        made = []
        for number in range(count):
            made += [a_workflow(Node(f"a{number}", "input")), asking(), mapping([Status.PENDING] * 3)]
            again = a_workflow(Node("again", "input"))
            again.steps.update(available_at=later(9), attempt=1, failures=1)
            limited = a_workflow(Node("limited", "input"))
            limited.steps.update(concurrency_key="k", concurrency_limit=1)
            left = a_workflow(Node("left", "input"))
            left.steps.update(available_at=later(9), attempt=2, failures=1)
            made += [again, limited, left, a_workflow(Node("h", "input"), statuses={"h": WAITING}, status=WAITING)]
        return made

    a_worker()
    few, many = a_page(1), a_page(6)
    waits.of_workflows(few, now=NOW)
    for page in (few, many):
        with django_assert_num_queries(9):
            assert len(waits.of_workflows(page, now=NOW)) == len(page)
