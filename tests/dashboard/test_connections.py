"""What ties a workflow to others: sub-workflows, what started it, how far its steps are, whether it was started at all."""

import pytest
from django.test import Client

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import EVIL, a_match, an_event, wait_for
from tests.factories import a_workflow
from workflows_app.dialects.params import PARAMS_SCHEMA
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

PARENT = (Node("child", "sub_workflow"), Node("after", "output", needs=("child",)))


def page(reader, workflow, query: str = "?view=list"):
    return reader.get(f"/workflows/{workflow.uid}{query}")


def a_child(parent: Workflow, **changes) -> Workflow:
    return a_workflow(parent=parent, parent_step=Step.objects.get(workflow=parent, node_id="child"), **changes)


def test_the_step_leads_to_the_workflow_that_it_started_and_that_one_back_to_the_step(reader):
    parent = a_workflow(*PARENT, name="Monthly")
    wait_for(parent, "child", Step.WORKFLOW)
    child = a_child(parent, name="Invoices")
    response = page(reader, parent)
    assert "↳ Invoices ○ Pending" in text_of(response)
    assert f'href="/workflows/{child.uid}"' in response.content.decode()
    back = page(reader, child)
    assert "by step child of Monthly" in text_of(back)
    assert f'href="/workflows/{parent.uid}?step=child"' in back.content.decode()


def test_after_a_retry_the_step_leads_to_its_latest_workflow(reader):
    parent = a_workflow(*PARENT, statuses={"child": Status.COMPLETED, "after": Status.COMPLETED})
    a_child(parent, name="first")
    a_child(parent, name="second", statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    text = text_of(page(reader, parent))
    assert "↳ second ✓ Completed" in text
    assert "first" not in text


def test_a_workflow_that_an_event_started_leads_to_it(reader):
    event = an_event(source="crm")
    workflow = a_workflow(event=event)
    event.matches = [a_match("greet", workflow=workflow)]
    event.save()
    assert "by an event from crm" in text_of(page(reader, workflow))
    assert f'href="/events/{event.uid}"' in page(reader, workflow).content.decode()


@pytest.mark.parametrize(("status", "metadata", "shown"), [
    (Status.RUNNING, {"progress": 0.42}, True),
    (Status.RUNNING, {}, False),
    (Status.RUNNING, {"progress": "much"}, False),
    (Status.COMPLETED, {"progress": 0.42}, False),
], ids=["running", "silent", "not a number", "done"])  # fmt: skip
def test_a_running_task_that_says_how_far_it_is_has_a_bar(reader, status, metadata, shown):
    workflow = a_workflow(Node("slow", "slow"), statuses={"slow": status})
    Step.objects.filter(workflow=workflow).update(metadata=metadata)
    response = page(reader, workflow)
    assert ('max="1" value="0.42" aria-label="Progress of slow"' in response.content.decode()) is shown
    assert ("42 %" in text_of(response)) is shown


def test_a_step_that_waits_for_an_event_says_for_which(reader):
    workflow = a_workflow(Node("paid", "wait_for_event"))
    wait_for(workflow, "paid", Step.EVENT, metadata={"waitingFor": "an event from bank"})
    assert "waits for an event from bank" in text_of(page(reader, workflow))
    assert "paid waits for an event from bank" in text_of(reader.get("/workflows"))


def an_untriggered(**changes) -> Workflow:
    workflow = a_workflow(awaits_trigger=True, **changes)
    Step.objects.filter(workflow=workflow).update(status=Status.WAITING_FOR_DEPENDENCY, available_at=None)
    return workflow


def test_a_workflow_that_was_only_submitted_says_so_and_has_a_start_form(reader):
    workflow = an_untriggered(params={"day": "today"})
    response = page(reader, workflow)
    assert "Submitted, not started" in text_of(response)
    assert f'action="/workflows/{workflow.uid}/trigger"' in response.content.decode()
    assert "&quot;day&quot;: &quot;today&quot;" in response.content.decode()
    assert "it was submitted, not started" in text_of(reader.get("/workflows"))
    assert b"/trigger" not in page(reader, a_workflow()).content


@pytest.mark.django_db(transaction=True)
def test_start_starts_it_once_with_the_parameters_of_the_form():
    reader, workflow = Client(headers={"host": "localhost"}), an_untriggered()
    address = f"/workflows/{workflow.uid}/trigger"
    assert reader.get(address).status_code == 405
    response = reader.post(address, {"p.*": '{"day": "today"}'})
    assert response.headers["Location"] == f"/workflows/{workflow.uid}"
    workflow.refresh_from_db()
    assert (workflow.awaits_trigger, workflow.params) == (False, {"day": "today"})
    assert Step.objects.get(workflow=workflow, node_id="fetch").status == Status.PENDING
    assert "it can be triggered again when it has ended" in text_of(reader.post(address, follow=True))
    assert Workflow.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parameters_that_do_not_fit_are_told_at_their_fields_and_nothing_starts():
    schema = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"], "additionalProperties": False}
    reader, workflow = Client(headers={"host": "localhost"}), an_untriggered(metadata={PARAMS_SCHEMA: schema})
    response = reader.post(f"/workflows/{workflow.uid}/trigger?step=fetch", {"p.size": "many"})
    assert response.status_code == 422
    assert "'many' is not of type 'integer'" in text_of(response)
    assert 'value="many"' in response.content.decode()
    assert f'hx-get="/workflows/{workflow.uid}?step=fetch"' in response.content.decode()
    workflow.refresh_from_db()
    assert workflow.awaits_trigger


def test_what_is_not_there_cannot_be_started(reader):
    assert reader.post("/workflows/00000000-0000-4000-8000-000000000000/trigger").status_code == 404


def test_the_names_of_others_are_shown_as_text(reader):
    parent = a_workflow(*PARENT, name=EVIL, event=an_event(source=EVIL))
    child = a_child(parent, name=EVIL)
    for workflow in (parent, child):
        html = page(reader, workflow).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html
