"""Drawings are made at the first look and kept."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError

from tests.factories import a_definition
from workflows_app.engine.report import dot, layouts
from workflows_app.engine.report.layouts import Wanted
from workflows_app.graph.definition import Node
from workflows_app.graph.layout import layers
from workflows_app.graph.layout.shapes import Join, Plan, Size
from workflows_app.models import Layout

pytestmark = pytest.mark.django_db
TWO, ONE = (Size(100, 50), Size(100, 50)), (Join(0, 1, 1),)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    layouts.plan.cache_clear()
    yield
    layouts.plan.cache_clear()


def wide(count: int = 400) -> str:
    nodes = [Node("first", "input"), *(Node(f"n{i}", "transform", needs=("first",)) for i in range(count))]
    return str(a_definition(*nodes).digest)


def test_a_drawing_is_kept_once_for_each_direction_and_read_again(monkeypatch: Any) -> None:
    digest = a_definition().digest
    first = layouts.plan(Wanted(digest))
    layouts.plan(Wanted(digest, "TB"))
    assert Layout.objects.filter(definition_id=digest).count() == 2
    layouts.plan.cache_clear()
    monkeypatch.setattr(layouts, "_drawn", None)
    assert layouts.plan(Wanted(digest)) == first


def test_two_processes_that_draw_at_once_both_have_a_drawing_and_keep_one(monkeypatch: Any) -> None:
    """The other one keeps its own between the look and the write."""
    wanted = Wanted(a_definition().digest)
    drawn = layouts._drawn(wanted)

    def slowly(other: Wanted) -> Plan:
        layouts._keep(other, drawn)
        return drawn

    monkeypatch.setattr(layouts, "_drawn", slowly)
    assert layouts.plan(wanted) == drawn
    assert Layout.objects.count() == 1


def test_what_an_earlier_release_drew_is_not_used(monkeypatch: Any) -> None:
    digest = a_definition().digest
    layouts.plan(Wanted(digest))
    layouts.plan.cache_clear()
    monkeypatch.setattr(layouts, "RELEASE", layouts.RELEASE + 1)
    layouts.plan(Wanted(digest))
    assert Layout.objects.count() == 2


def test_a_database_that_cannot_be_written_to_now_still_shows_the_graph(monkeypatch: Any) -> None:
    def locked() -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(layouts, "write", locked)
    assert layouts.plan(Wanted(a_definition().digest)).boxes
    assert not Layout.objects.exists()


def test_one_open_group_is_kept_and_a_passing_look_at_several_is_not() -> None:
    digest = wide()
    layouts.plan(Wanted(digest, "LR", (1,)))
    layouts.plan(Wanted(digest, "LR", (1, 5)))
    assert [row.variant.split("-")[-1] for row in Layout.objects.all()] == ["1"]


def test_numbers_that_name_no_group_make_no_drawing_of_their_own() -> None:
    digest = wide()
    for number in (0, 2, 399, 12_345):
        layouts.plan(layouts.wanted(digest, "LR", (number,)))
    assert Layout.objects.count() == 1
    assert layouts.wanted(digest, "LR", (7, 1)) == Wanted(digest, "LR", (1,))


def test_the_key_tells_drawings_apart() -> None:
    one, other = a_definition().digest, wide()
    keys = {wanted.key for wanted in (Wanted(one), Wanted(other), Wanted(one, "TB"), Wanted(one, "LR", (1,)), Wanted(one, "LR", (1, 2)))}
    assert len(keys) == 5
    assert Wanted(one).key == Wanted(one).key


@pytest.mark.parametrize(
    "answer",
    [
        subprocess.TimeoutExpired(["dot"], 1),
        subprocess.CalledProcessError(1, ["dot"]),
        FileNotFoundError("dot"),
        subprocess.CompletedProcess(["dot"], 0, "something else"),
    ],
)
def test_our_own_layout_is_drawn_where_graphviz_is_slow_fails_or_talks_nonsense(monkeypatch: Any, answer: Any) -> None:
    def run(*_: Any, **__: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(dot, "path", lambda: "/nowhere/dot")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(dot.NoDrawing):
        dot.place(TWO, ONE, "LR")
    digest = a_definition().digest
    found = layouts.folding(digest, ())
    assert layouts.plan(Wanted(digest)) == layers.place(layouts.sizes.sizes_of(found, frozenset()), found.joins, "LR")


def test_graphviz_is_asked_without_a_shell_in_numbers_and_for_a_moment_only(monkeypatch: Any) -> None:
    """Whatever steps are called: names never reach it."""
    asked: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> None:
        asked.update(options, command=command)
        raise OSError

    monkeypatch.setattr(dot, "path", lambda: "/usr/bin/dot")
    monkeypatch.setattr(subprocess, "run", run)
    evil = '"; image="/etc/passwd'
    layouts.plan(Wanted(a_definition(Node(evil, "transform"), Node("b", "transform", needs=(evil,))).digest))
    assert asked["command"] == ["/usr/bin/dot", "-Tplain"]
    assert asked["timeout"] <= 2
    assert not asked.get("shell")
    assert "passwd" not in asked["input"]
    assert "0->1" in asked["input"]


def test_graphviz_is_not_asked_for_more_than_it_can_do_in_time(monkeypatch: Any) -> None:
    monkeypatch.setattr(dot, "path", lambda: "/usr/bin/dot")
    monkeypatch.setattr(subprocess, "run", None)
    sizes = [Size(100, 50)] * 200
    with pytest.raises(dot.NoDrawing):
        dot.place(sizes, [Join(tail, head, 1) for head in range(200) for tail in range(head)], "LR")
