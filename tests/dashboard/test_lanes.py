"""What each filter of the list finds, in which order, and by pages."""

import uuid

import pytest
from django.http import QueryDict

from tests.dashboard.rows import asking
from tests.factories import NOW, a_step, a_template, a_workflow, later
from workflows_app.dashboard import lanes, paging
from workflows_app.dashboard.filters import Filters
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
STOPPED = {"fetch": Status.STOPPED, "shape": Status.STOPPED}
RUNNING = {"fetch": Status.RUNNING}


def groups(query: str):
    return lanes.of(Filters.from_query(QueryDict(query)), now=NOW)


def names(query: str) -> list[str]:
    ids = paging.find(groups(query), limit=50).ids
    by_id = Workflow.objects.in_bulk(ids)
    return [by_id[id].name for id in ids]


def ended(name: str, seconds: float, statuses=None, **changes) -> Workflow:
    at = later(seconds)
    return a_workflow(name=name, statuses=statuses or DONE, ended_at=at, updated_at=at, **changes)


def test_without_filters_all_stand_in_the_order_in_which_they_began(db):
    a_workflow(name="a", statuses=RUNNING)
    ended("b", 5)
    a_workflow(name="c")
    assert names("") == ["c", "b", "a"]


def test_active_ones_come_before_ended_ones_and_those_in_the_order_of_their_ends(db):
    ended("late", 9, FAILED)
    a_workflow(name="old and running", statuses=RUNNING)
    ended("early", 5, STOPPED)
    ended("done", 7)
    a_workflow(name="running", statuses=RUNNING)
    assert names("status=running,failed,stopped") == ["running", "old and running", "late", "early"]


def test_a_template_is_found_by_its_versions_with_and_without_a_status(db):
    nightly, other = a_template("nightly"), a_template("other")
    ended("1", 1, FAILED, template=nightly)
    ended("2", 3, template=nightly)
    ended("3", 2, FAILED, template=nightly)
    ended("4", 4, FAILED, template=other)
    assert names("template=nightly") == ["3", "2", "1"]
    assert names("template=nightly&status=failed,completed") == ["2", "3", "1"]
    assert names("q=template:nightly status:failed") == ["3", "1"]
    assert names("template=nightly&q=template:other") == names("template=nobody") == []


@pytest.mark.parametrize("most", [1, 12])
def test_a_template_of_many_versions_is_found_all_the_same(db, monkeypatch, most):
    monkeypatch.setattr(lanes, "MOST_VERSIONS", most)
    template = a_template("nightly")
    first = template.current
    a_workflow(name="of the first", template=template)
    template.current = template.versions.create(number=2, source="x", definition=first.definition, created_at=NOW)
    template.save()
    a_workflow(name="of the second", template=template)
    assert names("template=nightly") == ["of the second", "of the first"]


def test_all_words_of_a_name_must_be_there_in_any_order_and_case(db):
    a_workflow(name="Night load EU")
    a_workflow(name="Night report")
    assert names("q=load NIGHT") == ["Night load EU"]
    assert names('q="night load"') == ["Night load EU"]
    assert names('q="load night"') == []


@pytest.mark.parametrize("name", ["100%", "a_b", "back\\slash", "it's", '"quoted"'])
def test_a_name_is_looked_for_as_it_is_typed(db, name):
    a_workflow(name=name)
    a_workflow(name="100 aXb")
    from workflows_app.dashboard.query_language import quoted

    query = QueryDict(mutable=True)
    query["q"] = quoted(name)
    assert len(paging.find(lanes.of(Filters.from_query(query), now=NOW), limit=5).ids) == 1


def test_the_beginning_of_an_id_finds_its_workflow_however_old(db, monkeypatch):
    monkeypatch.setattr(paging, "WINDOW", 2)
    uid = uuid.UUID("0fc5a4b1-1111-4222-8333-444455556666")
    a_workflow(name="wanted", uid=uid)
    for _ in range(5):
        a_workflow(name="other")
    for typed in ("0fc5a4b1", "0fc5a4b1-11", str(uid), str(uid).upper(), uid.hex):
        found = paging.find(groups(f"q={typed}"), limit=5, window=2)
        assert [Workflow.objects.get(pk=id).name for id in found.ids] == ["wanted"], typed


def test_what_is_found_by_its_name_and_by_its_id_is_found_once(db):
    uid = uuid.UUID("feed0000-1111-4222-8333-444455556666")
    a_workflow(name="feed the cat", uid=uid)
    a_workflow(name="feed the dog")
    assert names("q=feed") == ["feed the dog", "feed the cat"]
    assert paging.count(groups("q=feed"), limit=10) == (2, False)


def test_tags_steps_and_errors_are_found(db):
    ended("eu", 1, FAILED, tags=["eu"], error="fetch: HTTP 504 from warehouse")
    ended("west", 2, FAILED, tags=["eu-west", 'a"b'], error="fetch: timeout")
    a_workflow(Node("load", "delay"), name="loads", error="load: timeout")
    assert names("tag=eu") == names("q=tag:eu") == ["eu"]
    assert names("tag=eu&q=tag:west") == []
    assert names("q=step:load") == ["loads"]
    assert set(names("q=step:fetch")) == {"eu", "west"}
    assert names('q=error:"HTTP 504"') == ["eu"]
    assert names("q=error:timeout") == ["west"]  # what runs on has not failed yet
    assert names("q=error:timeout status:completed") == []


