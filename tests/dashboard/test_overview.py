"""The first page."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import HX, text_of
from tests.dashboard.rows import asking
from tests.factories import a_template, a_worker, a_workflow
from workflows_app.dashboard import live
from workflows_app.engine.clock import database_now
from workflows_app.graph.statuses import Status
from workflows_app.models import Schedule, Step, Workflow

FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}


def ended(statuses, hours: float, **changes) -> Workflow:
    at = database_now() - timedelta(hours=hours)
    return a_workflow(statuses=statuses, ended_at=at, updated_at=at, started_at=at, created_at=at, **changes)


def a_schedule(name: str, **changes) -> Schedule:
    now = database_now()
    values = {"template": a_template(), "cron": "0 9 * * *", "next_at": now + timedelta(hours=2), "created_at": now, "updated_at": now}
    return Schedule.objects.create(name=name, **{**values, **changes})


def test_each_figure_leads_to_the_list_that_explains_it(reader):
    a_workflow(statuses={"fetch": Status.RUNNING})
    ended(FAILED, 2)
    ended(DONE, 0.5)
    asking()
    page = reader.get("/")
    text, html = text_of(page), page.content.decode()
    assert "Running now 1 workflow " in text
    assert "Failing now 1 failed in the last 24 h" in text
    assert "Waiting for me 1 approval " in text
    assert "Finished 1 in the last hour; 2 in 24 h" in text
    for url in ("status=running", "status=failed&amp;since=24h", "status=completed,failed,stopped&amp;since=1h"):
        assert f'href="/workflows?{url}"' in html
    assert 'href="/approvals"' in html


def test_failures_are_grouped_by_error_the_most_frequent_first(reader):
    for _ in range(2):
        ended(FAILED, 3, error="fetch: HTTP 504 from warehouse")
    ended(FAILED, 1, error="fetch: timeout")
    ended(FAILED, 40, error="fetch: too old to matter")
    page = reader.get("/")
    text = text_of(page)
    assert text.index("fetch: HTTP 504 from warehouse 2 workflows") < text.index("fetch: timeout 1 workflow")
    assert "too old" not in text
    assert "q=error%3A%22fetch%3A+timeout%22" in page.content.decode()


def test_the_step_that_is_due_for_the_longest_is_named(reader):
    workflow = a_workflow(name="Night load")
    Step.objects.filter(workflow=workflow, node_id="fetch").update(available_at=database_now() - timedelta(seconds=75))
    assert "Oldest waiting 1 min fetch of Night load" in text_of(reader.get("/"))


def test_of_all_due_steps_with_and_without_a_key_the_oldest_is_named(reader):
    now = database_now()
    for name, seconds, key in (("newer", 75, None), ("free", 150, None), ("keyed", 500, "api"), ("later", -300, None)):
        workflow = a_workflow(name=name)
        fetch = Step.objects.filter(workflow=workflow, node_id="fetch")
        fetch.update(available_at=now - timedelta(seconds=seconds), concurrency_key=key, concurrency_limit=1 if key else 0)
    assert "Oldest waiting 8 min fetch of keyed" in text_of(reader.get("/"))
    Step.objects.filter(concurrency_key="api").update(available_at=now - timedelta(seconds=60))
    assert "Oldest waiting 2 min fetch of free" in text_of(reader.get("/"))
    Step.objects.filter(available_at__lte=now).update(available_at=now + timedelta(hours=1))
    assert "Oldest waiting – no step waits for a worker" in text_of(reader.get("/"))


def test_what_ran_last_and_what_comes_next_is_listed(reader):
    ended(DONE, 3, name="earlier")
    ended(FAILED, 1, name="later")
    a_schedule("Paused", next_at=None)
    a_schedule("At noon", next_at=database_now() + timedelta(hours=3, minutes=1))
    soonest = a_schedule("At nine", next_at=database_now() + timedelta(hours=1, minutes=1))
    page = reader.get("/")
    text = text_of(page)
    assert text.index("later", text.index("Last finished")) < text.index("earlier")
    assert text.index("At nine") < text.index("At noon")
    assert "Paused" not in text
    assert "in 1 hr" in text
    assert f'href="/schedules/{soonest.uid}"' in page.content.decode()


def test_one_line_says_whether_it_is_healthy_and_why_not(reader):
    assert "No worker process is running" in text_of(reader.get("/"))
    a_worker(heartbeat_at=database_now())
    assert "Healthy: workers live" in text_of(reader.get("/"))


def test_a_new_reader_is_shown_how_to_begin(reader):
    a_template("data_processing", is_bundled=True)
    page = reader.get("/")
    assert "No workflows yet" in text_of(page)
    assert 'href="/templates/data_processing/start"' in page.content.decode()


def test_a_poll_is_answered_304_until_something_changes(reader, monkeypatch):
    workflow = a_workflow()
    at = database_now()
    monkeypatch.setattr("workflows_app.dashboard.overview.database_now", lambda: at)
    tag = reader.get("/").headers["HX-PTag"]
    unchanged = reader.get("/", headers={**HX, "HX-PTag": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    Workflow.objects.filter(pk=workflow.pk).update(seq=2)
    assert reader.get("/", headers={**HX, "HX-PTag": tag}).status_code == 200


def test_it_asks_often_while_something_is_active_and_seldom_else(reader):
    workflow = ended(DONE, 1)
    assert f'data-poll="{live.IDLE_MILLISECONDS}"' in reader.get("/").content.decode()
    Workflow.objects.filter(pk=workflow.pk).update(status=Status.RUNNING, ended_at=None)
    assert f'data-poll="{live.LIST_MILLISECONDS}"' in reader.get("/").content.decode()


@pytest.mark.parametrize("many", [12])
def test_the_number_of_queries_does_not_grow_with_the_rows(reader, many):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            reader.get("/")
        return len(queries)

    def add() -> None:
        a_workflow(template=a_template(), statuses={"fetch": Status.RUNNING})
        ended(FAILED, 1, error="x: y", template=a_template())
        ended(DONE, 1)
        a_schedule(f"s{Schedule.objects.count()}")
        asking()

    add()
    count()
    few = count()
    for _ in range(many):
        add()
    assert count() == few
