"""What a step waits for, in words."""

import pytest

from tests.factories import NOW, a_step, a_workflow, later
from workflows_app.dashboard import waits
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

STATUSES = {"a": "COMPLETED", "b": "RUNNING", **dict.fromkeys("cdefg", "WAITING_FOR_DEPENDENCY")}
WAITING = Status.WAITING_FOR_DEPENDENCY


def words(status: Status, **changes) -> str:
    step = a_step(a_workflow(Node("a", "input")), Node("join", "output"), position=1, status=status, **changes)
    return waits.words(step, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "changes", "expected"),
    [
        (WAITING, {"available_at": later(65), "attempt": 1}, "a timer, until 12:01:05 UTC"),
        (
            WAITING,
            {"available_at": later(65), "metadata": {"waitingFor": "a delay of 65 s"}},
            "a delay of 65 s, until 12:01:05 UTC",
        ),
        (WAITING, {"attempt": 1, "waits_for": Step.APPROVAL, "metadata": {"waitingFor": "approval by ana"}}, "approval by ana"),
        (WAITING, {"attempt": 1, "waits_for": Step.EVENT}, "an event"),
        (WAITING, {"attempt": 1, "waits_for": Step.ELEMENTS}, "its elements"),
        (WAITING, {"attempt": 1, "waits_for": Step.WORKFLOW}, "the workflow that it started"),
        (WAITING, {"attempt": 1}, "an answer"),
        (WAITING, {}, waits.PLACE),
        (Status.PENDING, {}, "a free worker"),
        (Status.PENDING, {"available_at": later(4)}, "the next try at 12:00:04 UTC"),
    ],
)
def test_a_step_that_is_held_back_says_by_what(status, changes, expected):
    assert words(status, **changes) == expected


def reason(kind: str, text: str, *, id: str | None = None, at: str | None = None) -> dict:
    return {"kind": kind, "id": id, "at": at, "text": text}


def of(*reasons: dict, is_retry: bool = False) -> list[waits.Wait]:
    return waits.of_reasons(reasons, STATUSES, is_retry=is_retry, now=NOW)


def test_steps_before_it_are_named_with_how_they_are_where_they_do_not_wait_too():
    waiting = of(reason("step", "step b, which is RUNNING", id="b"), reason("step", "step c", id="c"))
    assert [(wait.words, wait.step) for wait in waiting] == [("b (running)", "b"), ("c", "c")]


def test_of_many_the_first_three_are_named_and_the_others_counted():
    assert [wait.words for wait in of(*(reason("step", f"step {id}", id=id) for id in "cdefg"))] == ["c", "d", "e", "2 more"]


def test_a_time_is_a_moment_that_the_page_counts_down_to():
    (pause,) = of(reason("time", "a delay of 65 s", at=later(65).isoformat()))
    assert (pause.words, pause.at.words) == ("a delay of 65 s", "in 1 min")
    (retry,) = of(reason("time", f"attempt 2 of 4, due at {later(4).isoformat()}", at=later(4).isoformat()), is_retry=True)
    assert (retry.words, retry.at.words) == ("the next try,", "in 4 sec")


def test_an_approval_that_expires_says_when():
    (wait,) = of(reason("approval", "approval by ana", at=later(3600).isoformat()))
    assert (wait.words, wait.at.words) == ("approval by ana, which expires", "in 1 hr")


def test_a_workflow_can_be_followed():
    assert of(reason("workflow", "workflow 4711, which is RUNNING", id="4711"))[0].workflow == "4711"


@pytest.mark.parametrize("kind", ["worker", "limit", "trigger", "answer", "event", "elements"])
def test_any_other_reason_is_told_in_the_words_of_the_api(kind):
    assert of(reason(kind, "what the API says")) == [waits.Wait("what the API says")]
