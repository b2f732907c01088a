"""The page of one workflow."""

import json
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import HX, text_of
from tests.factories import NOW, a_log_line, a_template, a_user, a_worker, a_workflow, an_attempt, later
from workflows_app.dashboard.steps_view import VIEWS
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import Event, Step, Workflow

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
    response = reader.get(url(workflow, "?view=list"))
    text = text_of(response)
    for words in ("Night load", "env=prod", "1 of 2 done", "50 %", "✓ Completed fetch http_call 1"):
        assert words in text
    assert '"day": "2026-11-20"' in text_of(reader.get(url(workflow, "?view=params")))
    assert step_ids(response) == ["fetch", "shape"]
    assert re.search(r'<progress [^>]*max="100" value="50"', response.content.decode())


def test_a_waiting_step_names_the_step_it_waits_for(reader):
    assert "shape waits for fetch (pending)" in text_of(reader.get(url(a_workflow(), "?view=list")))


def test_what_a_step_waits_for_can_be_followed(reader):
    html = reader.get(url(a_workflow(), "?view=list")).content.decode()
    assert re.search(r'<a class="blocker" href="\?view=list&amp;step=fetch"[^>]*>fetch \(pending\)</a>', html)


def test_outputs_are_those_of_the_last_steps(reader):
    workflow = a_workflow(statuses=DONE)
    change(workflow, "fetch", output={"inner": 1})
    change(workflow, "shape", output={"rows": 12})
    text = text_of(reader.get(url(workflow, "?view=outputs")))
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


def test_a_step_that_does_not_exist_selects_nothing(reader):
    response = reader.get(url(a_workflow(), "?step=nonsense"))
    assert response.status_code == 200
    assert b"step-detail" not in response.content


def test_steps_are_shown_by_pages_and_every_page_is_reachable(reader):
    workflow = a_workflow(*WIDE)
    seen, query = [], "?view=list"
    while query is not None:
        response = reader.get(url(workflow, query))
        seen.append(step_ids(response))
        later_page = re.search(r'href="(\?view=list&amp;from=\d+)"[^>]*>Later', response.content.decode())
        query = later_page[1].replace("&amp;", "&") if later_page else None
    assert [len(page) for page in seen] == [200, 200, 50]
    assert [id for page in seen for id in page] == [node.id for node in WIDE]


def test_a_selected_step_opens_the_page_of_steps_that_it_is_on(reader):
    response = reader.get(url(a_workflow(*WIDE), "?view=list&step=n300"))
    assert "n300" in step_ids(response)
    assert "start" not in step_ids(response)
    assert b"step-detail" in response.content


def test_steps_can_be_narrowed_to_one_status(reader):
    workflow = a_workflow(*WIDE, statuses={"start": Status.COMPLETED, "n7": Status.FAILED})
    assert step_ids(reader.get(url(workflow, "?view=list&show=failed"))) == ["n7"]
    assert step_ids(reader.get(url(workflow, "?view=list&show=stopped"))) == []


@pytest.mark.parametrize(
    "query",
    [
        "?from=-1",
        "?from=99999999999",
        "?from=abc",
        "?show=nonsense",
        "?from=5000",
        "?view=x",
        "?step=fetch&attempt=9",
        "?step=fetch&line=0",
    ],
)
def test_nonsense_in_the_url_does_no_harm(reader, query):
    assert reader.get(url(a_workflow(), query)).status_code == 200


@pytest.mark.parametrize("view", VIEWS)
def test_the_number_of_queries_does_not_grow_with_the_steps(reader, view):
    def queries(workflow: Workflow) -> int:
        reader.get(url(workflow, f"?view={view}&step=n0"))
        with CaptureQueriesContext(connection) as captured:
            reader.get(url(workflow, f"?view={view}&step=n0"))
        return len(captured)

    small = [WIDE[0], WIDE[1], WIDE[-1]]
    assert queries(a_workflow(*WIDE)) <= queries(a_workflow(*small))


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


def test_the_title_tells_how_far_it_is_until_it_has_ended(reader):
    running = a_workflow(name="Night load", statuses={"fetch": Status.COMPLETED})
    assert "<title>1/2 · Night load · Hybrid Engine</title>" in reader.get(url(running), headers=HX).content.decode()
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
    views = [url(workflow, f"?view={view}&step=load") for view in VIEWS]
    for address in (*views, url(workflow, "?step=load&find=script"), f"/workflows/{workflow.uid}/retry-with", f"/workflows?q={evil}"):
        html = reader.get(address).content.decode()
        assert "<img src=x" not in html
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_more_than_one_attempt_is_counted_against_those_allowed(reader):
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED})
    change(workflow, "fetch", attempt=3)
    assert "✓ Completed fetch http_call 3 of 4" in text_of(reader.get(url(workflow, "?view=list")))


