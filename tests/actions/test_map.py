"""Tests of `map` as an action: what it asks for, and what it makes of elements that have ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.contexts import a_context
from workflows_app import actions
from workflows_app.actions.base import Element, Fail, Spread
from workflows_app.actions.map import MAX_ELEMENTS, Map, MapConfig

DONE = Element("COMPLETED", {"status": 200, "body": {"id": 7}}, "")
BROKEN = Element("FAILED", None, "it broke")
SKIPPED = Element("STOPPED", None, "")


def first(items: Any, **config: Any) -> Any:
    return Map().run(MapConfig.model_validate({"items": items, **config}), a_context())


def again(*elements: Element, **config: Any) -> Any:
    context = a_context(resume={}, elements=elements)
    return Map().run(MapConfig.model_validate({"items": [None] * len(elements), **config}), context)


def test_it_asks_for_one_step_per_element_at_most_so_many_at_once():
    """CONTRACT.md section 7: one child step per element of a list, with a concurrency limit."""
    assert first([1, {"a": 2}], limit=3) == Spread(elements=[1, {"a": 2}], limit=3, stop_on_failure=True)
    assert first([1], failures="fail_at_end") == Spread(elements=[1], limit=0, stop_on_failure=False)
    assert not first([1], failures="tolerate").stop_on_failure


def test_an_empty_list_is_done_at_once():
    assert first([]) == {"results": [], "count": 0, "succeeded": 0, "failed": 0, "skipped": 0, "errors": []}


@pytest.mark.parametrize(
    ("items", "what"),
    [({"a": 1}, "an object"), ("abc", "a text"), (None, "null"), (3, "a number"), (True, "true")],
    ids=["object", "text", "null", "number", "true"],
)
def test_what_is_no_list_fails_and_says_what_it_is(items, what):
    with pytest.raises(Fail, match=f"'items' must be a list, it is {what}"):
        first(items)


def test_ten_thousand_elements_are_taken_and_one_more_is_not():
    assert len(first([0] * MAX_ELEMENTS).elements) == 10_000
    with pytest.raises(Fail, match="has 10,001 elements; a map takes 10,000 at most"):
        first([0] * (MAX_ELEMENTS + 1))


def test_results_come_in_the_order_of_the_list():
    found = again(*(Element("COMPLETED", number, "") for number in (3, 1, 2)))
    assert found == {"results": [3, 1, 2], "count": 3, "succeeded": 3, "failed": 0, "skipped": 0, "errors": []}


@pytest.mark.parametrize("failures", ["fail_fast", "fail_at_end"])
def test_a_failed_element_fails_the_map_with_its_index_and_error(failures):
    with pytest.raises(Fail, match=r"^1 of 3 elements failed: \[1\] it broke$"):
        again(DONE, BROKEN, SKIPPED, failures=failures)


def test_of_many_failures_the_first_three_are_named():
    with pytest.raises(Fail, match=r"^5 of 5 elements failed: \[0\] it broke; \[1\] it broke; \[2\] it broke; and 2 more$"):
        again(*[BROKEN] * 5)


def test_tolerated_failures_give_null_and_are_listed():
    found = again(DONE, BROKEN, failures="tolerate", collect="body.id")
    assert found == {
        "results": [7, None], "count": 2, "succeeded": 1, "failed": 1, "skipped": 0, "errors": [{"index": 1, "error": "it broke"}],
    }  # fmt: skip


def test_of_thousands_of_failures_a_hundred_are_listed_and_all_are_counted():
    found = again(*[Element("FAILED", None, "x" * 4000)] * 5000, failures="tolerate")
    assert (found["failed"], len(found["errors"]), len(found["errors"][0]["error"])) == (5000, 100, 500)
    assert found["errors"][-1]["index"] == 99


@pytest.mark.parametrize("failures", ["fail_fast", "fail_at_end", "tolerate"])
def test_skipped_elements_give_null_and_fail_nothing(failures):
    found = again(SKIPPED, DONE, failures=failures)
    assert found["results"] == [None, DONE.output]
    assert (found["succeeded"], found["skipped"], found["failed"]) == (1, 1, 0)


def test_collect_takes_a_part_of_each_output():
    assert again(DONE, DONE, collect="body.id")["results"] == [7, 7]
    assert again(Element("COMPLETED", {"rows": [{"n": 1}]}, ""), collect="rows[0].n")["results"] == [1]
    assert again(Element("COMPLETED", {"n": None}, ""), collect="n")["results"] == [None]


def test_a_collect_that_leads_nowhere_says_for_which_element_and_what_was_there():
    with pytest.raises(Fail, match=r"leads nowhere for element 1: .*`output.body` has no `name`; it has: id"):
        again(Element("COMPLETED", {"body": {"name": 1}}, ""), DONE, collect="body.name")


@pytest.mark.parametrize("collect", ["a b", "a + 1", "[", "a|length"])
def test_a_collect_that_is_no_path_is_refused_before_anything_runs(collect):
    ((path, _),) = Map().check({"items": [], "collect": collect})
    assert path == "collect"


def test_what_can_be_known_beforehand_is_checked_beforehand():
    check = actions.find("map").check
    assert check({"items": "{{ fetch.output.rows }}", "limit": "{{ params.n }}"}) == []
    assert check({"items": {"a": 1}}) == [("items", "must be a list, it is an object")]
    assert check({"items": "abc"}) == [("items", "must be a list, it is a text")]
    assert check({}) == [("items", "'items' is missing")]
    assert [path for path, _ in check({"items": [], "limit": 1001})] == ["limit"]
    assert [path for path, _ in check({"items": [], "limit": -1})] == ["limit"]
    assert [path for path, _ in check({"items": [], "failures": "sometimes"})] == ["failures"]


def test_the_step_for_each_element_stands_under_do():
    assert actions.find("map").body_key == "do"
