"""The elements of a map on the page of their workflow."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import EVIL, mapping
from tests.factories import NOW, a_log_line, a_worker, an_attempt, later
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

DONE, BROKE, RUNS, TURN = Status.COMPLETED, Status.FAILED, Status.RUNNING, Status.WAITING_FOR_DEPENDENCY
MIXED = [DONE, BROKE, RUNS, TURN, DONE, BROKE]


def page(reader, workflow, query: str = ""):
    return reader.get(f"/workflows/{workflow.uid}?view=list&{query.removeprefix('?')}")


def elements(response) -> list[int]:
    return [int(n) for n in re.findall(r'<tr id="step-fetch\[(\d+)\]"', response.content.decode())]


def test_a_map_shows_how_far_its_elements_are(reader):
    response = page(reader, mapping(MIXED))
    assert "4 of 6 elements · 2 failed · 1 running · 1 waiting" in text_of(response)
    assert '<progress class="p-running" max="6" value="4" aria-label="Progress of fetch">' in response.content.decode()


def test_the_box_on_top_says_how_far_a_map_is_beside_what_runs(reader):
    a_worker(heartbeat_at=later(1e9))
    workflow = mapping([DONE, RUNS])
    assert "fetch: 1 of 2 elements · 1 running." in text_of(page(reader, workflow))
    Step.objects.filter(workflow=workflow, node_id="after").update(
        status=RUNS, remaining=0, worker_id="w" * 32, lease_expires_at=later(30), started_at=NOW, attempt=1
    )
    assert "Now: after. fetch: 1 of 2 elements · 1 running." in text_of(page(reader, workflow))


def test_elements_are_no_steps_of_the_workflow_and_are_shown_when_the_map_is_selected(reader):
    workflow = mapping(MIXED)
    closed = page(reader, workflow)
    assert elements(closed) == []
    assert "0 of 2 done" in text_of(closed)
    assert "All 2" in text_of(closed)
    assert elements(page(reader, workflow, "?step=fetch")) == [0, 1, 2, 3, 4, 5]


def test_the_list_of_workflows_counts_and_draws_no_elements(reader):
    mapping(MIXED)
    response = reader.get("/workflows")
    assert 'aria-label="2 waiting"' in response.content.decode()
    assert "fetch waits for its elements" not in text_of(response), "one of them runs"


def test_beside_the_list_stands_how_many_are_how(reader):
    assert 'aria-label="2 completed, 2 failed, 1 running, 1 waiting"' in page(reader, mapping(MIXED), "?step=fetch").content.decode()


def test_those_that_failed_can_come_first(reader):
    workflow = mapping(MIXED)
    assert elements(page(reader, workflow, "?step=fetch&sort=failed")) == [1, 5, 0, 2, 3, 4]
    assert 'href="?view=list&amp;step=fetch&amp;sort=failed"' in page(reader, workflow, "?step=fetch").content.decode()


@pytest.mark.parametrize(
    ("status", "found"), [("failed", [1, 5]), ("running", [2]), ("waiting", [3]), ("stopped", []), ("nonsense", list(range(6)))]
)
def test_elements_can_be_narrowed_to_one_status(reader, status, found):
    assert elements(page(reader, mapping(MIXED), f"?step=fetch&elements={status}")) == found


def test_elements_are_shown_by_pages_and_every_page_is_reachable(reader):
    workflow = mapping([DONE] * 120)
    seen, query = [], "?step=fetch"
    while query:
        response = page(reader, workflow, query)
        seen.append(elements(response))
        found = re.search(r'href="([^"]+)"[^>]*>Later', response.content.decode())
        query = found[1].replace("&amp;", "&") if found else None
    assert [len(shown) for shown in seen] == [50, 50, 20]
    assert [n for shown in seen for n in shown] == list(range(120))


@pytest.mark.parametrize(("query", "first"), [("", 50), ("&sort=failed", 50), ("&elements=completed", 50)])
def test_a_selected_element_opens_the_page_that_it_is_on(reader, query, first):
    workflow = mapping([*[DONE] * 70, BROKE, *[DONE] * 10])
    response = page(reader, workflow, f"?step=fetch[60]{query}")
    assert 60 in elements(response)
    assert len(elements(response)) < 50
    assert response.content.count(b"step-detail") == 2


def test_a_failed_element_is_on_the_first_page_when_those_come_first(reader):
    workflow = mapping([*[DONE] * 70, BROKE, *[DONE] * 10])
    assert elements(page(reader, workflow, "?step=fetch[70]&sort=failed"))[0] == 70


def test_an_element_shows_its_value_log_attempts_output_and_error(reader):
    workflow = mapping(MIXED)
    step = Step.objects.get(workflow=workflow, node_id="fetch[1]")
    an_attempt(step, outcome="failed", error="HTTP 504")
    a_log_line(step, "GET http://warehouse")
    Step.objects.filter(pk=step.pk).update(output={"status": 504}, element={"article": "ink"})
    text = text_of(page(reader, workflow, "?step=fetch[1]"))
    for words in ("element 1 broke", '"article": "ink"', "INFO GET http://warehouse", "1 failed", "HTTP 504", '"status": 504'):
        assert words in text


def test_the_page_changes_with_the_log_of_the_selected_element(reader):
    workflow = mapping(MIXED)
    before = page(reader, workflow, "?step=fetch[2]").headers["HX-PTag"]
    a_log_line(Step.objects.get(workflow=workflow, node_id="fetch[2]"))
    assert page(reader, workflow, "?step=fetch[2]").headers["HX-PTag"] != before


def test_selecting_an_element_keeps_the_order_and_another_step_drops_it(reader):
    html = page(reader, mapping(MIXED), "?step=fetch&sort=failed&elements=failed").content.decode()
    assert 'href="?view=list&amp;step=fetch%5B1%5D&amp;elements=failed&amp;sort=failed"' in html
    assert 'href="?view=list&amp;step=after"' in html


@pytest.mark.parametrize("step", ["fetch[99]", "fetch[x]", "fetch[", "after[0]", "[0]", "fetch[1][2]", "]"])
def test_an_element_that_does_not_exist_is_left_out(reader, step):
    response = page(reader, mapping(MIXED), f"?step={step}")
    assert response.status_code == 200
    assert response.content.count(b"step-detail") <= 1


@pytest.mark.parametrize("query", ["&element_from=9999", "&element_from=-1", "&element_from=99999999999", "&element_from=²", "&sort=x"])
def test_nonsense_in_the_url_does_no_harm(reader, query):
    assert page(reader, mapping(MIXED), f"?step=fetch{query}").status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_elements(reader):
    def queries(workflow) -> int:
        address = f"/workflows/{workflow.uid}?view=list&step=fetch[1]&sort=failed"
        reader.get(address)
        with CaptureQueriesContext(connection) as captured:
            reader.get(address)
        return len(captured)

    assert queries(mapping([BROKE, TURN, *MIXED * 15])) == queries(mapping([BROKE, TURN]))


def test_stored_text_is_shown_as_text(reader):
    workflow = mapping(MIXED)
    Step.objects.filter(workflow=workflow, node_id="fetch[1]").update(element={EVIL: EVIL}, error=EVIL, metadata={"reason": EVIL})
    html = page(reader, workflow, "?step=fetch[1]").content.decode()
    assert "<img src=x" not in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
