"""The page of workflows."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.dashboard.conftest import HX, text_of
from tests.factories import NOW, a_step, a_template, a_workflow, later
from workflows_app.dashboard import list_page
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}


def row_ids(response) -> list[str]:
    return re.findall(r'<tr id="w-([^"]+)"', response.content.decode())


def test_the_root_leads_to_the_list(reader):
    assert reader.get("/").headers["Location"] == "/workflows"


def test_a_new_reader_is_shown_how_to_begin(reader):
    text = text_of(reader.get("/workflows"))
    assert "No workflows yet" in text
    assert "Start data_processing" in text


def test_without_a_match_the_page_offers_to_drop_each_filter(reader):
    a_workflow()
    response = reader.get("/workflows?status=failed&q=zzz")
    assert "No workflow matches" in text_of(response)
    assert 'href="?q=zzz"' in response.content.decode()


def test_a_row_tells_status_name_template_steps_progress_and_reason(reader):
    workflow = a_workflow(
        name="Night load", template=a_template("nightly"), statuses=FAILED, error="fetch: HTTP 504 from warehouse", done_steps=1
    )
    response = reader.get("/workflows")
    text, html = text_of(response), response.content.decode()
    assert "✕ Failed Night load nightly v1" in text
    assert "fetch: HTTP 504 from warehouse" in text
    assert "50 %" in text
    assert 'aria-label="1 failed, 1 stopped"' in html
    assert reverse("dashboard:workflow", args=[workflow.uid]) in html


def test_a_waiting_row_says_what_it_waits_for(reader):
    workflow = a_workflow(Node("pause", "delay"))
    Step.objects.filter(workflow=workflow).update(
        status=Status.WAITING_FOR_DEPENDENCY, available_at=later(1e9), attempt=1, metadata={"waitingFor": "a delay of 5 min"}
    )
    assert "pause waits for a delay of 5 min, until" in text_of(reader.get("/workflows"))


def test_a_row_whose_steps_run_does_not_claim_to_wait(reader):
    a_workflow(Node("a", "delay"), Node("b", "delay"), statuses={"a": Status.RUNNING})
    assert "waits for" not in text_of(reader.get("/workflows"))


def test_a_row_of_which_nothing_runs_waits_for_a_worker(reader):
    a_workflow()
    assert "waits for a free worker" in text_of(reader.get("/workflows"))


def test_pages_follow_one_another_without_gap_or_overlap(reader):
    made = [str(a_workflow().uid) for _ in range(60)][::-1]
    seen, url = [], "/workflows"
    while url:
        response = reader.get(url)
        seen.append(row_ids(response))
        older = re.search(r'href="(\?after=[^"]+)" rel="next"', response.content.decode())
        url = f"/workflows{older[1]}" if older else ""
    assert [len(page) for page in seen] == [25, 25, 10]
    assert [uid for page in seen for uid in page] == made


def test_counting_stops_at_a_limit(reader, monkeypatch):
    monkeypatch.setattr(list_page, "MOST_COUNTED", 3)
    for _ in range(4):
        a_workflow()
    assert '<span class="count">2+</span>' in reader.get("/workflows").content.decode()


def test_ended_ones_are_listed_by_when_they_ended(reader):
    first = a_workflow(statuses=FAILED, updated_at=later(10))
    second = a_workflow(statuses=FAILED, updated_at=later(5))
    third = a_workflow(statuses=FAILED, updated_at=later(5))
    assert row_ids(reader.get("/workflows?status=failed")) == [str(first.uid), str(third.uid), str(second.uid)]
    assert row_ids(reader.get(f"/workflows?status=failed&after={third.uid}")) == [str(second.uid)]


@pytest.mark.parametrize("after", ["nonsense", "00000000-0000-4000-8000-000000000000", "%00"])
def test_a_cursor_that_names_nothing_means_the_first_page(reader, after):
    workflow = a_workflow()
    assert row_ids(reader.get(f"/workflows?after={after}")) == [str(workflow.uid)]


def test_rows_do_not_change_places_while_their_steps_run(reader):
    older, newer = a_workflow(), a_workflow()
    Workflow.objects.filter(pk=older.pk).update(updated_at=later(60))
    assert row_ids(reader.get("/workflows")) == [str(newer.uid), str(older.uid)]


def test_the_number_of_queries_does_not_grow_with_the_rows(reader):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            reader.get("/workflows")
        return len(queries)

    a_workflow(template=a_template("one"))
    reader.get("/workflows")
    few = count()
    for n in range(24):
        a_workflow(template=a_template(f"t{n}"), statuses=FAILED if n % 2 else None)
    assert count() == few


def test_counts_stand_beside_the_statuses_that_have_some(reader):
    a_workflow(statuses=FAILED)
    html = reader.get("/workflows").content.decode()
    assert re.findall(r'</span>(\w+)<span class="count">([^<]+)</span>', html) == [("Failed", "1")]


def test_a_workflow_of_many_steps_is_drawn_in_bands_without_reading_its_steps(reader):
    workflow = a_workflow(total_steps=2_000, done_steps=900, failed_steps=3)
    a_step(workflow, Node("extra", "input"), position=9)
    html = reader.get("/workflows").content.decode()
    assert "900 completed, 3 failed" in html
    assert "extra" not in html


def test_the_region_alone_answers_the_poll_and_the_page_a_browser(reader):
    a_workflow()
    page, region = reader.get("/workflows"), reader.get("/workflows", headers=HX)
    assert page.content.lstrip().lower().startswith(b"<!doctype html>")
    assert region.content.lstrip().startswith(b'<div id="live"')
    assert "HX-Request-Type" in page.headers["Vary"]


def test_history_gets_the_whole_page(reader):
    full = reader.get("/workflows", headers={"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"})
    assert b"<html" in full.content


def test_a_poll_is_answered_304_until_something_changes(reader):
    workflow = a_workflow()
    tag = reader.get("/workflows").headers["HX-PTag"]
    unchanged = reader.get("/workflows", headers={**HX, "HX-PTag": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    Workflow.objects.filter(pk=workflow.pk).update(seq=2, updated_at=later(1))
    assert reader.get("/workflows", headers={**HX, "HX-PTag": tag}).status_code == 200


def test_the_poll_is_quick_while_something_is_active_and_slow_otherwise(reader):
    assert b'data-poll="15000"' in reader.get("/workflows").content
    a_workflow()
    assert b'data-poll="1500"' in reader.get("/workflows").content


def test_the_filter_form_is_outside_the_region_that_is_replaced(reader):
    a_workflow()
    assert b'id="filters"' not in reader.get("/workflows", headers=HX).content
    assert b'value="etl"' in reader.get("/workflows?q=etl").content


def test_times_carry_the_exact_moment(reader):
    a_workflow(created_at=NOW)
    assert b'datetime="2026-11-21T12:00:00.000+00:00" title="2026-11-21 12:00:00 UTC"' in reader.get("/workflows").content