def test_what_was_started_from_a_workflow_is_found_by_its_parent(db):
    uid = uuid.UUID("0fc5a4b1-1111-4222-8333-444455556666")
    parent = a_workflow(name="parent", uid=uid)
    a_workflow(name="child", parent=parent)
    ended("failed child", 5, FAILED, parent=parent)
    assert names("q=parent:0fc5a4b1") == ["failed child", "child"]
    assert names(f"status=failed&since=24h&q=parent:{uid}") == ["failed child"]
    assert names("q=parent:nobody") == names("q=parent:00001111") == []


def test_a_range_holds_what_ended_in_it_and_what_began_in_it_and_runs(db):
    ended("before", -7_200)
    ended("in", -1_800)
    a_workflow(name="runs since before", created_at=later(-7_200))
    a_workflow(name="runs since then", created_at=later(-1_800))
    ended("after", -60)
    hour = "from=2026-11-21T11:00&to=2026-11-21T11:45"
    assert names(hour) == ["runs since then", "in"]
    assert names(f"{hour}&status=completed") == ["in"]
    assert names("since=1h") == ["runs since then", "runs since before", "after", "in"]


def test_waiting_is_what_is_active_and_has_nothing_running(db):
    asking(name="asks")
    a_workflow(name="runs", statuses=RUNNING)
    ended("done", 1)
    assert names("q=is:waiting") == ["asks"]
    assert names("q=is:waiting status:completed") == names("q=is:waiting parent:0fc5a4b1") == []


@pytest.mark.parametrize("query", ["", "status=completed", "status=failed,completed,running", "since=24h", "template=nightly", "q=w"])
def test_pages_follow_one_another_without_gap_or_overlap(db, query):
    template = a_template("nightly")
    for n in range(23):
        a_workflow(name=f"w{n}", statuses=[RUNNING, DONE, FAILED, DONE][n % 4], template=template, updated_at=later(n % 5))
    everything, seen, after = paging.find(groups(query), limit=100).ids, [], ""
    while True:
        found = paging.find(groups(query), limit=4, after=after)
        seen += found.ids
        if len(found.keys) < 4:
            break
        after = paging.cursor(found.keys[-1])
    assert seen == everything
    assert len(set(seen)) == len(seen) > 4


@pytest.mark.parametrize("query", ["q=needle", "status=completed,failed&q=needle", "status=completed&template=nightly&q=needle"])
def test_a_search_goes_on_where_it_was_cut_and_misses_nothing(db, query):
    template = a_template("nightly")
    for n in range(30):
        a_workflow(name="needle" if n in {2, 3, 17} else "hay", statuses=DONE, template=template, updated_at=later(n), ended_at=later(n))
    seen, after, looks = [], "", 0
    while True:
        found = paging.find(groups(query), limit=5, after=after, window=4)
        seen, looks = seen + found.ids, looks + 1
        if not found.cut:
            break
        after = paging.cursor(found.cut)
    assert [Workflow.objects.get(pk=id).name for id in seen] == ["needle"] * 3
    assert looks >= 8
    assert len(set(seen)) == 3


def test_counting_stops_at_a_limit_and_tells_when_there_may_be_more(db):
    for _ in range(5):
        a_workflow(name="hay", statuses=DONE)
    assert paging.count(groups("status=completed"), limit=5) == (5, False)
    assert paging.count(groups("status=completed"), limit=4) == (4, True)
    assert paging.count(groups("q=hay"), limit=9, window=3) == (3, True)
    assert paging.count([], limit=9) == (0, False)


@pytest.mark.parametrize("after", ["nonsense", "-1", "7.x", "7." + "9" * 17, "9" * 30, "%00"])
def test_a_cursor_that_means_nothing_means_the_first_page(db, after):
    workflow = a_workflow(statuses=DONE)
    assert paging.find(groups("status=completed"), limit=5, after=after).ids == [workflow.pk]


def test_the_cursor_of_an_active_row_goes_on_with_the_ended_ones(db):
    done, runs = ended("done", 1), a_workflow(name="runs", statuses=RUNNING)
    found = paging.find(groups("status=running,completed"), limit=5, after=str(runs.pk))
    assert found.ids == [done.pk]


def test_what_names_something_that_is_not_there_is_told(db):
    a_template("nightly")
    said = list(lanes.unknown(Filters.from_query(QueryDict("template=nightl&q=parent:00001111"))))
    assert "There is no template “nightl”" in said[0]
    assert "No workflow has an id that begins with “00001111”" in said[1]
    assert list(lanes.unknown(Filters.from_query(QueryDict("template=nightly")))) == []


def test_the_step_of_another_workflow_is_not_found(db):
    a_step(a_workflow(name="one"), Node("extra", "input"), position=9)
    a_workflow(name="two")
    assert names("q=step:extra") == ["one"]


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        ("7", "6", True),
        ("6", "6", False),
        ("5.20", "9.10", True),
        ("9.10", "5.20", False),
        ("3", "5.20", True),
        ("5.20", "3", False),
        ("3", "", True),
        ("", "3", False),
    ],
)
def test_the_place_of_a_row_is_before_or_after_that_of_another(one, other, newer):
    assert paging.is_newer(one, other) is newer
