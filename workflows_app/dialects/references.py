"""Which steps a node reads, and whether it may: what it names must exist and lie upstream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workflows_app.dialects.params_schema import is_closed
from workflows_app.graph import conditions, expressions
from workflows_app.graph.conditions import ConditionError
from workflows_app.graph.definition import Node
from workflows_app.graph.expressions import ExpressionError
from workflows_app.graph.lookup import write
from workflows_app.graph.names import RESERVED, STEP_FIELDS, did_you_mean, is_step, reference, step_field
from workflows_app.graph.problems import Problem
from workflows_app.graph.shapes import ActionShape
from workflows_app.graph.syntax import Path
from workflows_app.graph.validation import ancestors

MAX_REFERENCES = 1_000_000


@dataclass(frozen=True, slots=True)
class Read:
    """One path that a node reads, and the field it reads it in. `path=None`: some path that only running can tell."""

    where: str
    path: Path | None


class References:
    """Works out `Node.references` for the nodes of one graph (which has no cycle) and collects the problems."""

    def __init__(self, nodes: Sequence[Node], actions: Mapping[str, ActionShape], params_schema: Mapping[str, Any]) -> None:
        self.nodes = nodes
        self.actions = actions
        self.params_schema = params_schema
        self.positions = {node.id: position for position, node in enumerate(nodes)}
        self.above = ancestors(nodes)
        self.problems: list[Problem] = []
        self.count = 0

    def resolve(self) -> tuple[Node, ...]:
        """The nodes with their references; what was wrong is in `problems`."""
        resolved = tuple(self._resolve(index, node) for index, node in enumerate(self.nodes))
        if self.count > MAX_REFERENCES:
            self.problems.append(Problem(f"the steps read {self.count:,} outputs of others; the limit is {MAX_REFERENCES:,}", path="steps"))
        return resolved

    def _resolve(self, index: int, node: Node) -> Node:
        wanted = 0
        for read in self._reads(index, node):
            if read.path is None or read.path == ("steps",):
                wanted |= self.above[node.id]
            elif message := self._refusal(node, read.path):
                self.problems.append(Problem(message, path=f"steps[{index}].{read.where}", node=node.id))
            elif is_step(name := reference(read.path)):
                wanted |= 1 << self.positions[name]
        if self.actions[node.action].reads_upstream:
            for need in node.needs:
                wanted |= 1 << self.positions[need]
        self.count += wanted.bit_count()
        return replace(node, references=tuple(self._ids(wanted)) if self.count <= MAX_REFERENCES else ())

    def _ids(self, wanted: int) -> Iterator[str]:
        while wanted:
            lowest = wanted & -wanted
            yield self.nodes[lowest.bit_length() - 1].id
            wanted ^= lowest

    def _reads(self, index: int, node: Node) -> Iterator[Read]:
        shape = self.actions[node.action]
        templated = {key: value for key, value in node.config.items() if key not in shape.raw}
        logic = [(f"with.{where}", rule) for where, rule in shape.conditions(node.config)]
        if node.run_if is not None:
            logic.append(("run_if", node.run_if))
        for where, text in expressions.texts(templated, "with"):
            yield from self._text_reads(index, node, where, text)
        yield from self._logic_reads(index, node, logic)

    def _text_reads(self, index: int, node: Node, where: str, text: str) -> list[Read]:
        try:
            return [Read(use.where, use.path) for use in expressions.uses(text, where)]
        except ExpressionError as error:
            self.problems.append(Problem(error.message, path=f"steps[{index}].{where}", node=node.id))
            return []

    def _logic_reads(self, index: int, node: Node, logic: Iterable[tuple[str, Any]]) -> Iterator[Read]:
        for where, rule in logic:
            try:
                conditions.check(rule)
            except ConditionError as error:
                self.problems.append(Problem(str(error), path=f"steps[{index}].{where}", node=node.id))
                continue
            paths = conditions.paths(rule)
            yield from [Read(where, path) for path in paths] if paths is not None else [Read(where, None)]

    def _refusal(self, node: Node, path: Path) -> str:
        """Why a node may not read a path; empty when it may."""
        name = reference(path)
        if name.startswith("params."):
            return self._param_refusal(path)
        if name == "item":
            return f"`{write(path)}`: there is no `item` here"
        return self._step_refusal(node, path, name) if is_step(name) else ""

    def _param_refusal(self, path: Path) -> str:
        name, known = str(path[1]), self.params_schema["properties"]
        if name in known or not is_closed(self.params_schema):
            return ""
        return f"`{write(path)}`: the parameter '{name}' is not declared under params{did_you_mean(name, known)}"

    def _step_refusal(self, node: Node, path: Path, name: str) -> str:
        if name not in self.positions:
            known = [*self.positions, *(RESERVED - {"item"})]
            return f"`{write(path)}`: there is no step '{name}'{did_you_mean(name, known)}"
        if name == node.id:
            return f"`{write(path)}`: a step cannot read its own output"
        if not self.above[node.id] >> self.positions[name] & 1:
            return f"`{write(path)}`: step '{name}' is not upstream of '{node.id}': add it to needs"
        part = step_field(path)
        if part is not None and part not in STEP_FIELDS:
            hint = did_you_mean(part, STEP_FIELDS) or f"; a step has {', '.join(STEP_FIELDS)}"
            return f"`{write(path)}`: there is no '{part}' of a step{hint}"
        return ""