def test_a_failed_workflow_opens_at_its_first_failed_step_until_another_is_selected(reader):
    nodes = [Node("a", "input"), Node("b", "input"), Node("c", "output", needs=("a",))]
    workflow = a_workflow(*nodes, statuses={"a": Status.FAILED, "b": Status.FAILED, "c": Status.STOPPED})
    change(workflow, "a", ended_at=later(9))
    opened = reader.get(url(workflow)).content.decode()
    assert 'aria-label="Step b"' in opened
    assert "?view=list&amp;step=b" in opened, "the other views keep the selection"
    assert 'aria-label="Step c"' in reader.get(url(workflow, "?step=c")).content.decode()
    assert b"step-detail" not in reader.get(url(workflow, "?step=-")).content


def test_who_started_it_is_told(reader):
    parent = a_workflow(name="Whole")
    step = Step.objects.get(workflow=parent, node_id="fetch")
    event = Event.objects.create(source="crm", payload={}, received_at=NOW)
    assert "by ana" in text_of(reader.get(url(a_workflow(started_by=a_user("ana")))))
    assert "by step fetch of Whole" in text_of(reader.get(url(a_workflow(parent=parent, parent_step=step))))
    assert "by an event from crm" in text_of(reader.get(url(a_workflow(event=event))))
    assert f"again after Whole {str(parent.uid)[:8]}" in text_of(reader.get(url(a_workflow(parent=parent))))


def test_a_failed_one_can_be_compared_with_the_last_good_one_of_its_template(reader):
    template = a_template("nightly")
    old = a_workflow(template=template, statuses=DONE, ended_at=later(1))
    good = a_workflow(template=template, statuses=DONE, ended_at=later(5))
    a_workflow(template=template, statuses=DONE, ended_at=later(99))
    failed = a_workflow(template=template, statuses=FAILED)
    html = reader.get(url(failed)).content.decode()
    assert f"/workflows/compare?a={good.uid}&amp;b={failed.uid}" in html
    assert str(old.uid) not in html


def test_every_action_that_is_offered_can_be_copied_as_curl(reader):
    workflow = a_workflow(template=a_template("nightly"), statuses=FAILED)
    text = text_of(reader.get(url(workflow, "?step=fetch")))
    api = f"http://localhost/api/workflows/{workflow.uid}"
    for line in (f"curl {api}", f"curl -X POST {api}/retry", f"curl -X POST {api}/rerun", f"curl '{api}/steps/fetch/logs?limit=1000'"):
        assert line in text
    assert """-d '{"fromStep": "fetch"}'""" in text
    assert f"{api}/stop" not in text


def test_the_workflow_its_outputs_and_its_whole_log_can_be_downloaded(reader):
    workflow = a_workflow(statuses=DONE)
    for id in ("fetch", "shape"):
        a_log_line(change(workflow, id, output={"of": id}), f"{id} spoke")
    whole = reader.get(f"/workflows/{workflow.uid}/workflow.json")
    assert json.loads(whole.content)["id"] == str(workflow.uid)
    assert "attachment" in whole.headers["Content-Disposition"]
    assert json.loads(reader.get(f"/workflows/{workflow.uid}/outputs.json").content) == {"fetch": {"of": "fetch"}, "shape": {"of": "shape"}}
    lines = b"".join(reader.get(f"/workflows/{workflow.uid}/log.txt").streaming_content).decode().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["fetch 1 INFO fetch spoke", "shape 1 INFO shape spoke"]


@pytest.mark.parametrize("path", ["log.txt?step=nonsense", "log-rows?step=nonsense"])
def test_the_log_of_a_step_that_does_not_exist_is_not_found(reader, path):
    assert reader.get(f"/workflows/{a_workflow().uid}/{path}").status_code == 404


def test_a_step_that_needs_very_many_names_some_and_counts_the_others(reader):
    """Ten thousand links would take longer to draw than everything else on the page."""
    first = [Node(f"n{number}", "input") for number in range(60)]
    workflow = a_workflow(*first, Node("last", "output", needs=tuple(node.id for node in first)))
    html = reader.get(f"/workflows/{workflow.uid}?step=last").content.decode()
    needs = re.search(r'<p class="sub needs">.*?</p>', html, re.DOTALL)
    assert needs and needs[0].count("<a ") == 50 and "and 10 more" in needs[0]
