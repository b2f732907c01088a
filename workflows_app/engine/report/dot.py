"""Graphviz in a process of its own: numbers in, numbers out, for a moment at most."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Sequence
from functools import cache

from workflows_app.graph.layout import dot_text
from workflows_app.graph.layout.folding import levels_of
from workflows_app.graph.layout.shapes import Direction, Join, Plan, Size

SECONDS = 1.0
MOST_JOINS, MOST_BENDS = 1_500, 3_000  # beyond these it would need longer than that
_places = threading.BoundedSemaphore(2)  # of one process at once


class NoDrawing(Exception):
    """There is no Graphviz, or it was too slow, too busy or failed."""


@cache
def path() -> str | None:
    """Where the program is, found once."""
    return shutil.which("dot")


def place(sizes: Sequence[Size], joins: Sequence[Join], direction: Direction) -> Plan:
    """Raises NoDrawing."""
    program = path()
    if program is None or not _is_fit(len(sizes), joins):
        raise NoDrawing("there is no dot, or this is too much for it")
    if not _places.acquire(timeout=SECONDS):
        raise NoDrawing("dot is busy")
    try:
        return dot_text.answer(_ask(program, dot_text.question(sizes, joins, direction)), sizes, joins)
    except dot_text.Unreadable as error:
        raise NoDrawing(str(error)) from None
    finally:
        _places.release()


def _ask(program: str, question: str) -> str:
    try:
        found = subprocess.run([program, "-Tplain"], input=question, capture_output=True, text=True, timeout=SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise NoDrawing(f"dot failed: {error}") from None
    return found.stdout


def _is_fit(count: int, joins: Sequence[Join]) -> bool:
    """Lines that pass many layers cost most: dot gives them a place in every one."""
    levels = levels_of(count, [(join.tail, join.head) for join in joins])
    return len(joins) <= MOST_JOINS and sum(levels[join.head] - levels[join.tail] - 1 for join in joins) <= MOST_BENDS
