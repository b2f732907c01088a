"""What one node reads: every path in its expressions and conditions, each with the place it is read at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows_app.graph import conditions, expressions
from workflows_app.graph.conditions import ConditionError
from workflows_app.graph.definition import Node
from workflows_app.graph.expressions import ExpressionError
from workflows_app.graph.problems import Problem
from workflows_app.graph.shapes import ActionShape
from workflows_app.graph.syntax import Path
from workflows_app.graph.words import joined

Json = Any


@dataclass(frozen=True, slots=True)
class Read:
    """One path, and the field that reads it. `path=None`: some path that only running can tell. `is_computed`: by an expression that
    makes something else of the value."""

    where: str
    path: Path | None
    is_logic: bool = False
    is_computed: bool = False


def reads(node: Node, shape: ActionShape, config_key: str) -> Iterator[Read | Problem]:
    """In the order of the fields; a problem, its path inside the node, for what cannot be understood."""
    templated = {key: value for key, value in node.config.items() if key not in shape.raw}
    for where, text in expressions.texts(templated, config_key):
        yield from _text_reads(node, where, text)
    for where, logic in shape.conditions(node.config):
        yield from _logic_reads(node, joined(config_key, where), logic)
    if node.run_if is not None:
        yield from _logic_reads(node, "run_if", node.run_if)


def _text_reads(node: Node, where: str, text: str) -> list[Read | Problem]:
    try:
        return [Read(use.where, use.path, is_computed=use.is_computed) for use in expressions.uses(text, where)]
    except ExpressionError as error:
        return [Problem(error.message, path=where, node=node.id)]


def _logic_reads(node: Node, where: str, logic: Json) -> list[Read | Problem]:
    try:
        conditions.check(logic)
    except ConditionError as error:
        return [Problem(str(error), path=where, node=node.id)]
    paths = conditions.paths(logic)
    return [Read(where, None, is_logic=True)] if paths is None else [Read(where, path, is_logic=True) for path in paths]
