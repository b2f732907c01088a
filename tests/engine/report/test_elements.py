"""Elements of maps: counted, listed, and looked at one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.factories import NOW, a_log_line, a_step, a_workflow, an_attempt, later
from workflows_app.engine import report
from workflows_app.engine.errors import StepNotFound, WorkflowNotFound
from workflows_app.engine.report import BadCursor
from workflows_app.engine.report.logs import latest_lines
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

pytestmark = pytest.mark.django_db
MAP = Node("fetch", "map", body=Node("fetch", "http_call", name="Fetch one"))
DONE, RUNNING, WAITING = Status.COMPLETED, Status.RUNNING, Status.WAITING_FOR_DEPENDENCY


def a_map(statuses: Sequence[Status] = (DONE, RUNNING, WAITING), *, began: bool = True) -> Workflow:
    """A workflow whose step `fetch` has one element for each status."""
    workflow = a_workflow(MAP, Node("after", "output", needs=("fetch",)))
    parent = workflow.steps.get(node_id="fetch")
    if began:
        Step.objects.filter(pk=parent.pk).update(status=WAITING, available_at=None, waits_for="elements", attempt=1)
    for index, status in enumerate(statuses):
        body = Node(f"fetch[{index}]", "http_call")
        a_step(workflow, body, position=index, status=status, parent=parent, element=index, remaining=0)
    return workflow


def the_map(workflow: Workflow) -> dict[str, Any]:
    return report.workflow(workflow.uid, now=NOW)["steps"][0]


def test_the_workflow_shows_the_map_and_none_of_its_elements() -> None:
    assert [step["id"] for step in report.workflow(a_map().uid, now=NOW)["steps"]] == ["fetch", "after"]
    assert report.workflow(a_map().uid, now=NOW)["metrics"]["steps"] == 2


def test_a_map_counts_its_elements_by_how_they_are() -> None:
    workflow = a_map([DONE, DONE, Status.FAILED, RUNNING, WAITING, Status.PENDING, Status.STOPPED, Status.STOPPED])
    Step.objects.filter(node_id="fetch[7]").update(is_skipped=True)
    assert the_map(workflow)["metadata"]["elements"] == {
        "total": 8, "completed": 2, "failed": 1, "running": 1, "waiting": 1, "pending": 1, "stopped": 1, "skipped": 1,
    }  # fmt: skip


def test_a_map_over_an_empty_list_has_no_elements_and_says_so() -> None:
    assert the_map(a_map([]))["metadata"]["elements"]["total"] == 0


def test_a_map_that_did_not_begin_counts_nothing() -> None:
    assert "elements" not in the_map(a_map([], began=False))["metadata"]


def test_a_map_waits_for_its_elements_and_says_how_many() -> None:
    reason = {"kind": "elements", "id": None, "at": None, "text": "2 of 3 elements, which have not ended"}
    assert the_map(a_map())["waitingFor"] == [reason]


def test_maps_cost_one_query_more_however_many_there_are(django_assert_num_queries: Any) -> None:
    for _ in range(3):
        a_map([DONE] * 5)
    with django_assert_num_queries(6):
        assert len(report.workflows(Workflow.objects.newest_first())) == 3


def test_what_elements_said_is_not_loaded_with_the_workflow() -> None:
    workflow = a_map()
    for step in workflow.steps.filter(parent__isnull=False):
        a_log_line(step, "of an element")
    assert the_map(workflow)["logs"] == [] and not latest_lines([workflow.pk], per_step=5)


def test_elements_come_in_the_order_of_the_list() -> None:
    workflow = a_map([DONE] * 12)
    page = report.elements(workflow.uid, "fetch", limit=100, now=NOW)
    assert [step["id"] for step in page.steps] == [f"fetch[{index}]" for index in range(12)]
    assert page.cursor is None


def test_an_element_has_the_shape_of_a_step() -> None:
    workflow = a_map()
    (first, *_) = report.elements(workflow.uid, "fetch", limit=1, now=NOW).steps
    assert set(first) == set(the_map(workflow))
    assert (first["name"], first["action"], first["status"], first["dependencies"]) == ("Fetch one", "http_call", "COMPLETED", [])


def test_elements_come_in_pages() -> None:
    workflow, seen, cursor = a_map([DONE] * 7), [], None
    for _ in range(3):
        page = report.elements(workflow.uid, "fetch", limit=3, cursor=cursor)
        seen += [step["id"] for step in page.steps]
        cursor = page.cursor
    assert seen == [f"fetch[{index}]" for index in range(7)] and cursor is None


def test_elements_in_some_statuses_only() -> None:
    page = report.elements(a_map([DONE, RUNNING, DONE]).uid, "fetch", statuses=["COMPLETED"], limit=1)
    assert ([step["id"] for step in page.steps], page.cursor) == (["fetch[0]"], "0")
    assert report.elements(a_map([DONE]).uid, "fetch", statuses=["FAILED"], limit=5).steps == []


def test_a_page_of_elements_costs_the_same_however_long(django_assert_num_queries: Any) -> None:
    workflow = a_map([DONE] * 30)
    report.elements(workflow.uid, "fetch", limit=1)
    with django_assert_num_queries(7):
        assert len(report.elements(workflow.uid, "fetch", limit=30).steps) == 30


def test_a_step_that_is_no_map_has_no_elements() -> None:
    assert report.elements(a_map().uid, "after", limit=5).steps == []


def test_elements_of_another_map_do_not_show() -> None:
    a_map([DONE] * 5)
    assert len(report.elements(a_map([DONE]).uid, "fetch", limit=5).steps) == 1


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 10, "١", "\0"])
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        report.elements(a_map().uid, "fetch", limit=5, cursor=cursor)


def test_elements_of_what_is_not_there() -> None:
    with pytest.raises(WorkflowNotFound):
        report.elements("7", "fetch", limit=5)
    with pytest.raises(StepNotFound):
        report.elements(a_map().uid, "fetsch", limit=5)


def test_one_element_can_be_looked_at_with_its_attempts_and_its_log() -> None:
    workflow = a_map()
    row = workflow.steps.get(node_id="fetch[0]")
    an_attempt(row, ended_at=later(1))
    a_log_line(row, "of this element")
    shown = report.step(workflow.uid, "fetch[0]", now=NOW)
    assert (shown["id"], len(shown["attemptHistory"]), len(shown["logs"])) == ("fetch[0]", 1, 1)
    assert report.log_lines(workflow.uid, "fetch[0]")["lines"][0]["message"] == "of this element"


@pytest.mark.parametrize("step_id", ["fetch[9]", "fetch[", "fetch[]", "[0]", "after[0]", "fetch[0][0]", "fetch[-1]"])
def test_an_element_that_is_not_there_is_not_found(step_id: str) -> None:
    with pytest.raises(StepNotFound):
        report.step(a_map().uid, step_id)


def test_an_element_that_waits_for_its_turn_says_so() -> None:
    workflow = a_map([WAITING])
    Step.objects.filter(node_id="fetch[0]").update(waits_for="turn")
    (reason,) = report.step(workflow.uid, "fetch[0]", now=NOW)["waitingFor"]
    assert (reason["kind"], reason["text"]) == ("limit", "its turn: as many elements of the map run as its limit allows")
