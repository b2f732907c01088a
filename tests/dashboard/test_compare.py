"""Two workflows side by side."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import EVIL
from tests.factories import NOW, a_template, a_workflow, later
from workflows_app.dashboard import compare_page
from workflows_app.dashboard.differences import Difference, differences
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", "1", "2")]),
        ({"a": 1}, {"a": True}, [("a", "1", "true")]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [("a.b[1]", "2", "3")]),
        ({"a": [1]}, {"a": [1, {"b": 2}]}, [("a[1]", None, '{"b": 2}')]),
        ({"gone": None}, {"new": None}, [("gone", "null", None), ("new", None, "null")]),
        ("x", ["x"], [("", '"x"', '["x"]')]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}, []),
    ],
)
def test_values_differ_by_path(before, after, found):
    assert list(differences(before, after)) == [Difference(*one) for one in found]


def test_a_long_value_is_cut():
    (found,) = differences("x" * 5_000, "y")
    assert len(found.before) < 400


def test_values_of_any_depth_are_compared():
    deep: object = 1
    for _ in range(500):
        deep = [deep]
    assert len(list(differences(deep, [deep]))) == 1


def compare(reader, a, b):
    return reader.get(f"/workflows/compare?a={a.uid}&b={b.uid}")


def test_the_page_shows_what_differs_in_parameters_statuses_durations_outputs_and_errors(reader):
    template = a_template("nightly")
    a = a_workflow(template=template, statuses=DONE, params={"day": 1, "same": 2})
    b = a_workflow(
        template=template, statuses={"fetch": Status.COMPLETED, "shape": Status.FAILED}, params={"day": 2, "same": 2}, error="bad"
    )
    Step.objects.filter(workflow=b, node_id="fetch").update(ended_at=later(60), output={"rows": 7})
    Step.objects.filter(workflow=a, node_id="fetch").update(output={"rows": 9})
    Step.objects.filter(workflow=b, node_id="shape").update(error="no such column")
    text = text_of(compare(reader, a, b))
    for words in ("day 1 2", "nightly v1", "+58 sec", "no such column", "✕ Failed", "rows 9 7"):
        assert words in text
    assert "same 2" not in text
    assert "different definitions" not in text


def test_steps_of_other_definitions_are_there_on_one_side(reader):
    a, b = a_workflow(statuses=DONE), a_workflow(Node("fetch", "http_call"), Node("new", "input"))
    text = text_of(compare(reader, a, b))
    assert "They ran different definitions" in text
    assert text.count("not there") == 2


@pytest.mark.django_db
def test_a_duration_is_marked_when_it_is_half_as_long_again_and_a_second_more():
    def much(seconds: float) -> bool:
        a, b = (
            a_workflow(Node("x", "input"), statuses={"x": Status.COMPLETED}),
            a_workflow(Node("x", "input"), statuses={"x": Status.COMPLETED}),
        )
        Step.objects.filter(workflow=b).update(ended_at=later(2 + seconds))
        return compare_page.build(a, b, now=NOW).rows[0].is_much

    assert [much(seconds) for seconds in (0, 0.9, 1.1)] == [False, False, True]


@pytest.mark.parametrize("query", ["", "?a=x&b=y", f"?a={uuid.UUID(int=1)}&b={uuid.UUID(int=2)}"])
def test_what_cannot_be_compared_is_not_found(reader, query):
    assert reader.get(f"/workflows/compare{query}").status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_steps(reader):
    def queries(count: int) -> int:
        nodes = [Node(f"n{i}", "input") for i in range(count)]
        a, b = a_workflow(*nodes), a_workflow(*nodes)
        compare(reader, a, b)
        with CaptureQueriesContext(connection) as captured:
            compare(reader, a, b)
        return len(captured)

    assert queries(40) == queries(2)


def test_many_alike_steps_are_left_out_and_counted(reader, monkeypatch):
    monkeypatch.setattr(compare_page, "MOST_ROWS", 3)
    nodes = [Node(f"n{i}", "input") for i in range(5)]
    a, b = a_workflow(*nodes), a_workflow(*nodes, statuses={"n4": Status.COMPLETED})
    page = compare_page.build(a, b, now=NOW)
    assert ([row.id for row in page.rows], page.unseen) == (["n4"], 4)


def test_hostile_text_is_shown_as_text(reader):
    a = a_workflow(statuses=DONE, params={EVIL: EVIL}, name=EVIL)
    b = a_workflow(statuses={"fetch": Status.FAILED, "shape": Status.STOPPED}, params={}, error=EVIL)
    Step.objects.filter(workflow=b, node_id="fetch").update(error=EVIL)
    html = compare(reader, a, b).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
