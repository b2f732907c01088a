"""Whether nodes form a graph that can run: ids, needs, cycles, branch targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import Any

from workflows_app.graph.definition import MAX_NODES, Node
from workflows_app.graph.names import MAX_STEP_ID, RESERVED, STEP_ID, did_you_mean
from workflows_app.graph.problems import Problem, first
from workflows_app.graph.words import Words, joined

BRANCH = "branch"
MAX_NEEDS = 200_000
TEMPLATE = Words()


def check(
    nodes: Sequence[Node], *, words: Words = TEMPLATE, places: Sequence[str] | None = None, reserved: frozenset[str] = RESERVED
) -> list[Problem]:
    """The problems of the graph, MAX_PROBLEMS at most; none means that it can run. `places` are the paths to the nodes in the source."""
    if not nodes:
        return [Problem(f"there are no {words.node}s: a workflow needs at least one", path=words.root)]
    if len(nodes) > MAX_NODES:
        return [Problem(f"there are {len(nodes):,} {words.node}s; the limit is {MAX_NODES:,}", path=words.root)]
    graph = _Graph(nodes, words, places or [f"{words.root}[{index}]" for index in range(len(nodes))])
    if message := graph.is_too_dense():
        return [Problem(message, path=words.root)]
    problems = first(chain(graph.id_problems(reserved), graph.need_problems()))
    return problems or first(chain(graph.cycle_problems(), graph.branch_problems()))


class _Graph:
    """Nodes under test, with what the dialect calls them and where they stand."""

    def __init__(self, nodes: Sequence[Node], words: Words, places: Sequence[str]) -> None:
        self.nodes, self.words, self.places = nodes, words, places
        self.by_id = {node.id: node for node in nodes}

    def problem(self, message: str, index: int, *path: str) -> Problem:
        return Problem(message, path=joined(self.places[index], *path), node=self.nodes[index].id)

    def is_too_dense(self) -> str:
        count = sum(len(node.needs) for node in self.nodes)
        if count <= MAX_NEEDS:
            return ""
        return f"there are {count:,} dependencies; the limit is {MAX_NEEDS:,}: let many join in one {self.words.node} before many follow"

    def id_problems(self, reserved: frozenset[str]) -> Iterator[Problem]:
        known: dict[str, int] = {}
        for index, node in enumerate(self.nodes):
            if message := _id_message(node.id, reserved, self.words.node):
                yield self.problem(message, index, self.words.id)
            elif known.setdefault(node.id, index) != index:
                yield self.problem(f"the id '{node.id}' is taken: {self.places[known[node.id]]} has it too", index, self.words.id)

    def need_problems(self) -> Iterator[Problem]:
        for index, node in enumerate(self.nodes):
            seen: set[str] = set()
            for place, need in enumerate(node.needs):
                if message := self.need_message(node, need, need in seen):
                    yield self.problem(message, index, f"{self.words.needs}[{place}]" if self.words.needs else "")
                seen.add(need)

    def need_message(self, node: Node, need: str, is_repeated: bool) -> str:
        who = f"{self.words.node} '{node.id}' needs"
        if need == node.id:
            return f"{who} itself: {need} -> {need}"
        if need not in self.by_id:
            return f"{who} '{need}', which does not exist{did_you_mean(need, self.by_id)}"
        return f"{who} '{need}' twice" if is_repeated else ""

    def cycle_problems(self) -> Iterator[Problem]:
        try:
            TopologicalSorter({node.id: node.needs for node in self.nodes}).prepare()
        except CycleError as error:
            cycle: list[str] = error.args[1]
            index = next(index for index, node in enumerate(self.nodes) if node.id == cycle[-1])
            shown = cycle if len(cycle) <= 12 else [*cycle[:6], "...", *cycle[-5:]]
            yield self.problem(f"the {self.words.node}s wait for each other: {' -> '.join(shown)}", index, self.words.needs)

    def branch_problems(self) -> Iterator[Problem]:
        for index, node in enumerate(self.nodes):
            if node.action == BRANCH:
                for place, target in branch_targets(node.config):
                    if message := self.target_message(node.id, target):
                        yield self.problem(message, index, self.words.config, f"cases[{place}].next")

    def target_message(self, branch: str, target: str) -> str:
        if target not in self.by_id:
            return f"branch '{branch}' goes on to '{target}', which does not exist{did_you_mean(target, self.by_id)}"
        if branch not in self.by_id[target].needs:
            return f"branch '{branch}' goes on to '{target}', but '{target}' does not need it: {self.words.advice.format(branch)}"
        return ""


def _id_message(id: str, reserved: frozenset[str], what: str) -> str:
    if not id:
        return f"a {what} needs an id"
    if len(id) > MAX_STEP_ID:
        return f"the id '{id[:20]}...' has {len(id)} characters; the limit is {MAX_STEP_ID}"
    if not STEP_ID.fullmatch(id):
        return f"the id '{id}' is not allowed: use letters, digits, - and _, with a letter, digit or _ first"
    if id.lower() in reserved:
        return f"the id '{id}' is reserved: expressions use that name for something else"
    return ""


def branch_targets(config: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The place of each case and the step ids it goes on to, whatever else the configuration holds."""
    cases = config.get("cases")
    for place, case in enumerate(cases if isinstance(cases, list) else []):
        following = case.get("next") if isinstance(case, Mapping) else None
        for target in following if isinstance(following, list) else [following]:
            if isinstance(target, str):
                yield place, target


def ancestors(nodes: Sequence[Node]) -> Mapping[str, int]:
    """For each step the set of all steps above it, as a number whose bit i stands for the i-th node. Needs a graph without cycles."""
    positions = {node.id: position for position, node in enumerate(nodes)}
    above: dict[str, int] = {}
    needs = {node.id: node.needs for node in nodes}
    for id in TopologicalSorter(needs).static_order():
        bits = 0
        for need in needs[id]:
            bits |= above[need] | 1 << positions[need]
        above[id] = bits
    return above
