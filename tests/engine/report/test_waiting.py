"""What a step waits for beside the steps above it: a person, an event, another workflow, a turn, a trigger."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import NOW, a_workflow, later
from workflows_app.engine import report
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
    policy = {"concurrency_key": "warehouse", "concurrency_limit": 1}
    holder = a_workflow(Node("load", "input"), statuses={"load": Status.RUNNING})
    holder.steps.update(**policy)
    workflow = a_workflow(Node("a", "input"))
    workflow.steps.update(**policy)
    assert reason(workflow) == {
        "kind": "limit", "id": "warehouse", "at": None,
        "text": f"a turn: at most 1 steps with the key 'warehouse' run at once, now step load of workflow {holder.uid}",
    }  # fmt: skip


def test_of_many_holders_five_are_named() -> None:
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
    for _ in range(3):
        workflow = that_waits("workflow")
        a_workflow(parent=workflow, parent_step=workflow.steps.get()).steps.update(concurrency_key="k", concurrency_limit=1)
    with django_assert_num_queries(7):
        assert len(report.workflows(Workflow.objects.newest_first())) == 6
    assert Step.objects.filter(concurrency_key="k").count() == 6
