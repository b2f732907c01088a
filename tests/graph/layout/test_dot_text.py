"""What Graphviz is told and what is understood of its answer."""

from __future__ import annotations

import re

import pytest

from workflows_app.graph.layout.dot_text import Unreadable, answer, question
from workflows_app.graph.layout.shapes import Join, Size

SIZES, JOINS = (Size(72, 36), Size(72, 36)), (Join(0, 1, 3),)
PLAIN = """graph 1 4 2
node 0 0.5 1.5 1 0.5 0 solid box black lightgrey
node 1 3.5 0.25 1 0.5 0 solid box black lightgrey
edge 0 1 4 1 1.5 2 1.5 2 0.25 3 0.25 solid black
stop
"""


def test_it_is_told_numbers_and_words_of_our_own():
    told = question(SIZES, JOINS, "LR")
    words = set(re.findall(r"[A-Za-z_]+", told))
    assert words == {
        "digraph", "rankdir", "LR", "ranksep", "nodesep", "node", "shape", "box", "fixedsize", "true", "label", "edge", "dir", "none",
        "tailport", "headport", "e", "w", "width", "height",
    }  # fmt: skip
    assert "0->1" in told


def test_its_answer_is_turned_upside_down_and_into_pixels():
    plan = answer(PLAIN, SIZES, JOINS)
    assert (plan.width, plan.height) == (4 * 72 + 28, 2 * 72 + 28)
    assert [(box.x, box.y) for box in plan.boxes] == [(14, 32), (230, 122)]
    assert plan.lines == ((86, 50, 158, 50, 158, 140, 230, 140),)


@pytest.mark.parametrize(
    "text", ["", "Error: syntax", PLAIN.replace("node 1", "node 7"), PLAIN.replace("edge 0 1", "edge 1 0"), PLAIN.replace("3.5", "wide")]
)
def test_anything_else_is_refused(text):
    with pytest.raises(Unreadable):
        answer(text, SIZES, JOINS)
