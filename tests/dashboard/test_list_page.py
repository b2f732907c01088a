"""The page of workflows."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.dashboard.conftest import HX, text_of
from tests.dashboard.rows import EVIL
from tests.factories import NOW, a_step, a_template, a_user, a_workflow, later
from workflows_app.dashboard import paging, view_tabs
from workflows_app.dashboard.filters import of_text
from workflows_app.dashboard.list_page import tag_of
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}


def row_ids(response) -> list[str]:
    return re.findall(r'<tr id="w-([^"]+)"', response.content.decode())


def test_a_new_reader_is_shown_how_to_begin(reader):
    text = text_of(reader.get("/workflows"))
    assert "No workflows yet" in text
    assert "Start data_processing" in text


def test_without_a_match_the_page_offers_to_drop_each_filter(reader):
    a_workflow()
    response = reader.get("/workflows?status=failed&q=zzz")
    assert "No workflow matches" in text_of(response)
    html = response.content.decode()
    assert 'href="/workflows?q=zzz"' in html
    assert "without q" not in html
    assert re.search(r'without status failed\s*<span class="count">0</span>', html)


def test_what_dropping_a_filter_would_show_is_counted(reader):
    for name in ("load a", "load b"):
        a_workflow(name=name)
    html = reader.get("/workflows?status=failed&q=load").content.decode()
    assert re.search(r'without status failed\s*<span class="count">2</span>', html)
    assert re.search(r'without “load”\s*<span class="count">0</span>', html)


def test_a_search_of_many_parts_does_not_become_many_long_searches(reader):
    a_workflow()
    response = reader.get("/workflows", {"q": " ".join(f"step:s{number}" for number in range(40))})
    assert "The search has 40 parts; the first 20 were looked for." in text_of(response)
    assert text_of(response).count("without step:") == 8


def test_what_means_nothing_is_told_in_words(reader):
    a_workflow(name="one")
    response = reader.get("/workflows?status=sleeping&q=colour:red&since=ever")
    text = text_of(response)
    assert "There is no status “sleeping”" in text
    assert "“colour:” is not a key of the search" in text
    assert "“ever” is no length of time" in text
    assert "one" in text
    assert 'name="all"' not in response.content.decode()


def test_a_row_tells_status_name_template_steps_progress_and_reason(reader):
    workflow = a_workflow(
        name="Night load", template=a_template("nightly"), statuses=FAILED, error="fetch: HTTP 504 from warehouse", done_steps=1
    )
    response = reader.get("/workflows")
    text, html = text_of(response), response.content.decode()
    assert "✕ Failed Retry Night load nightly v1" in text
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
    assert "waits for" in text_of(reader.get("/workflows"))


def test_pages_follow_one_another_without_gap_or_overlap(reader):
    made = [str(a_workflow().uid) for _ in range(60)][::-1]
    seen, url = [], "/workflows"
    while url:
        response = reader.get(url)
        seen.append(row_ids(response))
        older = re.search(r'href="(/workflows\?after=[^"]+)"[^>]*rel="next"', response.content.decode())
        url = older[1] if older else ""
    assert [len(page) for page in seen] == [25, 25, 10]
    assert [uid for page in seen for uid in page] == made


def test_ended_ones_are_listed_by_when_they_ended(reader):
    first = a_workflow(statuses=FAILED, updated_at=later(10))
    second = a_workflow(statuses=FAILED, updated_at=later(5))
    third = a_workflow(statuses=FAILED, updated_at=later(5))
    assert row_ids(reader.get("/workflows?status=failed")) == [str(first.uid), str(third.uid), str(second.uid)]
    assert row_ids(reader.get(f"/workflows?status=failed&after={paging.cursor((third.updated_at, third.pk))}")) == [str(second.uid)]


@pytest.mark.parametrize("after", ["nonsense", "00000000-0000-4000-8000-000000000000"])
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
    a_workflow(template=a_template("two"), statuses=FAILED)
    a_workflow(statuses={"fetch": Status.RUNNING})
    reader.get("/workflows")
    few = count()
    for n in range(22):
        a_workflow(template=a_template(f"t{n}"), statuses=FAILED if n % 2 else None)
    assert count() == few
    for n in range(22):
        a_workflow(template=a_template(f"more{n}"), statuses=FAILED if n % 2 else None)
    assert count() == few + 1  # more than a page: how many match is counted


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


@pytest.mark.parametrize(
    ("query", "seconds"), [("", 900), ("since=30d", 900), ("since=5h", 300), ("since=1h", 60), ("since=1m", 60), ("since=x", 900)]
)
def test_a_poll_is_answered_in_full_when_time_alone_moves_what_is_shown(db, query, seconds):
    begin, user = datetime(2026, 1, 1, 15, tzinfo=UTC), a_user()
    first, same, other = (tag_of(of_text(query), user, now=begin + timedelta(seconds=after)) for after in (0, seconds - 1, seconds))
    assert first == same != other


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


def test_a_failure_leads_in_one_click_to_the_line_that_explains_it(reader):
    workflow = a_workflow(statuses=FAILED, error="fetch: HTTP 504: gone")
    html = reader.get("/workflows").content.decode()
    assert f'class="reason r-failed" href="/workflows/{workflow.uid}?step=fetch#error"' in html


def test_failures_with_the_same_error_are_counted_and_one_click_away(reader):
    for number in range(3):
        a_workflow(name=f"same {number}", statuses=FAILED, error='fetch: "HTTP" 504\nand more')
    a_workflow(name="other", statuses=FAILED, error="fetch: timeout")
    html = reader.get("/workflows").content.decode()
    assert html.count("2 more with the same error") == 1
    url = re.search(r'class="same link" href="([^"]+)"', html)
    assert url
    found = text_of(reader.get(url[1].replace("&amp;", "&")))
    assert all(f"same {number}" in found for number in range(3))
    assert "other" not in found


def test_each_failure_in_the_list_can_be_tried_again_and_nothing_else_can(reader):
    failed, done = (
        a_workflow(name="torn", statuses=FAILED, error="fetch: timeout"),
        a_workflow(statuses=dict.fromkeys(FAILED, Status.COMPLETED)),
    )
    html = reader.get("/workflows").content.decode()
    (button,) = re.findall(r"<button[^>]*/retry[^>]*>", html)
    assert f'form="again" formaction="/workflows/{failed.uid}/retry" aria-label="Retry torn {str(failed.uid)[:8]}"' in button
    assert 'method="post" id="again"' in html
    assert f"/workflows/{done.uid}/retry" not in html


def test_the_same_error_is_counted_within_the_range_that_is_shown(reader):
    for hours in (1, 2, 50):
        at = database_now() - timedelta(hours=hours)
        a_workflow(statuses=FAILED, error="fetch: timeout", created_at=at, ended_at=at, updated_at=at)
    assert "1 more with the same error" in text_of(reader.get("/workflows?since=24h"))
    assert "2 more with the same error" in text_of(reader.get("/workflows"))


def test_a_running_one_says_how_long_it_usually_takes_and_when_it_is_slow(reader):
    template, now = a_template("nightly"), database_now()
    for n in range(4):
        began = now - timedelta(hours=n + 1)
        done = {"statuses": {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}, "started_at": began}
        a_workflow(template=template, ended_at=began + timedelta(minutes=5), **done)
    slow = a_workflow(name="slow one", template=template, statuses={"fetch": Status.RUNNING}, started_at=now - timedelta(minutes=20))
    quick = a_workflow(name="quick one", template=template, statuses={"fetch": Status.RUNNING}, started_at=now - timedelta(minutes=2))
    html = reader.get("/workflows").content.decode()
    rows = {uid: html.split(f'id="w-{uid}"')[1].split("</tr>")[0] for uid in (slow.uid, quick.uid)}
    assert 'class="slow"' in rows[slow.uid]
    assert 'class="slow"' not in rows[quick.uid]
    assert "usual 5 min" in rows[quick.uid]


def live_url(response) -> str:
    found = re.search(r'id="live" hx-get="([^"]+)"', response.content.decode())
    assert found
    return found[1].replace("&amp;", "&")


def test_new_rows_wait_to_be_asked_for_and_those_on_the_page_go_on(reader):
    first, second = a_workflow(), a_workflow()
    url = live_url(reader.get("/workflows"))
    third = a_workflow()
    Workflow.objects.filter(pk=first.pk).update(status=Status.RUNNING, updated_at=later(60))
    polled = reader.get(url, headers=HX)
    assert row_ids(polled) == [str(second.uid), str(first.uid)]
    assert "1 new — show" in text_of(polled)
    assert "◐ Running" in text_of(polled)
    assert live_url(polled) == url
    assert row_ids(reader.get("/workflows", headers=HX))[0] == str(third.uid)


def test_what_matches_no_more_stays_until_it_is_asked_for(reader):
    runs = [a_workflow(name=f"run {n}", statuses={"fetch": Status.RUNNING}) for n in range(3)]
    url = live_url(reader.get("/workflows?status=running"))
    Workflow.objects.filter(pk=runs[1].pk).update(status=Status.COMPLETED, ended_at=later(9), done_steps=2, active_steps=0)
    polled = reader.get(url, headers=HX)
    assert row_ids(polled) == [str(run.uid) for run in reversed(runs)]
    assert "1 no longer matches — show" in text_of(polled)
    assert "✓ Completed" in text_of(polled)


def test_rows_that_ended_keep_their_places_when_others_end(reader):
    old = [a_workflow(name=f"old {n}", statuses=FAILED, updated_at=later(n), ended_at=later(n)) for n in range(2)]
    url = live_url(reader.get("/workflows?status=failed"))
    a_workflow(statuses=FAILED, updated_at=later(50), ended_at=later(50))
    polled = reader.get(url, headers=HX)
    assert row_ids(polled) == [str(old[1].uid), str(old[0].uid)]
    assert "1 new — show" in text_of(polled)


def test_a_deleted_row_goes_and_an_empty_page_fills_by_itself(reader):
    only = a_workflow()
    url = live_url(reader.get("/workflows"))
    Workflow.objects.filter(pk=only.pk).delete() if not only.steps.all().delete() else only.delete()
    fresh = a_workflow()
    assert row_ids(reader.get(url, headers=HX)) == [str(fresh.uid)]


def test_on_a_later_page_nothing_is_announced(reader):
    made = [a_workflow() for _ in range(30)]
    url = live_url(reader.get(f"/workflows?after={made[10].pk}"))
    a_workflow()
    polled = reader.get(url, headers=HX)
    assert "— show" not in text_of(polled)
    assert len(row_ids(polled)) == 10


def test_views_that_everybody_has_are_counted_up_to_a_limit(reader, monkeypatch):
    monkeypatch.setattr(view_tabs, "MOST_COUNTED", 3)
    for _ in range(4):
        a_workflow(statuses={"fetch": Status.RUNNING})
    html = reader.get("/workflows").content.decode()
    tabs = dict(re.findall(r'class="tab[^>]*>(?:<span[^>]*>[^<]*</span>)?([A-Z][\w ]+)(?:<span class="count">([^<]+)</span>)?</a>', html))
    assert tabs == {"All": "", "Failing now": "", "Running": "3+", "Waiting": ""}


def test_a_search_that_was_cut_says_how_far_it_looked_and_goes_on(reader, monkeypatch):
    monkeypatch.setattr(paging, "WINDOW", 3)
    monkeypatch.setattr(paging.find, "__kwdefaults__", {"after": "", "window": 3})
    a_workflow(name="needle")
    for _ in range(4):
        a_workflow(name="hay")
    response = reader.get("/workflows?q=needle")
    assert "Looked through 3 workflows at most, back to" in text_of(response)
    url = re.search(r'href="([^"]+)">Look further back', response.content.decode())
    assert url
    assert len(row_ids(reader.get(url[1].replace("&amp;", "&")))) == 1


def test_hostile_names_errors_and_searches_are_shown_as_text(reader):
    a_workflow(name=EVIL, statuses=FAILED, error=f"fetch: {EVIL}")
    a_workflow(name=EVIL, statuses=FAILED, error=f"fetch: {EVIL}")
    response = reader.get(
        "/workflows", {"q": f'{EVIL.split(" ")[0]} x:"{EVIL}', "tag": EVIL, "template": EVIL, "from": EVIL, "status": EVIL}
    )
    for page in (response, reader.get("/workflows"), reader.get("/")):
        assert b"<script>alert" not in page.content
        assert b"<img src=x" not in page.content
    assert EVIL in text_of(reader.get("/workflows"))
