"""Which steps and secrets a node reads, and whether it may: what it names must exist and lie upstream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workflows_app.dialects.params_schema import is_closed
from workflows_app.dialects.reads import Read, reads
from workflows_app.graph.definition import Node
from workflows_app.graph.lookup import write
from workflows_app.graph.names import RESERVED, STEP_FIELDS, did_you_mean, is_step, reference, step_field
from workflows_app.graph.problems import MAX_PROBLEMS, Problem
from workflows_app.graph.shapes import ActionShape
from workflows_app.graph.syntax import Path
from workflows_app.graph.validation import TEMPLATE, ancestors
from workflows_app.graph.words import Words, joined

MAX_REFERENCES = 1_000_000
OF_ELEMENTS = frozenset({"item", "index"})


@dataclass(frozen=True, slots=True)
class _Reading:
    """A node, or the body of a map, while its reads are looked at. `position` is that in the graph, `place` that in the source."""

    node: Node
    position: int
    place: str
    config_key: str
    is_body: bool = False


class References:
    """Works out `references` and `secrets` for the nodes of one graph (which has no cycle) and collects the problems."""

    def __init__(
        self,
        nodes: Sequence[Node],
        places: Sequence[str],
        *,
        words: Words,
        actions: Mapping[str, ActionShape],
        params_schema: Mapping[str, Any],
    ) -> None:
        self.nodes, self.places, self.words = nodes, places, words
        self.actions, self.params_schema = actions, params_schema
        self.positions = {node.id: position for position, node in enumerate(nodes)}
        self.above = ancestors(nodes)
        self.problems: list[Problem] = []
        self.count = 0

    def resolve(self) -> tuple[Node, ...]:
        """The nodes with what they read; what was wrong is in `problems`."""
        resolved = tuple(self._node(index, node) for index, node in enumerate(self.nodes))
        if self.count > MAX_REFERENCES:
            message = f"the {self.words.node}s read {self.count:,} outputs of others; the limit is {MAX_REFERENCES:,}"
            self.problems.append(Problem(message, path=self.words.root))
        return resolved

    def _node(self, index: int, node: Node) -> Node:
        resolved = self._resolve(_Reading(node, index, self.places[index], self.words.config))
        if node.body is None:
            return resolved
        place = joined(self.places[index], self.words.config, self.actions[node.action].body_key)
        return replace(resolved, body=self._resolve(_Reading(node.body, index, place, TEMPLATE.config, is_body=True)))

    def _resolve(self, reading: _Reading) -> Node:
        node, shape = reading.node, self.actions[reading.node.action]
        wanted, secrets = 0, set()
        for read in self._permitted(reading, shape):
            if read.path is None or read.path == ("steps",):
                wanted |= self.above[node.id]
            elif read.path[0] == "secrets":
                secrets.add(str(read.path[1]))
            elif step := self._step(read.path):
                wanted |= 1 << self.positions[step]
        for need in self.nodes[reading.position].needs if shape.reads_upstream else ():
            wanted |= 1 << self.positions[need]
        self.count += wanted.bit_count()
        references = tuple(self._ids(wanted)) if self.count <= MAX_REFERENCES else ()
        return replace(node, references=references, secrets=tuple(sorted(secrets))) if references or secrets else node

    def _ids(self, wanted: int) -> Iterator[str]:
        while wanted:
            lowest = wanted & -wanted
            yield self.nodes[lowest.bit_length() - 1].id
            wanted ^= lowest

    def _permitted(self, reading: _Reading, shape: ActionShape) -> Iterator[Read]:
        """What the node reads and may read; the rest becomes problems."""
        for read in reads(reading.node, shape, reading.config_key):
            if len(self.problems) >= MAX_PROBLEMS:
                return
            message = read.message if isinstance(read, Problem) else self._refusal(reading, shape, read)
            if message:
                path = read.path if isinstance(read, Problem) else read.where
                self.problems.append(Problem(message, path=joined(reading.place, path), node=reading.node.id))
            elif isinstance(read, Read):
                yield read

    def _step(self, path: Path) -> str:
        """The step that a path reads, as far as it names one. `input.output` is one where a step is called `input`."""
        if "input" in self.positions and path[:2] in {("input", "output"), ("steps", "input")}:
            return "input"
        name = reference(path)
        return name if is_step(name) else ""

    def _refusal(self, reading: _Reading, shape: ActionShape, read: Read) -> str:
        """Why a node may not read a path; empty when it may."""
        path = read.path
        if path is None:
            return ""
        if path[0] == "secrets":
            return _secret_refusal(shape, read, path)
        if path[0] in OF_ELEMENTS:
            return "" if reading.is_body else f"`{write(path)}`: there is no `{path[0]}` here, only in what a map does with each element"
        if step := self._step(path):
            return self._step_refusal(reading.node.id, path, step)
        return self._param_refusal(path) if reference(path).startswith("params.") else ""

    def _param_refusal(self, path: Path) -> str:
        name, known = str(path[1]), self.params_schema["properties"]
        if name in known or not is_closed(self.params_schema):
            return ""
        return f"`{write(path)}`: the parameter '{name}' is not declared under params{did_you_mean(name, known)}"

    def _step_refusal(self, reader: str, path: Path, name: str) -> str:
        what = self.words.node
        if name not in self.positions:
            return f"`{write(path)}`: there is no {what} '{name}'{did_you_mean(name, [*self.positions, *(RESERVED - OF_ELEMENTS)])}"
        if name == reader:
            return f"`{write(path)}`: a {what} cannot read its own output"
        if not self.above[reader] >> self.positions[name] & 1:
            return f"`{write(path)}`: {what} '{name}' is not upstream of '{reader}': {self.words.advice.format(name)}"
        part = step_field(path)
        if part is not None and part not in STEP_FIELDS:
            hint = did_you_mean(part, STEP_FIELDS) or f"; a {what} has {', '.join(STEP_FIELDS)}"
            return f"`{write(path)}`: there is no '{part}' of a {what}{hint}"
        return ""


def _secret_refusal(shape: ActionShape, read: Read, path: Path) -> str:
    if read.is_logic:
        return f"`{write(path)}`: a condition cannot read secrets"
    if not shape.takes_secrets:
        return f"`{write(path)}`: '{shape.name}' takes no secrets, as its output or log could show them"
    if len(path) != 2:
        return f"`{write(path)}`: a secret is read by its name, as in `secrets.API_TOKEN`"
    return (
        f"`{write(path)}`: a secret is put in as it is, as what is made of it could not be hidden: no filter or operator"
        if read.is_computed
        else ""
    )
