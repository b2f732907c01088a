"""The page on workers and the queue: what it says, what its buttons do, what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.dashboard.conftest import HX, text_of
from tests.dashboard.rows import EVIL, signed_in
from tests.engine.report.test_operations import completed
from tests.engine.rival import holding_its_lock
from tests.factories import NOW, a_template, a_user, a_worker, a_workflow, later
from workflows_app.dashboard import trend_picture, worker_rows, workers_page
from workflows_app.engine import pausing, site
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import BacklogSample, Step, Worker

FAR = 1e9
KEY = {"concurrency_key": "warehouse", "concurrency_limit": 1}


def test_without_workers_it_says_so_and_what_to_do(reader: Client) -> None:
    text = text_of(reader.get("/workers"))
    assert "Degraded: No worker process is running: nothing will be executed. Start one with `manage.py up`." in text
    assert "make run" in text


def test_health_is_one_line_in_words(reader: Client) -> None:
    a_worker(heartbeat_at=later(FAR))
    assert "Healthy: 1 worker, nothing waits for one." in text_of(reader.get("/workers"))


@pytest.mark.django_db
def test_what_waits_for_its_limit_is_not_said_to_wait_for_a_worker() -> None:
    a_worker()
    a_workflow(Node("h", "input"), statuses={"h": Status.RUNNING}).steps.update(**KEY)
    for _ in range(2):
        a_workflow(Node("w", "input")).steps.update(**KEY)
    expected = "Healthy: 1 worker, nothing waits for one, 2 steps wait for a place under a limit."
    assert workers_page.build(now=NOW).verdict == expected


def test_a_worker_shows_what_it_runs_now_and_its_last_heartbeat(reader: Client) -> None:
    a_worker(heartbeat_at=later(FAR), version="0.1.0", memory_bytes=212 * 2**20)
    workflow = a_workflow(name="Night load", statuses={"fetch": Status.RUNNING})
    response = reader.get("/workers")
    text = text_of(response)
    assert "◐ Busy wwwwwwww elsewhere · pid 4711 fetch Night load" in text and "212 MB" in text
    assert f'href="/workflows/{workflow.uid}?step=fetch"' in response.content.decode()
    assert NOW.isoformat(timespec="milliseconds") not in text


@pytest.mark.django_db
def test_a_step_that_takes_longer_than_usual_is_marked() -> None:
    a_worker(heartbeat_at=later(100))
    template = a_template()
    completed(template, 10)
    a_workflow(template=template, statuses={"fetch": Status.RUNNING})
    ((step,),) = (row.running for row in worker_rows.rows(later(20)))
    assert (step.usual, step.is_slow, step.took and step.took.words) == ("10 sec", True, "20 sec")


def test_a_worker_of_another_version_is_told_apart(reader: Client) -> None:
    a_worker(heartbeat_at=later(FAR), version="0.0.9")
    assert "version 0.0.9" in text_of(reader.get("/workers"))


@pytest.mark.django_db
def test_a_silent_worker_shows_what_becomes_of_its_steps() -> None:
    a_worker(heartbeat_at=later(-300), memory_bytes=5 * 2**20)
    a_workflow(statuses={"fetch": Status.RUNNING})
    page = workers_page.build(now=NOW)
    assert (page.workers[0].look.word, page.workers[0].memory, page.workers[0].drain) == ("Silent", "", "")
    assert page.workers[0].fate == "Its steps are given to another worker when their lease ends, in 30 sec."
    later_page = workers_page.build(now=later(60))
    assert later_page.workers[0].fate.endswith("as soon as one looks: their lease has ended.")


def test_a_drained_worker_says_so_and_the_page_is_drawn_anew(reader: Client) -> None:
    worker = a_worker(heartbeat_at=later(FAR))
    a_worker("v" * 32, heartbeat_at=later(FAR))
    before = workers_page.tag(NOW)
    type(worker).objects.filter(pk=worker.pk).update(drain_requested_at=NOW)
    assert workers_page.tag(NOW) != before
    text = text_of(reader.get("/workers"))
    assert "◌ Draining" in text and "It runs nothing and takes nothing." in text and "Healthy: 2 workers" in text


@pytest.mark.django_db
def test_a_worker_with_many_steps_names_some_and_counts_the_rest() -> None:
    a_worker(heartbeat_at=NOW)
    nodes = [Node(f"n{i}", "delay") for i in range(10)]
    a_workflow(*nodes, statuses={node.id: Status.RUNNING for node in nodes})
    row = workers_page.build(now=NOW).workers[0]
    assert (len(row.running), row.more) == (6, "4 more steps")


def figures(seconds: float = 0) -> dict[str, tuple[str, str]]:
    """By their words, the note with its moment."""
    found = workers_page.build(now=later(seconds)).figures
    return {figure.words: (figure.value, f"{figure.note} {figure.at.words}" if figure.at else figure.note) for figure in found}


@pytest.mark.django_db
def test_the_backlog_is_told_with_its_age() -> None:
    a_workflow()
    found = figures(40)
    assert found["Due now"] == ("1", "the oldest since 40 sec ago")
    assert found["Waiting"][0] == "1"
    Step.objects.filter(node_id="fetch").update(available_at=later(100))
    found = figures(40)
    assert (found["Due now"], found["On a timer"]) == (("0", "no backlog"), ("1", "the next one in 1 min"))


@pytest.mark.django_db
def test_the_last_minutes_are_figures_too() -> None:
    BacklogSample.objects.create(at=later(-60), due=3, running=1, oldest_due_seconds=75)
    for _ in range(5):
        a_workflow(Node("a", "input"), statuses={"a": Status.COMPLETED}, ended_at=later(-60))
    a_workflow(Node("a", "input"), statuses={"a": Status.FAILED}, ended_at=later(-60))
    found = figures()
    assert (found["Longest wait"][0], found["Ended per minute"][0], found["Failed"][0]) == ("1 min 15 sec", "1.2", "1")


def test_the_backlog_is_told_by_priority_and_by_action(reader: Client) -> None:
    for count, action in ((3, "http_call"), (1, "delay")):
        for _ in range(count):
            a_workflow(Node("a", action, priority=0 if action == "delay" else 5))
    text = text_of(reader.get("/workers"))
    assert "high 1 normal 3 low 0" in text
    assert text.index("http_call 3") < text.index("delay 1")


@pytest.mark.django_db
def test_of_many_actions_the_longest_are_named() -> None:
    for number in range(10):
        a_workflow(Node("a", f"task{number}"))
    page = workers_page.build(now=NOW)
    assert (len(page.actions), page.more_actions) == (8, "2 more actions")


def test_the_trend_is_a_picture_with_words() -> None:
    samples = [
        {"at": later(seconds).isoformat(), "due": due, "running": 1, "oldestDueSeconds": 0}
        for seconds, due in ((-290, 5), (-150, 0), (-5, 10), (-400, 99))
    ]
    trend = trend_picture.draw(samples[:3], due=4, now=NOW)
    assert [(bar.x, bar.height) for bar in trend.bars] == [(0, 16.0), (84, 1.5), (174, 32)]
    assert trend.label == "Due in the last 5 minutes: at most 10, now 4"
    assert trend.bars[2].title == "5 seconds ago: 10 due, 1 running"
    assert len(trend_picture.draw(samples, due=4, now=NOW).bars) == 3, "what is older is left out"
    assert trend_picture.draw([], due=0, now=NOW).label == "Nothing was due in the last 5 minutes"


def test_concurrency_keys_tell_who_holds_them_and_how_many_wait(reader: Client) -> None:
    holder = a_workflow(Node("load", "input"), statuses={"load": Status.RUNNING}, name="Nightly")
    holder.steps.update(**KEY)
    a_workflow(Node("load", "input")).steps.update(**KEY)
    response = reader.get("/workers")
    assert "warehouse 1 of 1 , full load Nightly" in text_of(response)
    assert "1 waiting" in text_of(response)
    assert f'href="/workflows/{holder.uid}?step=load"' in response.content.decode()


def test_without_anything_every_table_says_that_it_is_empty(reader: Client) -> None:
    text = text_of(reader.get("/workers"))
    for words in ("No worker is alive", "Nothing is due", "No concurrency key is held", "Empty: nothing is due and no timer runs."):
        assert words in text


def test_the_poll_is_304_until_a_heartbeat_a_change_a_sample_or_a_silence(reader: Client) -> None:
    worker = a_worker(heartbeat_at=later(FAR))

    def status(tag: str) -> int:
        return int(reader.get("/workers", headers={**HX, "HX-PTag": tag}).status_code)

    def tag() -> str:
        return str(reader.get("/workers").headers["HX-PTag"])

    before = tag()
    assert status(before) == 304
    worker.heartbeat_at = later(FAR + 5)
    worker.save()
    assert status(before) == 200
    before = tag()
    BacklogSample.objects.create(at=NOW, due=1, running=0)
    assert status(before) == 200
    before = tag()
    pausing.pause(now=NOW)
    assert status(before) == 200


@pytest.mark.django_db
def test_the_tag_changes_when_a_worker_falls_silent_although_no_row_does() -> None:
    a_worker(heartbeat_at=NOW)
    assert workers_page.tag(later(5)) != workers_page.tag(later(500))
    assert workers_page.tag(database_now()) == workers_page.tag(database_now())


def test_a_worker_beside_us_lives_now_however_long_it_was_idle(reader: Client) -> None:
    with holding_its_lock("b" * 32):
        a_worker("b" * 32, site=site.site_id(), heartbeat_at=later(-7200))
        page = reader.get("/workers").content.decode()
    assert "now, on this host" in page and "Idle" in page and "Silent" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("groups", "drained", "is_last"), [("gg", (), False), ("gg", (1,), True), ("gh", (), True), ("g", (), True), (" ", (), False)]
)
def test_to_drain_the_last_of_a_group_says_that_the_group_leaves(groups: str, drained: tuple[int, ...], is_last: bool) -> None:
    for number, group in enumerate(groups):
        asked = NOW if number in drained else None
        a_worker(f"{number}" * 32, group=group.strip(), drain_requested_at=asked)
    assert ("the group leaves" in worker_rows.rows(NOW)[0].drain) is is_last


def act(reader: Client, path: str, **data: str) -> str:
    """What the page says after the button."""
    response = reader.post(path, data, follow=True)
    assert response.redirect_chain == [("/workers", 302)]
    return text_of(response)


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_drained_and_let_work_again() -> None:
    reader, worker = Client(headers={"host": "localhost"}), a_worker(heartbeat_at=later(FAR))
    a_workflow(statuses={"fetch": Status.RUNNING})
    assert "It finishes the 1 step that it runs now" in text_of(reader.get("/workers"))
    assert "Worker wwwwwwww drains: it finishes 1 step and takes no more." in act(reader, f"/workers/{worker.id}/drain")
    assert Worker.objects.get().drain_requested_at is not None
    assert "Worker wwwwwwww takes steps again." in act(reader, f"/workers/{worker.id}/undo-drain")
    assert Worker.objects.get().drain_requested_at is None


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_has_gone_is_told() -> None:
    assert "No live worker has an id that begins with 'gone'" in act(Client(headers={"host": "localhost"}), "/workers/gone/drain")


@pytest.mark.django_db(transaction=True)
def test_the_queue_is_paused_and_resumed_by_the_buttons() -> None:
    reader = Client(headers={"host": "localhost"})
    a_worker(heartbeat_at=later(FAR))
    said = act(reader, "/queue/pause", reason="deploying")
    assert "The queue is paused: no step starts, what runs goes on." in said
    assert "Paused by local now : no step starts, what runs goes on. deploying" in said and "manage.py queue" not in said
    assert "The queue is paused already" in act(reader, "/queue/pause")
    assert "what is due starts now" in act(reader, "/queue/resume")
    assert "The queue is not paused" in act(reader, "/queue/resume")


def test_a_paused_queue_does_not_hide_what_else_is_wrong(reader: Client) -> None:
    pausing.pause(now=later(-60))
    text = text_of(reader.get("/workers"))
    assert "Paused" in text and "No worker process is running: nothing will be executed." in text


def test_no_other_verb_is_known_and_nothing_is_done_by_a_link(reader: Client) -> None:
    worker = a_worker(heartbeat_at=later(FAR))
    assert (reader.post("/queue/stop").status_code, reader.post(f"/workers/{worker.id}/kill").status_code) == (404, 404)
    assert (reader.get("/queue/pause").status_code, reader.get(f"/workers/{worker.id}/drain").status_code) == (405, 405)
    assert not pausing.is_paused()


def test_strangers_neither_see_nor_press_anything(server_mode: None, db: None) -> None:
    stranger = Client(headers={"host": "localhost"})
    for response in (stranger.get("/workers"), stranger.post("/queue/pause"), stranger.post("/workers/w/drain")):
        assert response.status_code == 302 and "/login" in response.headers["Location"]
    assert not pausing.is_paused()


@pytest.mark.django_db(transaction=True)
def test_who_paused_it_is_who_was_signed_in(server_mode: None) -> None:
    signed_in(a_user("ana")).post("/queue/pause")
    found = pausing.current()
    assert found is not None and found.by is not None and found.by.username == "ana"


def test_hostile_names_are_shown_as_text(reader: Client) -> None:
    a_worker(heartbeat_at=later(FAR), host=EVIL, version="<script>alert(1)</script>")
    running = a_workflow(Node("a", EVIL), statuses={"a": Status.RUNNING}, name=EVIL)
    running.steps.update(concurrency_key=EVIL, concurrency_limit=1)
    a_workflow(Node("b", EVIL), name=EVIL)
    pausing.pause(reason=EVIL, now=NOW)
    html = reader.get("/workers").content.decode()
    assert "<script>alert" not in html and "<img src=x" not in html and "&lt;script&gt;alert(1)" in html


def test_the_page_costs_the_same_number_of_queries_for_few_and_for_many(reader: Client, django_assert_num_queries: Any) -> None:
    def more(number: int) -> None:
        a_worker(f"{number:032}", heartbeat_at=later(FAR), group=f"g{number}")
        a_workflow(Node(f"r{number}", "input"), statuses={f"r{number}": Status.RUNNING}).steps.update(
            worker_id=f"{number:032}", **{**KEY, "concurrency_key": f"k{number}"}
        )
        a_workflow(Node("due", f"task{number}"))

    more(0)
    reader.get("/workers")
    for numbers in (range(1, 8), range(8, 9)):
        with django_assert_num_queries(30):
            reader.get("/workers")
        for number in numbers:
            more(number)
