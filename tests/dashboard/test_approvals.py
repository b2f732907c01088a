"""The pages on approvals: what waits for me, the form, and the decision."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import HX, text_of
from tests.dashboard.rows import EVIL, FORM, asking, signed_in, wait_for
from tests.factories import NOW, a_step, a_user, a_workflow, later
from workflows_app.catalog.approvals import decide
from workflows_app.dialects import params_schema
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

FILLED = {"decision": "approve", "p.amount": "30", "p.account": "main", "reason": "in the budget"}


def post(reader: Client, workflow: Workflow, **changes: str):
    return reader.post(f"/approvals/{workflow.uid}/ask", {**FILLED, **changes})


def answer(workflow: Workflow):
    return Step.objects.get(workflow=workflow, node_id="ask").answer


@pytest.fixture
def local(transactional_db) -> Client:
    """A browser whose requests commit, as decisions do."""
    return Client(headers={"host": "localhost"})


def test_the_list_tells_what_is_asked_by_which_workflow_since_when_and_until_when(reader):
    asked = {"title": "Pay Aster?", "message": "Invoice 4711"}
    workflow = asking(name="Invoices", asked=asked, approvers=["ana", "finance"])
    Step.objects.filter(workflow=workflow).update(
        metadata={**Step.objects.get(workflow=workflow).metadata, "expiresAt": later(1e9).isoformat()}
    )
    response = reader.get("/approvals")
    text, html = text_of(response), response.content.decode()
    assert "Pay Aster? step ask of Invoices · asked" in text
    assert re.search(r"expires in \d+ d · for ana and finance Invoice 4711", text)
    assert f'href="/workflows/{workflow.uid}?step=ask"' in html
    assert "<title>(1) Approvals" in html


def test_without_any_the_list_says_so(reader):
    assert "Nothing waits for you" in text_of(reader.get("/approvals"))


def test_the_form_is_made_from_the_schema_and_its_defaults(reader):
    asking(form=FORM)
    html = reader.get("/approvals").content.decode()
    assert re.search(
        r'<input class="input" id="a\d+-1-f-amount" type="number" name="p.amount" value="20" step="1" min="1" max="500" req', html
    )
    assert '<option value="travel">travel</option>' in html


def test_no_two_fields_of_the_list_share_an_id(reader):
    for _ in range(3):
        asking(form=FORM)
    ids = re.findall(r'\sid="([^"]+)"', reader.get("/approvals").content.decode())
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("back", ["", "workflow"])
def test_an_approval_records_the_form_who_and_when_and_leads_back(local, back):
    workflow = asking(form=FORM)
    response = post(local, workflow, back=back)
    assert response.headers["Location"] == (f"/workflows/{workflow.uid}?step=ask" if back else "/approvals")
    given = answer(workflow)
    assert given.pop("at")
    assert given == {"approved": True, "by": "local", "data": {"amount": 30, "account": "main"}, "reason": "in the budget"}
    assert "Approved: ask" in text_of(local.get("/approvals"))


def test_of_a_rejection_nothing_is_required(local):
    workflow = asking(form=FORM)
    assert post(local, workflow, **{"decision": "reject", "p.amount": "", "p.account": "", "reason": "too much"}).status_code == 302
    assert (answer(workflow)["approved"], answer(workflow)["reason"]) == (False, "too much")


def test_errors_stand_at_their_fields_in_the_words_of_the_api_and_what_was_typed_stays(local):
    workflow = asking(form=FORM)
    response = post(local, workflow, **{"p.amount": "900", "p.account": ""})
    assert response.status_code == 422
    html, text = response.content.decode(), text_of(response)
    assert "900 is greater than the maximum of 500" in text
    assert "✕ is missing" in text
    assert re.search(r'value="900"[^>]*aria-invalid="true"', html)
    assert "in the budget</textarea>" in html
    assert answer(workflow) is None


def test_who_was_too_late_is_told_who_was_quicker(local):
    workflow = asking()
    decide(uid=workflow.uid, step_id="ask", approved=True, data={}, by=a_user("ana"), now=NOW)
    response = local.post(f"/approvals/{workflow.uid}/ask", {"decision": "reject"}, follow=True)
    assert "decided already, by ana" in text_of(response)
    assert answer(workflow)["by"] == "ana"


def test_a_form_with_a_reason_of_its_own_is_not_asked_for_two(local):
    workflow = asking(form={"properties": {"reason": {"type": "string"}}})
    assert b'name="reason"' not in local.get(f"/approvals/{workflow.uid}/ask").content
    local.post(f"/approvals/{workflow.uid}/ask", {"decision": "approve", "p.reason": "cheap"})
    assert answer(workflow)["data"] == {"reason": "cheap"}


def test_a_form_that_takes_anything_takes_an_object_typed_as_json(local):
    workflow = asking(form={"additionalProperties": True})
    refused = local.post(f"/approvals/{workflow.uid}/ask", {"decision": "approve", "p.*": "[1"})
    assert refused.status_code == 422
    assert "must be a JSON object" in text_of(refused)
    assert "[1</textarea>" in refused.content.decode()
    local.post(f"/approvals/{workflow.uid}/ask", {"decision": "approve", "p.*": '{"any": [1]}'})
    assert answer(workflow)["data"] == {"any": [1]}


@pytest.mark.django_db(transaction=True)
def test_only_approvers_see_count_and_decide_it(server_mode):
    ana, bo = signed_in(a_user("ana")), signed_in(a_user("bo"))
    workflow = asking(approvers=["ana"], asked={"title": "Pay Aster?"})
    assert "Pay Aster?" in text_of(ana.get("/approvals"))
    assert "Nothing waits for you" in text_of(bo.get("/approvals"))
    assert "Decided by ana; you are bo." in text_of(bo.get(f"/workflows/{workflow.uid}?step=ask"))
    response = post(bo, workflow)
    assert response.status_code == 403
    assert "Step 'ask' is decided by ana; you are bo" in text_of(response)
    assert answer(workflow) is None
    assert post(ana, workflow).status_code == 302


def test_an_element_of_a_map_is_decided_by_itself(local):
    workflow = a_workflow(Node("ask", "map", body=Node("ask", "approval")))
    parent = wait_for(workflow, "ask", Step.ELEMENTS, open_elements=2)
    for index in range(2):
        a_step(workflow, Node(f"ask[{index}]", "approval"), position=index, parent=parent, element=index)
        asked = {"title": f"Number {index}?", "message": "Well?", "form": params_schema.normalise({}), "approvers": []}
        wait_for(workflow, f"ask[{index}]", Step.APPROVAL, metadata={"approval": asked})
    address = re.search(r'action="([^"]+)"[^>]*id="a', local.get(f"/workflows/{workflow.uid}?step=ask[1]").content.decode())[1]
    response = local.post(address, {"decision": "approve", "back": "workflow"})
    assert response.headers["Location"] == f"/workflows/{workflow.uid}?step=ask%5B1%5D"
    assert [step.answer and step.answer["approved"] for step in Step.objects.filter(parent=parent).order_by("position")] == [None, True]


def test_a_decision_needs_a_form_of_ours(transactional_db):
    workflow = asking()
    stranger = Client(headers={"host": "localhost"}, enforce_csrf_checks=True)
    assert post(stranger, workflow).status_code == 403
    assert answer(workflow) is None


def test_the_page_of_one_that_is_decided_leads_to_its_workflow(reader):
    workflow = a_workflow(Node("ask", "approval"), statuses={"ask": Status.COMPLETED})
    assert reader.get(f"/approvals/{workflow.uid}/ask").headers["Location"] == f"/workflows/{workflow.uid}?step=ask"


@pytest.mark.parametrize("path", ["ask2", "00000000-0000-4000-8000-000000000000/ask"])
def test_what_is_not_there_is_not_found(reader, path):
    uid = asking().uid
    assert reader.get(f"/approvals/{path if '/' in path else f'{uid}/{path}'}").status_code == 404


def test_the_waiting_step_of_a_workflow_has_the_same_form(reader):
    workflow = asking(form=FORM, asked={"title": "Pay Aster?"})
    closed, opened = reader.get(f"/workflows/{workflow.uid}"), reader.get(f"/workflows/{workflow.uid}?step=ask")
    assert "Decide ask…" in text_of(closed)
    html = opened.content.decode()
    assert f'action="/approvals/{workflow.uid}/ask"' in html
    assert 'name="back" value="workflow"' in html
    assert "Pay Aster?" in text_of(opened)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ({"approved": True, "by": "ana", "at": NOW.isoformat(), "data": {}, "reason": "cheap"}, "Approved by ana"),
        ({"approved": False, "by": "bo", "at": NOW.isoformat(), "data": {}, "reason": "cheap"}, "Rejected by bo"),
        (
            {"approved": True, "by": None, "at": None, "data": {}, "reason": "cheap", "expired": True},
            "Approved, as nobody decided in time",
        ),
    ],
    ids=["approved", "rejected", "expired"],
)
def test_a_decided_step_says_who_decided_what_and_when(reader, output, told):
    workflow = a_workflow(Node("ask", "approval"), statuses={"ask": Status.COMPLETED})
    Step.objects.filter(workflow=workflow).update(output=output)
    text = text_of(reader.get(f"/workflows/{workflow.uid}?step=ask"))
    assert re.search(rf"{told} ?, .+ ago cheap", text)


def test_a_rejection_that_failed_the_step_says_who_rejected_it(reader):
    workflow = a_workflow(Node("ask", "approval"), statuses={"ask": Status.FAILED})
    Step.objects.filter(workflow=workflow).update(error="Rejected by bo: too much")
    assert re.search(r"Rejected by bo: too much , .+ ago", text_of(reader.get(f"/workflows/{workflow.uid}?step=ask")))


def test_the_poll_is_304_until_one_comes_or_goes(reader):
    workflow = asking()
    tag = reader.get("/approvals").headers["HX-PTag"]
    assert reader.get("/approvals", headers={**HX, "HX-PTag": tag}).status_code == 304
    Step.objects.filter(workflow=workflow).update(waits_for=None)
    assert "Nothing waits for you" in text_of(reader.get("/approvals", headers={**HX, "HX-PTag": tag}))


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_approvals(server_mode):
    reader = signed_in(a_user("ana"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            reader.get("/approvals")
        return len(captured)

    asking(approvers=["ana"], form=FORM)
    queries()
    few = queries()
    for _ in range(12):
        asking(approvers=["ana"], form=FORM)
        asking(approvers=["bo"])
    assert queries() == few


def test_stored_text_is_shown_as_text(reader):
    form = {"properties": {"x": {"type": "string", "title": EVIL, "description": EVIL, "default": EVIL}}}
    workflow = asking(name=EVIL, form=form, asked={"title": EVIL, "message": EVIL}, approvers=[EVIL])
    for address in ("/approvals", f"/approvals/{workflow.uid}/ask", f"/workflows/{workflow.uid}?step=ask"):
        html = reader.get(address).content.decode()
        assert "<img src=x" not in html
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize("typed", ["1e999", "-1e999", '"\\ud800"', "9" * 5_000, "NaN"])
def test_numbers_that_no_database_keeps_are_refused_at_their_field(local, typed):
    workflow = asking(form={"properties": {"amount": {"type": "number"}, "any": {}}})
    response = post(local, workflow, **{"p.amount": typed, "p.any": typed})
    assert response.status_code == 422 and answer(workflow) is None


def test_a_reason_loses_what_no_database_keeps(local):
    workflow = asking()
    assert post(local, workflow, reason="in the\0 budget").status_code == 302
    assert answer(workflow)["reason"] == "in the budget"
