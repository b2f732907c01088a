"""Query set methods, each a word of the domain."""

from __future__ import annotations

import pytest

from tests.factories import NOW, a_definition, a_template, a_workflow, later
from workflows_app.graph.definition import Definition as Graph
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models import Step, Template, Workflow

pytestmark = pytest.mark.django_db


def test_every_workflow_is_active_or_final() -> None:
    for status in (Status.PENDING, Status.RUNNING, Status.COMPLETED, Status.FAILED, Status.STOPPED):
        a_workflow(Node("a", "input"), statuses={"a": status})
    assert {w.status for w in Workflow.objects.active()} == ACTIVE - {Status.WAITING_FOR_DEPENDENCY}
    assert {w.status for w in Workflow.objects.final()} == FINAL


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.COMPLETED, Status.FAILED, Status.STOPPED])
def test_workflows_in_one_status_are_those_and_no_others(status: Status) -> None:
    for other in (Status.PENDING, Status.RUNNING, Status.COMPLETED, Status.FAILED, Status.STOPPED):
        a_workflow(Node("a", "input"), statuses={"a": other})
    assert [workflow.status for workflow in Workflow.objects.in_status(status)] == [status]


def test_newest_first_settles_equal_times_by_age() -> None:
    rows = [a_workflow(updated_at=later(at)) for at in (0, 5, 5)]
    assert list(Workflow.objects.newest_first()) == [rows[2], rows[1], rows[0]]


def test_a_template_is_published_once_it_has_a_version_and_until_it_is_deleted() -> None:
    published = a_template()
    a_template(deleted_at=NOW)
    Template.objects.create(slug="draft", created_at=NOW, updated_at=NOW)
    assert list(Template.objects.published()) == [published]


def test_a_step_is_due_from_its_time_on() -> None:
    a_workflow(Node("a", "input"))
    assert not Step.objects.due(later(-1)).exists()
    assert Step.objects.due(NOW).exists()


def test_running_steps_are_those_with_a_lease() -> None:
    a_workflow(statuses={"fetch": Status.RUNNING})
    assert [step.node_id for step in Step.objects.running()] == ["fetch"]


def test_a_definition_comes_back_as_it_was_stored() -> None:
    nodes = (Node("a", "input"), Node("b", "http_call", needs=("a",), config={"url": "http://x"}, priority=0, timeout_seconds=3))
    row = a_definition(*nodes)
    row.refresh_from_db()
    assert row.compiled() == Graph(nodes)
    assert row.digest == Graph(nodes).digest


def test_equal_graphs_are_stored_once() -> None:
    assert a_definition(Node("a", "input")) == a_definition(Node("a", "input"))
