"""The page on workers and the backlog."""

import pytest

from tests.dashboard.conftest import HX, text_of
from tests.engine.rival import holding_its_lock
from tests.factories import NOW, a_worker, a_workflow, later
from workflows_app.dashboard import workers_page
from workflows_app.engine import site
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

FAR = 1e9


def test_without_workers_it_says_so_and_what_to_do(reader):
    text = text_of(reader.get("/workers"))
    assert "Degraded" in text
    assert "No worker process is running" in text
    assert "make run" in text


def test_health_is_one_line_in_words(reader):
    a_worker(heartbeat_at=later(FAR))
    assert "Healthy: 1 worker, nothing waits for one." in text_of(reader.get("/workers"))


def test_a_worker_shows_what_it_runs_now_and_its_last_heartbeat(reader):
    a_worker(heartbeat_at=later(FAR), version="0.1.0")
    workflow = a_workflow(name="Night load", statuses={"fetch": Status.RUNNING})
    response = reader.get("/workers")
    text = text_of(response)
    assert "◐ Busy wwwwwwww elsewhere · pid 4711 · 0.1.0" in text
    assert "fetch Night load · attempt 1" in text
    assert f'href="/workflows/{workflow.uid}?step=fetch"' in response.content.decode()
    assert NOW.isoformat(timespec="milliseconds") not in text


@pytest.mark.django_db
def test_a_silent_worker_shows_what_becomes_of_its_steps():
    a_worker(heartbeat_at=later(-300))
    a_workflow(statuses={"fetch": Status.RUNNING})
    page = workers_page.build(now=NOW)
    assert page.workers[0].look["word"] == "Silent"
    assert page.workers[0].fate == "Its steps are given to another worker when their lease ends, in 30 sec."
    later_page = workers_page.build(now=later(60))
    assert later_page.workers[0].fate.endswith("as soon as one looks: their lease has ended.")


def test_a_drained_worker_says_so_and_the_page_is_drawn_anew(reader):
    worker = a_worker(heartbeat_at=later(FAR))
    before = workers_page.tag(NOW)
    type(worker).objects.update(drain_requested_at=NOW)
    assert workers_page.tag(NOW) != before
    text = text_of(reader.get("/workers"))
    assert "◌ Draining" in text and "Healthy: 1 worker" in text


@pytest.mark.django_db
def test_a_worker_with_many_steps_names_some_and_counts_the_rest():
    a_worker(heartbeat_at=NOW)
    nodes = [Node(f"n{i}", "delay") for i in range(10)]
    a_workflow(*nodes, statuses={node.id: Status.RUNNING for node in nodes})
    row = workers_page.build(now=NOW).workers[0]
    assert (len(row.running), row.more) == (6, "4 more steps")


@pytest.mark.django_db
def test_the_backlog_is_told_with_its_age():
    a_workflow()
    figures = {figure.words: (figure.value, figure.note) for figure in workers_page.build(now=later(40)).figures}
    assert figures["Due now"] == ("1", "the oldest since 40 sec ago")
    assert figures["Waiting"][0] == "1"
    Step.objects.filter(node_id="fetch").update(available_at=later(100))
    figures = {figure.words: (figure.value, figure.note) for figure in workers_page.build(now=later(40)).figures}
    assert (figures["Due now"], figures["On a timer"]) == (("0", "no backlog"), ("1", "the next one in 1 min"))


def test_the_poll_is_304_until_a_heartbeat_a_change_or_a_silence(reader):
    worker = a_worker(heartbeat_at=later(FAR))
    tag = reader.get("/workers").headers["HX-PTag"]
    assert reader.get("/workers", headers={**HX, "HX-PTag": tag}).status_code == 304
    worker.heartbeat_at = later(FAR + 5)
    worker.save()
    assert reader.get("/workers", headers={**HX, "HX-PTag": tag}).status_code == 200


@pytest.mark.django_db
def test_the_tag_changes_when_a_worker_falls_silent_although_no_row_does():
    a_worker(heartbeat_at=NOW)
    assert workers_page.tag(later(5)) != workers_page.tag(later(500))
    assert workers_page.tag(database_now()) == workers_page.tag(database_now())


def test_a_worker_beside_us_lives_now_however_long_it_was_idle(reader):
    with holding_its_lock("b" * 32):
        a_worker("b" * 32, site=site.site_id(), heartbeat_at=later(-7200))
        page = reader.get("/workers").content.decode()
    assert "now, on this host" in page and "Idle" in page and "Silent" not in page
