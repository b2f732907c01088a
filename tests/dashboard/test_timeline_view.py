"""When attempts ran, as the timeline draws it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.rows import EVIL
from tests.factories import NOW, a_template, a_workflow, an_attempt, later
from workflows_app.dashboard import timeline_view
from workflows_app.dashboard.steps_view import View
from workflows_app.dashboard.timeline_scale import CLOSEST, scale_of
from workflows_app.dashboard.timeline_view import Row, TimelineView, _round
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

TWO = (Node("fetch", "http_call"), Node("shape", "transform", needs=("fetch",)))
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}


def timeline_of(workflow: Workflow, query: str = "", now: Any = None, **options: Any) -> TimelineView:
    workflow.refresh_from_db()
    return timeline_view.build(workflow, View.from_query(QueryDict(query)), now or later(100), **options)


def set_step(workflow: Workflow, id: str, **changes: Any) -> Step:
    Step.objects.filter(workflow=workflow, node_id=id).update(**changes)
    return Step.objects.get(workflow=workflow, node_id=id)


def ran(workflow: Workflow, id: str, start: float, stop: float) -> None:
    step = set_step(workflow, id, started_at=later(start), claimed_at=later(start), ended_at=later(stop))
    an_attempt(step, started_at=later(start), ended_at=later(stop))


def ended(workflow: Workflow, seconds: float) -> Workflow:
    Workflow.objects.filter(pk=workflow.pk).update(ended_at=later(seconds))
    return workflow


def bars(row: Row) -> list[tuple[str, str, float, float]]:
    return [(bar.kind, bar.css, round(bar.x), round(bar.width)) for bar in row.bars]


@pytest.mark.django_db
def test_each_step_is_a_bar_where_it_ran_with_the_time_in_the_queue_before_it():
    workflow = ended(a_workflow(*TWO, statuses=DONE), 100)
    ran(workflow, "fetch", 10, 50)
    ran(workflow, "shape", 60, 100)
    rows = timeline_of(workflow).rows
    assert bars(rows[0]) == [("queued", "queued", 0, 10), ("attempt", "completed", 10, 40)]
    assert bars(rows[1]) == [("queued", "queued", 50, 10), ("attempt", "completed", 60, 40)]
    assert [(row.began, row.queued, row.took) for row in rows] == [("12:00:10 UTC", "10 s", "40 s"), ("12:01:00 UTC", "10 s", "40 s")]


@pytest.mark.django_db
def test_every_attempt_is_a_bar_and_the_back_off_a_line_between_them():
    workflow = ended(a_workflow(TWO[0], statuses={"fetch": Status.FAILED}), 100)
    step = set_step(workflow, "fetch", attempt=3, started_at=NOW, claimed_at=later(80), ended_at=later(100))
    for number, (start, stop, outcome) in enumerate([(0, 20, "retried"), (30, 50, "crashed"), (80, 100, "failed")], start=1):
        an_attempt(step, number=number, outcome=outcome, started_at=later(start), ended_at=later(stop))
    (row,) = timeline_of(workflow, "gaps=0").rows
    assert bars(row) == [
        ("attempt", "failed", 0, 20), ("pause", "pause", 20, 10), ("attempt", "failed", 30, 20), ("pause", "pause", 50, 30),
        ("attempt", "failed", 80, 20),
    ]  # fmt: skip
    assert row.label == (
        "Failed: attempt 1: retried (20 s), back-off, then the queue (10 s), attempt 2: crashed (20 s), back-off, then the queue (30 s), "
        "attempt 3: failed (20 s)"
    )


@pytest.mark.django_db
def test_what_runs_grows_until_now():
    workflow = a_workflow(TWO[0], statuses={"fetch": Status.RUNNING})
    set_step(workflow, "fetch", claimed_at=later(20), started_at=later(20))
    assert bars(timeline_of(workflow, "gaps=0", now=later(40)).rows[0])[-1] == ("attempt", "running", 50, 50)
    assert bars(timeline_of(workflow, "gaps=0", now=later(80)).rows[0])[-1] == ("attempt", "running", 25, 75)
    assert timeline_of(workflow, now=later(80)).now_x == 100


@pytest.mark.django_db
def test_a_step_that_is_ready_and_not_claimed_queues_until_now_and_one_that_waits_for_others_has_no_bar():
    workflow = a_workflow(*TWO)
    Workflow.objects.filter(pk=workflow.pk).update(started_at=NOW)
    rows = timeline_of(workflow, now=later(10)).rows
    assert bars(rows[0]) == [("queued", "queued", 0, 100)]
    assert bars(rows[1]) == []
    assert (rows[1].began, rows[1].queued, rows[1].took) == ("", "", "")


@pytest.mark.django_db
def test_what_the_rows_do_not_tell_is_not_guessed():
    """Its need ended after it had begun: it was opened again since."""
    workflow = ended(a_workflow(*TWO, statuses=DONE), 100)
    ran(workflow, "fetch", 70, 90)
    ran(workflow, "shape", 20, 30)
    assert [part.kind for part in timeline_of(workflow).rows[1].bars] == ["attempt"]
    assert timeline_of(workflow).rows[1].queued == ""


@pytest.mark.django_db
def test_one_success_is_ready_at_the_first_end_of_what_it_needs():
    nodes = (Node("a", "transform"), Node("b", "transform"), Node("c", "output", needs=("a", "b"), trigger_rule="one_success"))
    workflow = ended(a_workflow(*nodes, statuses=dict.fromkeys("abc", Status.COMPLETED)), 100)
    for id, start, stop in (("a", 0, 10), ("b", 0, 60), ("c", 15, 20)):
        ran(workflow, id, start, stop)
    assert timeline_of(workflow).rows[2].queued == "5 s"


@pytest.mark.django_db
def test_a_step_whose_attempts_were_not_kept_is_shown_by_its_own_times():
    workflow = ended(a_workflow(TWO[0], statuses={"fetch": Status.COMPLETED}), 10)
    set_step(workflow, "fetch", started_at=NOW, ended_at=later(5))
    assert bars(timeline_of(workflow, "gaps=0").rows[0]) == [("attempt", "completed", 0, 50)]


@pytest.mark.django_db
def test_a_long_time_in_which_nothing_ran_is_folded_unless_it_shall_keep_its_length():
    workflow = ended(a_workflow(*TWO, statuses=DONE), 1_000)
    ran(workflow, "fetch", 0, 20)
    ran(workflow, "shape", 980, 1_000)
    folded, kept = timeline_of(workflow), timeline_of(workflow, "gaps=0")
    assert [gap.words for gap in folded.folded] == ["16m 0s in which nothing ran"]
    assert kept.folded == []
    assert folded.rows[0].bars[0].width > 40
    assert kept.rows[0].bars[0].width == 2
    assert (folded.gaps_url, kept.gaps_url) == ("?gaps=0", "?")


@pytest.mark.django_db
def test_waiting_for_a_person_does_not_count_as_running():
    workflow = ended(a_workflow(Node("ask", "approval"), TWO[0], statuses={"ask": Status.COMPLETED, "fetch": Status.COMPLETED}), 1_000)
    ran(workflow, "ask", 0, 1_000)
    ran(workflow, "fetch", 0, 20)
    timeline = timeline_of(workflow)
    assert len(timeline.folded) == 1
    assert bars(timeline.rows[0])[0][3] == 100


@pytest.mark.django_db
def test_thousands_of_steps_are_paged_and_the_page_of_the_selected_one_is_shown():
    workflow = a_workflow(*[Node(f"n{i}", "transform") for i in range(450)])
    assert timeline_of(workflow).range_words == "1–200 of 450 steps"
    assert timeline_of(workflow, "view=timeline&step=n250").range_words == "201–400 of 450 steps"
    found = timeline_of(workflow, "view=timeline&from=200")
    assert (found.earlier_url, found.later_url) == ("?view=timeline&from=0", "?view=timeline&from=400")
    assert timeline_of(workflow, "from=999999").rows


@pytest.mark.django_db
def test_the_row_links_its_step_and_the_columns_say_the_same_in_words(reader: Client):
    workflow = ended(a_workflow(*TWO, statuses=DONE), 100)
    ran(workflow, "fetch", 10, 50)
    html = reader.get(f"/workflows/{workflow.uid}?view=timeline&step=fetch").content.decode()
    assert 'href="?view=timeline&amp;step=shape"' in html
    assert 'aria-label="Completed: queued (10 s), attempt 1: completed (40 s)"' in html
    assert '<td class="num c-began">12:00:10 UTC</td><td class="num">10 s</td><td class="num">40 s</td>' in html


@pytest.mark.django_db
def test_names_are_shown_as_text(reader: Client):
    workflow = a_workflow(Node(EVIL, "transform", name=EVIL))
    html = reader.get(f"/workflows/{workflow.uid}?view=timeline").content.decode()
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html


@pytest.mark.django_db
def test_many_steps_take_as_many_queries_as_few():
    counts = []
    for many in (1, 60):
        nodes = [Node(f"n{i}", "transform") for i in range(many)]
        workflow = ended(a_workflow(*nodes, statuses=dict.fromkeys((n.id for n in nodes), Status.COMPLETED)), 10)
        for node in nodes:
            ran(workflow, node.id, 0, 1)
        timeline_of(workflow)
        with CaptureQueriesContext(connection) as found:
            timeline_of(workflow)
        counts.append(len(found))
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_how_long_a_step_usually_takes_stands_beside_how_long_it_took():
    template = a_template()
    workflow = a_workflow(template=template, statuses=DONE)
    assert [row.usual for row in timeline_of(workflow, usual={"fetch": 75.0}).rows] == ["1m 15s", ""]


SPANS = st.lists(st.tuples(st.floats(0, 1_000), st.floats(0, 100)).map(lambda span: (span[0], span[0] + span[1])), max_size=8)


@given(SPANS, st.booleans(), st.lists(st.floats(-5, 2_000), max_size=10))
def test_the_scale_never_turns_back_and_never_leaves_the_picture(spans, keeps_gaps, moments):
    end = max([stop for _, stop in spans], default=10.0)
    scale = scale_of(spans, end, keeps_gaps=keeps_gaps)
    places = [scale.at(moment) for moment in sorted(moments)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)
    assert (scale.at(0), scale.at(scale.end)) == (0, 100)


@given(SPANS, st.booleans())
def test_ticks_are_few_and_apart(spans, keeps_gaps):
    scale = scale_of(spans, max([stop for _, stop in spans], default=10.0), keeps_gaps=keeps_gaps)
    places = [scale.at(tick) for tick in scale.ticks()]
    assert len(places) <= 12
    assert all(later - earlier >= CLOSEST - 0.01 for earlier, later in pairwise(places))


def test_ticks_are_round():
    assert scale_of([(0, 95)], 95, keeps_gaps=False).ticks() == [0, 15, 30, 45, 60, 75, 90]
    assert scale_of([(0, 0.36)], 0.36, keeps_gaps=False).ticks() == pytest.approx([0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35])


@given(SPANS, st.booleans())
def test_no_two_ticks_read_the_same(spans, keeps_gaps):
    scale = scale_of(spans, max([stop for _, stop in spans], default=10.0), keeps_gaps=keeps_gaps)
    words = [_round(tick) for tick in scale.ticks()]
    assert len({*words}) == len(words)


def test_ticks_are_told_in_full():
    assert [_round(tick) for tick in (0, 0.5, 1.5, 2, 60, 62.5, 7_200, 7_215, 90_000)] == [
        *("0", "500 ms", "1.5 s", "2 s", "1m", "1m 2.5s", "2h", "2h 15s", "1d 1h")
    ]  # fmt: skip


def test_an_instant_is_drawn_too():
    assert scale_of([(0, 0)], 0, keeps_gaps=False).at(0) == 0
