"""The page of one workflow."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import HX, text_of
from tests.factories import a_log_line, a_template, a_worker, a_workflow, an_attempt, later
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
WIDE = [Node("start", "input"), *(Node(f"n{i}", "http_call", needs=("start",)) for i in range(448)), Node("end", "output", needs=("n0",))]


def url(workflow: Workflow, query: str = "") -> str:
    return f"/workflows/{workflow.uid}{query}"


def step_ids(response) -> list[str]:
    return re.findall(r'<tr id="step-([^"]+)"', response.content.decode())


def change(workflow: Workflow, node_id: str, **changes) -> Step:
    Step.objects.filter(workflow=workflow, node_id=node_id).update(**changes)
    return Step.objects.get(workflow=workflow, node_id=node_id)


def test_an_unknown_workflow_is_not_found_in_plain_words(reader):
    response = reader.get(f"/workflows/{uuid.uuid4()}")
    assert response.status_code == 404
    assert "There is nothing here" in text_of(response)


def test_the_page_shows_steps_progress_parameters_and_tags(reader):
    workflow = a_workflow(name="Night load", statuses={"fetch": Status.COMPLETED}, params={"day": "2026-11-20"}, tags=["env=prod"])
    response = reader.get(url(workflow))
    text = text_of(response)
    for words in ("Night load", "env=prod", "1 of 2 done", "50 %", '"day": "2026-11-20"', "✓ Completed fetch http_call 1"):
        assert words in text
    assert step_ids(response) == ["fetch", "shape"]
    assert re.search(r'<progress [^>]*max="100" value="50"', response.content.decode())


def test_a_waiting_step_names_the_step_it_waits_for(reader):
    assert "shape waits for fetch (pending)" in text_of(reader.get(url(a_workflow())))


def test_what_a_step_waits_for_can_be_followed(reader):
    html = reader.get(url(a_workflow())).content.decode()
    assert re.search(r'<a class="blocker" href="\?step=fetch"[^>]*>fetch \(pending\)</a>', html)


def test_outputs_are_those_of_the_last_steps(reader):
    workflow = a_workflow(statuses=DONE)
    change(workflow, "fetch", output={"inner": 1})
    change(workflow, "shape", output={"rows": 12})
    text = text_of(reader.get(url(workflow)))
    assert '"rows": 12' in text
    assert '"inner"' not in text


def test_an_active_page_polls_and_a_final_one_does_not(reader):
    assert b'data-poll="500"' in reader.get(url(a_workflow())).content
    assert b'data-poll="0"' in reader.get(url(a_workflow(statuses=DONE))).content


def test_the_selected_step_shows_log_attempts_output_error_and_configuration(reader):
    workflow = a_workflow(
        Node("load", "http_call", config={"url": "http://warehouse"}, retry=RetryPolicy(retries=1)), statuses={"load": Status.FAILED}
    )
    step = change(workflow, "load", attempt=2, error="HTTP 504", output={"status": 504})
    an_attempt(step, number=1, outcome="retried", error="HTTP 502")
    an_attempt(step, number=2, outcome="failed", error="HTTP 504")
    a_log_line(step, "GET http://warehouse", attempt=1)
    a_log_line(step, "no answer", level="ERROR", attempt=2)
    text = text_of(reader.get(url(workflow, "?step=load")))
    for words in (
        "INFO GET http://warehouse",
        "attempt 2",
        "ERROR no answer",
        "1 retried",
        "HTTP 502",
        "2 failed",
        '"status": 504',
        '"url": "http://warehouse"',
        "2 of 2",
    ):
        assert words in text


def test_a_running_attempt_is_listed_although_it_has_not_ended(reader):
    workflow = a_workflow(statuses={"fetch": Status.RUNNING})
    assert "1 running" in text_of(reader.get(url(workflow, "?step=fetch")))


def test_a_long_log_opens_at_its_end_and_says_how_much_came_before(reader, monkeypatch):
    monkeypatch.setattr("workflows_app.dashboard.step_detail.MOST_LINES", 3)
    workflow = a_workflow(statuses={"fetch": Status.RUNNING})
    for n in range(5):
        a_log_line(Step.objects.get(workflow=workflow, node_id="fetch"), f"line {n}")
    text = text_of(reader.get(url(workflow, "?step=fetch")))
    assert "2 earlier lines" in text
    assert "line 1" not in text
    assert text.index("line 2") < text.index("line 4")


def test_a_step_that_does_not_exist_selects_nothing(reader):
    response = reader.get(url(a_workflow(), "?step=nonsense"))
    assert response.status_code == 200
    assert b"step-detail" not in response.content


def test_steps_are_shown_by_pages_and_every_page_is_reachable(reader):
    workflow = a_workflow(*WIDE)
    seen, query = [], ""
    while query is not None:
        response = reader.get(url(workflow, query))
        seen.append(step_ids(response))
        later_page = re.search(r'href="(\?from=\d+)">Later', response.content.decode())
        query = later_page[1] if later_page else None
    assert [len(page) for page in seen] == [200, 200, 50]
    assert [id for page in seen for id in page] == [node.id for node in WIDE]


def test_a_selected_step_opens_the_page_of_steps_that_it_is_on(reader):
    response = reader.get(url(a_workflow(*WIDE), "?step=n300"))
    assert "n300" in step_ids(response)
    assert "start" not in step_ids(response)
    assert b"step-detail" in response.content


def test_steps_can_be_narrowed_to_one_status(reader):
    workflow = a_workflow(*WIDE, statuses={"start": Status.COMPLETED, "n7": Status.FAILED})
    assert step_ids(reader.get(url(workflow, "?show=failed"))) == ["n7"]
    assert step_ids(reader.get(url(workflow, "?show=stopped"))) == []


@pytest.mark.parametrize("query", ["?from=-1", "?from=99999999999", "?from=abc", "?show=nonsense", "?from=5000"])
def test_nonsense_in_the_url_does_no_harm(reader, query):
    assert reader.get(url(a_workflow(), query)).status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_steps(reader):
    def queries(workflow: Workflow) -> int:
        reader.get(url(workflow))
        with CaptureQueriesContext(connection) as captured:
            reader.get(url(workflow))
        return len(captured)

    assert queries(a_workflow(*WIDE)) == queries(a_workflow())


def test_the_poll_is_304_until_seq_rises_the_log_grows_or_a_worker_goes(reader):
    workflow = a_workflow(statuses={"fetch": Status.RUNNING})
    worker = a_worker(heartbeat_at=later(1e9))
    target = url(workflow, "?step=fetch")

    def poll(tag: str):
        return reader.get(target, headers={**HX, "HX-PTag": tag})

    tag = reader.get(target).headers["HX-PTag"]
    assert poll(tag).status_code == 304
    a_log_line(Step.objects.get(workflow=workflow, node_id="fetch"))
    second = poll(tag)
    assert second.status_code == 200
    worker.delete()
    third = poll(second.headers["HX-PTag"])
    assert third.status_code == 200
    Workflow.objects.filter(pk=workflow.pk).update(seq=2)
    assert poll(third.headers["HX-PTag"]).status_code == 200


def test_the_region_brings_the_new_title_with_it(reader):
    workflow = a_workflow(name="Night load", statuses=DONE)
    assert "<title>✓ Night load · Hybrid Engine</title>" in reader.get(url(workflow), headers=HX).content.decode()


def test_curl_lines_can_be_pasted_whatever_the_parameters_hold(reader):
    workflow = a_workflow(template=a_template("nightly"), params={"who": "it's $HOME"})
    text = text_of(reader.get(url(workflow)))
    assert f"curl http://localhost/api/workflows/{workflow.uid}" in text
    assert """-d '{"who": "it'"'"'s $HOME"}'""" in text


def test_a_token_is_asked_for_where_there_is_a_login(reader, settings):
    settings.IS_LOCAL = False
    assert "Authorization: Bearer $TOKEN" in text_of(reader.get(url(a_workflow())))


def test_stored_text_is_shown_as_text_wherever_it_appears(reader):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    node = Node("load", "http_call", name=evil, config={"url": evil})
    texts = {"name": evil, "tags": [evil], "params": {"x": evil}, "description": evil, "error": evil}
    workflow = a_workflow(node, statuses={"load": Status.FAILED}, **texts)
    step = change(workflow, "load", error=evil, output={"x": evil}, metadata={"reason": evil})
    an_attempt(step, outcome="failed", error=evil)
    a_log_line(step, evil)
    for address in (url(workflow, "?step=load"), "/workflows", f"/workflows?q={evil}"):
        html = reader.get(address).content.decode()
        assert "<img src=x" not in html
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_more_than_one_attempt_is_counted_against_those_allowed(reader):
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED})
    change(workflow, "fetch", attempt=3)
    assert "✓ Completed fetch http_call 3 of 4" in text_of(reader.get(url(workflow)))
