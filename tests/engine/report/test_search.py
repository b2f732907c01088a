"""Filters and cursors of the list."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.factories import NOW, a_template, a_workflow, later
from workflows_app.engine.report import BadCursor, Filters, search
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db


def names(filters: Filters, **options: Any) -> list[str]:
    return [workflow["name"] for workflow in search(filters=filters, **{"limit": 50, **options}).workflows]


def test_the_newest_change_comes_first() -> None:
    a_workflow(name="old", updated_at=later(-9))
    a_workflow(name="new", updated_at=later(9))
    a_workflow(name="middle")
    assert names(Filters()) == ["new", "middle", "old"]


def test_several_statuses_may_be_asked_for() -> None:
    done = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
    a_workflow(name="done", statuses=done)
    a_workflow(name="running", statuses={"fetch": Status.RUNNING})
    a_workflow(name="new")
    assert sorted(names(Filters(statuses=["COMPLETED", "RUNNING"]))) == ["done", "running"]


def test_a_template_is_named_by_its_slug() -> None:
    a_workflow(name="mine", template=a_template("etl"))
    a_workflow(name="other", template=a_template("etl-2"))
    assert names(Filters(template="etl")) == ["mine"]


@pytest.mark.parametrize("tag", ["etl", 'say "hi"', "a\\b", "größe", "日本", "50%"])
def test_a_tag_is_found_whole(tag: str) -> None:
    a_workflow(name="tagged", tags=["first", tag])
    a_workflow(name="longer", tags=[f"{tag}x", f"x{tag}"])
    a_workflow(name="bare")
    assert names(Filters(tag=tag)) == ["tagged"]


def test_two_tags_side_by_side_are_not_one_with_a_comma() -> None:
    a_workflow(tags=["a", "b"])
    assert names(Filters(tag='a", "b')) == []


def test_text_finds_names_without_regard_to_case() -> None:
    a_workflow(name="Nightly ETL")
    a_workflow(name="Report")
    assert names(Filters(q="etl")) == ["Nightly ETL"]


@pytest.mark.parametrize("length", [8, 13, 36])
def test_text_finds_a_workflow_by_the_start_of_its_id(length: int) -> None:
    a_workflow(name="other")
    wanted = a_workflow(name="wanted")
    assert names(Filters(q=str(wanted.uid)[:length])) == ["wanted"]


def test_wildcards_in_text_mean_themselves() -> None:
    a_workflow(name="100 % done")
    a_workflow(name="100 of them")
    assert names(Filters(q="100 %")) == ["100 % done"]


def test_children_are_found_by_their_parent() -> None:
    parent = a_workflow(name="parent")
    a_workflow(name="child", parent=parent)
    assert names(Filters(parent=parent.uid)) == ["child"]


def test_creation_times_bound_the_list_on_both_sides() -> None:
    for seconds in (0, 10, 20):
        a_workflow(name=str(seconds), created_at=later(seconds))
    assert names(Filters(created_after=later(5), created_before=later(15))) == ["10"]


def test_pages_join_without_gap_or_overlap_even_when_times_are_equal() -> None:
    for number in range(7):
        a_workflow(name=str(number), updated_at=later(number // 3))
    seen, cursor = [], None
    while True:
        page = search(filters=Filters(), limit=2, cursor=cursor)
        seen += [workflow["name"] for workflow in page.workflows]
        if (cursor := page.cursor) is None:
            break
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_the_last_full_page_has_no_next() -> None:
    for _ in range(4):
        a_workflow()
    assert search(filters=Filters(), limit=4).cursor is None
    assert search(filters=Filters(), limit=3).cursor is not None


def test_a_cursor_survives_the_deletion_of_the_row_it_was_taken_from() -> None:
    for number in range(4):
        a_workflow(name=str(number), updated_at=later(number))
    page = search(filters=Filters(), limit=2)
    Workflow.objects.filter(uid=page.workflows[-1]["id"]).delete()
    assert names(Filters(), cursor=page.cursor) == ["1", "0"]


def test_a_cursor_holds_no_row_number() -> None:
    for _ in range(3):
        a_workflow()
    cursor = search(filters=Filters(), limit=1).cursor
    assert cursor is not None
    moment, uid = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    assert moment == NOW.isoformat() and Workflow.objects.filter(uid=uid).exists()


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", "\0", "[]", "bnVsbA", "W10", "WzEsMl0", base64.b64encode(b'["2026-11-21T12:00:00", "x"]').decode(), "A" * 5000],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        search(filters=Filters(), limit=2, cursor=cursor)
