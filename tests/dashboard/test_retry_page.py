"""Retry from a chosen step with edited parameters."""

import re

import pytest
from django.test import Client

from tests.dashboard.conftest import text_of
from tests.factories import a_definition, a_template, a_workflow
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

NODES = [
    Node("a", "input"),
    Node("ask", "approval", needs=("a",)),
    Node("b", "http_call", needs=("ask",)),
    Node("c", "output", needs=("b",)),
]
SCHEMA = {"properties": {"size": {"type": "integer", "maximum": 20}}, "additionalProperties": False}
FAILED = {"a": Status.COMPLETED, "ask": Status.COMPLETED, "b": Status.FAILED, "c": Status.STOPPED}


def failed(**changes) -> Workflow:
    template = a_template(definition=a_definition(*NODES), params_schema=SCHEMA)
    return a_workflow(template=template, statuses=FAILED, params={"size": 5}, **changes)


def path(workflow: Workflow, query: str = "") -> str:
    return f"/workflows/{workflow.uid}/retry-with{query}"


def named(response, panel: str) -> list[str]:
    section = re.search(rf'aria-labelledby="{panel}-title".*?</section>', response.content.decode(), re.DOTALL)
    return re.findall(r"</span>\s*(\w+)</li>", section[0])


def test_the_form_holds_the_parameters_and_the_page_says_what_runs_again(reader):
    response = reader.get(path(failed(), "?step=b"))
    assert 'value="5"' in response.content.decode()
    assert named(response, "again") == ["b", "c"]
    assert named(response, "stay") == ["a", "ask"]
    assert "Retry 2 steps" in text_of(response)


def test_without_a_step_it_begins_at_the_first_that_failed(reader):
    assert "Retry from b" in text_of(reader.get(path(failed())))
    assert "Retry from b" in text_of(reader.get(path(failed(), "?step=nonsense")))


@pytest.mark.django_db(transaction=True)
def test_it_runs_again_with_other_parameters():
    workflow = a_workflow(
        template=a_template(params_schema=SCHEMA), statuses={"fetch": Status.COMPLETED, "shape": Status.FAILED}, params={"size": 5}
    )
    response = Client(headers={"host": "localhost"}).post(path(workflow), {"step": "shape", "p.size": "7"}, follow=True)
    assert "Tried again from shape, with these parameters." in text_of(response)
    assert Workflow.objects.get(pk=workflow.pk).params == {"size": 7}
    assert [step.status for step in workflow.steps.order_by("position")] == [Status.COMPLETED, Status.PENDING]


def test_a_wrong_value_is_told_at_its_field_and_nothing_runs(reader):
    workflow = failed()
    response = reader.post(path(workflow), {"step": "b", "p.size": "99"})
    assert response.status_code == 422
    assert "99 is greater than the maximum of 20" in text_of(response)
    assert 'value="99"' in response.content.decode()
    assert Step.objects.get(workflow=workflow, node_id="b").status == Status.FAILED


def test_what_the_engine_refuses_is_told_with_its_reason_and_what_was_typed(reader):
    workflow = failed()
    response = reader.post(path(workflow), {"step": "b", "p.size": "7"})
    assert response.status_code == 409
    assert "Step 'ask' was approved for the params of then" in text_of(response)
    assert 'value="7"' in response.content.decode()
    assert Workflow.objects.get(pk=workflow.pk).params == {"size": 5}


def test_a_workflow_that_runs_says_that_it_has_to_end_first(reader):
    workflow = a_workflow()
    assert "It still runs" in text_of(reader.get(path(workflow)))
    assert reader.post(path(workflow), {"step": "fetch"}).status_code == 409


def test_an_unknown_workflow_is_not_found(reader):
    workflow = failed()
    Step.objects.all().delete()
    Workflow.objects.all().delete()
    assert reader.get(path(workflow)).status_code == 404
