"""What a step waits for, in words."""

import pytest

from tests.factories import NOW, a_step, a_workflow, later
from workflows_app.dashboard import waits
from workflows_app.dashboard.looks import look
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status

JOIN = Node("join", "output", needs=("a", "b", "c"))
LOOKS = {
    id: (status, look(status)) for id, status in {"a": Status.COMPLETED, "b": Status.RUNNING, "c": Status.WAITING_FOR_DEPENDENCY}.items()
}


def words(status: Status, **changes) -> str:
    step = a_step(a_workflow(Node("a", "input")), JOIN, position=1, status=status, **changes)
    return waits.words(step, needs=JOIN.needs, looks=LOOKS, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "changes", "expected"),
    [
        (Status.WAITING_FOR_DEPENDENCY, {}, "b (running) and c"),
        (Status.WAITING_FOR_DEPENDENCY, {"available_at": later(65), "attempt": 1}, "a timer, until 12:01:05 UTC"),
        (
            Status.WAITING_FOR_DEPENDENCY,
            {"available_at": later(65), "metadata": {"waitingFor": "a delay of 65 s"}},
            "a delay of 65 s, until 12:01:05 UTC",
        ),
        (Status.WAITING_FOR_DEPENDENCY, {"attempt": 1, "metadata": {"waitingFor": "an approval"}}, "an approval"),
        (Status.WAITING_FOR_DEPENDENCY, {"attempt": 1}, "an answer"),
        (Status.PENDING, {}, "a free worker"),
        (Status.PENDING, {"available_at": later(4)}, "the next try at 12:00:04 UTC"),
        (Status.RUNNING, {}, ""),
        (Status.COMPLETED, {}, ""),
    ],
)
def test_a_step_says_exactly_what_is_missing(status, changes, expected):
    assert words(status, **changes) == expected


@pytest.mark.django_db
def test_a_first_step_that_was_not_admitted_waits_for_a_place():
    workflow = a_workflow(Node("a", "input"))
    step = a_step(workflow, Node("b", "input"), position=1, status=Status.WAITING_FOR_DEPENDENCY)
    assert waits.words(step, needs=(), looks={}, now=NOW) == waits.PLACE
