"""The buttons on a workflow."""

import uuid

import pytest
from django.test import Client

from tests.dashboard.conftest import text_of
from tests.factories import a_workflow
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}


def press(reader: Client, workflow: Workflow, verb: str, **form: str):
    return reader.post(f"/workflows/{workflow.uid}/{verb}", form, follow=True)


def status(workflow: Workflow) -> str:
    return Workflow.objects.get(pk=workflow.pk).status


@pytest.mark.django_db(transaction=True)
def test_stop_stops_and_leads_back_to_the_page_that_says_so():
    workflow = a_workflow()
    response = press(Client(headers={"host": "localhost"}), workflow, "stop")
    assert status(workflow) == Status.STOPPED
    assert response.redirect_chain == [(f"/workflows/{workflow.uid}", 302)]
    assert "Stopped: nothing of it starts any more." in text_of(response)


@pytest.mark.django_db(transaction=True)
def test_resume_retry_and_rerun_do_what_they_say():
    reader = Client(headers={"host": "localhost"})
    stopped, failed = a_workflow(statuses={"fetch": Status.STOPPED, "shape": Status.STOPPED}), a_workflow(statuses=FAILED, params={"a": 1})
    press(reader, stopped, "resume")
    assert status(stopped) in {Status.PENDING, Status.RUNNING}
    press(reader, failed, "retry")
    assert Step.objects.get(workflow=failed, node_id="fetch").status == Status.PENDING
    press(reader, failed, "rerun")
    again = Workflow.objects.get(parent=failed)
    assert again.params == {"a": 1}


@pytest.mark.django_db(transaction=True)
def test_a_retry_can_begin_at_one_step():
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    press(Client(headers={"host": "localhost"}), workflow, "retry", from_step="shape")
    assert [step.status for step in workflow.steps.order_by("position")] == [Status.COMPLETED, Status.PENDING]


@pytest.mark.django_db(transaction=True)
def test_what_the_state_does_not_allow_is_refused_with_the_reason():
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    assert "there is nothing to stop" in text_of(press(Client(headers={"host": "localhost"}), workflow, "stop"))
    assert status(workflow) == Status.COMPLETED


@pytest.mark.parametrize("path", [f"/workflows/{uuid.UUID(int=7)}/stop", f"/workflows/{uuid.UUID(int=7)}/explode"])
def test_unknown_workflows_and_verbs_are_not_found(reader, path):
    assert reader.post(path).status_code == 404


def test_a_step_that_does_not_exist_cannot_be_retried(reader):
    assert press(reader, a_workflow(statuses=FAILED), "retry", from_step="nonsense").status_code == 404


def test_reading_an_action_changes_nothing(reader):
    workflow = a_workflow()
    assert reader.get(f"/workflows/{workflow.uid}/stop").status_code == 405
    assert status(workflow) == Status.PENDING


def test_a_post_without_the_forms_token_is_refused_in_plain_words(db):
    workflow = a_workflow()
    response = Client(headers={"host": "localhost"}, enforce_csrf_checks=True).post(f"/workflows/{workflow.uid}/stop")
    assert response.status_code == 403
    assert "This form is out of date" in text_of(response)
    assert status(workflow) == Status.PENDING


@pytest.mark.parametrize(
    ("back", "place"),
    [
        ("?view=list&step=shape", "?view=list&step=shape"),
        ("?view=list&line=7", "?view=list"),
        ("//evil.example", ""),
        ("", ""),
        ("?", ""),
        ("?view=x", ""),
    ],
)
def test_an_action_leads_back_to_what_was_shown_and_nowhere_else(reader, back, place):
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    response = reader.post(f"/workflows/{workflow.uid}/stop", {"back": back})
    assert response.headers["Location"] == f"/workflows/{workflow.uid}{place}"
