"""The account of what happened to a workflow, in order."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import EVIL, a_notification
from tests.factories import NOW, a_step, a_user, a_workflow, an_attempt, later
from workflows_app.dashboard import account
from workflows_app.dashboard.steps_view import View
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Repair, Step, Workflow


def told(reader, workflow: Workflow, query: str = "") -> list[str]:
    html = reader.get(f"/workflows/{workflow.uid}?view=events&step=-{query}").content.decode()
    block = re.search(r'<ol class="account">.*?</ol>', html, re.DOTALL)[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in re.findall(r"<li.*?</li>", block, re.DOTALL)]


def words(entries: list[str]) -> list[str]:
    return [re.sub(r"^\S+ | \d{4}-\d\d-\d\d.*$", "", entry) for entry in entries]


def test_attempts_retries_and_the_end_are_told_in_order(reader):
    workflow = a_workflow(statuses={"fetch": Status.FAILED, "shape": Status.STOPPED}, started_by=a_user("ana"), error="fetch: 504")
    Step.objects.filter(workflow=workflow, node_id="shape").update(attempt=0, ended_at=later(9), metadata={"reason": "upstream failed"})
    step = Step.objects.get(workflow=workflow, node_id="fetch")
    an_attempt(step, number=1, outcome="retried", error="HTTP 502", ended_at=later(3))
    an_attempt(step, number=2, outcome="failed", error="HTTP 504", ended_at=later(8), started_at=later(4))
    assert words(told(reader, workflow)) == [
        "The workflow was submitted by ana",
        "The workflow began",
        "fetch failed and is tried again, attempt 1 after 3 sec HTTP 502",
        "fetch failed, attempt 2 after 4 sec HTTP 504",
        "shape did not run upstream failed",
        "The workflow failed fetch: 504",
    ]


def test_decisions_notifications_parts_reruns_and_repairs_are_told_too(reader):
    nodes = [Node("ask", "approval"), Node("part", "sub_workflow"), Node("tell", "send_notification")]
    workflow = a_workflow(*nodes, statuses={"ask": Status.COMPLETED, "part": Status.RUNNING, "tell": Status.RUNNING})
    decided = {"approved": True, "by": "bo", "at": later(5).isoformat(), "data": {}, "reason": "fine"}
    Step.objects.filter(workflow=workflow, node_id="ask").update(output=decided)
    a_workflow(name="Part", parent=workflow, parent_step=Step.objects.get(workflow=workflow, node_id="part"))
    a_workflow(name="Again", parent=workflow)
    a_notification("Look", message="here", workflow=workflow, node_id="tell")
    Repair.objects.create(at=later(7), kind="counters", workflow=workflow, detail="was 3, is 2")
    text = " | ".join(told(reader, workflow))
    for phrase in (
        "ask Approved by bo fine",
        "part started the workflow Part",
        "run again as Again",
        "tell told people: Look here",
        "was 3, is 2",
    ):
        assert phrase in text
    assert "part began attempt 1" in text


def test_a_long_account_opens_at_its_end_and_every_page_is_reachable(reader, monkeypatch):
    monkeypatch.setattr(account, "PER_PAGE", 5)
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    step = Step.objects.get(workflow=workflow, node_id="fetch")
    for n in range(1, 11):
        an_attempt(step, number=n, outcome="retried", ended_at=later(n))
    assert "completed" in told(reader, workflow)[-1]
    html = reader.get(f"/workflows/{workflow.uid}?view=events").content.decode()
    assert "9–13 of 13" in html
    assert "1–5 of 13" in text_of(reader.get(f"/workflows/{workflow.uid}?view=events&from=0"))


def test_the_pages_of_an_account_lead_to_each_other(db, monkeypatch):
    monkeypatch.setattr(account, "PER_PAGE", 5)
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    step = Step.objects.get(workflow=workflow, node_id="fetch")
    for n in range(1, 11):
        an_attempt(step, number=n, outcome="retried", ended_at=later(n))

    def shown(start: int | None) -> tuple[str, str, str]:
        found = account.build(workflow, View(view="events", start=start), now=later(20))
        return found.range_words, found.earlier_url, found.later_url

    at = "?view=events&from={}".format
    assert shown(0) == ("1–5 of 13", "", at(5))
    assert shown(5) == ("6–10 of 13", at(0), at(10))
    assert shown(3) == ("4–8 of 13", at(0), at(8))
    assert shown(8) == shown(None) == ("9–13 of 13", at(3), "")
    assert shown(99) == ("13–13 of 13", at(7), "")


def test_what_is_of_a_step_leads_to_that_step(db):
    workflow = a_workflow(statuses={"fetch": Status.FAILED, "shape": Status.STOPPED}, started_at=NOW)
    an_attempt(Step.objects.get(workflow=workflow, node_id="fetch"), outcome="failed", ended_at=later(1))
    found = account.build(workflow, View(view="events"), now=later(20)).entries
    assert {(entry.step, entry.step_url) for entry in found if entry.step} >= {("fetch", "?view=events&step=fetch")}
    assert {entry.step_url for entry in found if not entry.step} == {""}


def test_elements_of_maps_are_left_to_their_map(reader):
    workflow = a_workflow()
    parent = Step.objects.get(workflow=workflow, node_id="fetch")
    an_attempt(a_step(workflow, Node("fetch[0]", "http_call"), position=0, status=Status.COMPLETED, parent=parent))
    assert "fetch[0]" not in " ".join(told(reader, workflow))


def test_the_number_of_queries_does_not_grow_with_what_happened(reader):
    def queries(count: int) -> int:
        workflow = a_workflow()
        for n in range(1, count + 1):
            an_attempt(Step.objects.get(workflow=workflow, node_id="fetch"), number=n, outcome="retried")
        told(reader, workflow)
        with CaptureQueriesContext(connection) as captured:
            told(reader, workflow)
        return len(captured)

    assert queries(30) == queries(2)


def test_hostile_text_is_shown_as_text(reader):
    workflow = a_workflow(statuses={"fetch": Status.FAILED, "shape": Status.STOPPED}, error=EVIL)
    an_attempt(Step.objects.get(workflow=workflow, node_id="fetch"), outcome="failed", error=EVIL)
    a_notification(EVIL, message=EVIL, workflow=workflow)
    html = reader.get(f"/workflows/{workflow.uid}?view=events").content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
