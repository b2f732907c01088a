"""States and outputs of the nodes of one workflow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.report.test_elements import a_map
from tests.factories import a_workflow
from workflows_app.engine.errors import WorkflowNotFound
from workflows_app.engine.report.nodes import results, states
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db
DONE = Status.COMPLETED
FORK = (Node("a", "input"), Node("b", "input", needs=("a",)), Node("c", "input", needs=("a",)))


def ended(*nodes: Node, **statuses: Status) -> Workflow:
    """Each completed step's output is its id."""
    workflow = a_workflow(*nodes, statuses={node.id: statuses.get(node.id, DONE) for node in nodes})
    for step in workflow.steps.filter(status=DONE):
        workflow.steps.filter(pk=step.pk).update(output=step.node_id)
    return workflow


def test_a_node_that_waits_and_never_began_is_pending_and_one_that_began_waits() -> None:
    workflow = a_workflow(*FORK, statuses={"a": Status.RUNNING, "b": Status.WAITING_FOR_DEPENDENCY})
    workflow.steps.filter(node_id="b").update(attempt=1)
    assert states(workflow.uid)["node_states"] == {"a": "RUNNING", "b": "WAITING_FOR_DEPENDENCY", "c": "PENDING"}


def test_the_output_of_the_only_end_is_the_output() -> None:
    workflow = ended(Node("a", "input"), Node("b", "input", needs=("a",)))
    assert (results(workflow.uid)["results"], results(workflow.uid)["output"]) == ({"a": "a", "b": "b"}, "b")


def test_of_several_ends_each_that_completed_is_there_by_its_id() -> None:
    assert results(ended(*FORK).uid)["output"] == {"b": "b", "c": "c"}
    assert results(ended(*FORK, c=Status.FAILED).uid)["output"] == {"b": "b"}


def test_an_end_that_did_not_complete_has_no_output() -> None:
    assert results(ended(Node("a", "input"), Node("b", "input", needs=("a",)), b=Status.FAILED).uid)["output"] is None


def test_elements_of_maps_are_no_nodes(django_assert_num_queries: Any) -> None:
    workflow = a_map([DONE] * 3)
    assert set(states(workflow.uid)["node_states"]) == {"fetch", "after"}
    assert results(workflow.uid)["results"] == {}
    with django_assert_num_queries(2):
        states(workflow.uid)


@pytest.mark.parametrize("read", [states, results])
def test_an_unknown_workflow_is_not_found(read: Any) -> None:
    with pytest.raises(WorkflowNotFound):
        read("7")
