"""Graphs to lay out, as positions of what each step needs."""

from __future__ import annotations

from hypothesis import strategies as st

Needs = list[list[int]]


def chain(count: int) -> Needs:
    return [[i - 1] if i else [] for i in range(count)]


def fan(count: int) -> Needs:
    """One, then all but two beside each other, then one."""
    return [[], *([0] for _ in range(count - 2)), list(range(1, count - 1))]


def layered(layers: int, width: int) -> Needs:
    """Every step needs two of the layer before, in a pattern that no two share with many others."""
    return [
        [] if step < width else sorted({(step // width - 1) * width + (step * k + step // 3) % width for k in (1, 7)})
        for step in range(layers * width)
    ]


@st.composite
def any_graph(draw: st.DrawFn, most: int = 40) -> Needs:
    """Acyclic: a step needs only earlier ones."""
    count = draw(st.integers(1, most))
    return [sorted(draw(st.sets(st.integers(0, step - 1), max_size=4))) if step else [] for step in range(count)]
