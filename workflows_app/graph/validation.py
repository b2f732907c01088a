"""Whether nodes form a graph that can run: ids, needs, cycles, branch targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from workflows_app.graph.definition import MAX_NODES, Node
from workflows_app.graph.names import MAX_STEP_ID, RESERVED, STEP_ID, did_you_mean
from workflows_app.graph.problems import Problem

BRANCH = "branch"


def check(nodes: Sequence[Node], *, root: str = "steps", needs: str = "needs", reserved: frozenset[str] = RESERVED) -> list[Problem]:
    """Every problem of the graph; none means that it can run. `root` and `needs` are what the dialect calls them in its paths."""
    if not nodes:
        return [Problem("there are no steps: a workflow needs at least one", path=root)]
    if len(nodes) > MAX_NODES:
        return [Problem(f"there are {len(nodes):,} steps; the limit is {MAX_NODES:,}", path=root)]
    problems = [*_id_problems(nodes, root, reserved), *_need_problems(nodes, root, needs)]
    return problems or [*_cycle_problems(nodes, root, needs), *_branch_problems(nodes, root)]


def _id_problems(nodes: Sequence[Node], root: str, reserved: frozenset[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, node in enumerate(nodes):
        if message := _id_message(node.id, reserved):
            yield Problem(message, path=f"{root}[{index}].id", node=node.id)
        elif first.setdefault(node.id, index) != index:
            message = f"the id '{node.id}' is taken: {root}[{first[node.id]}] has it too"
            yield Problem(message, path=f"{root}[{index}].id", node=node.id)


def _id_message(id: str, reserved: frozenset[str]) -> str:
    if not id:
        return "a step needs an id"
    if len(id) > MAX_STEP_ID:
        return f"the id '{id[:20]}...' has {len(id)} characters; the limit is {MAX_STEP_ID}"
    if not STEP_ID.fullmatch(id):
        return f"the id '{id}' is not allowed: use letters, digits, - and _, with a letter, digit or _ first"
    if id.lower() in reserved:
        return f"the id '{id}' is reserved: expressions use that name for something else"
    return ""


def _need_problems(nodes: Sequence[Node], root: str, needs: str) -> Iterator[Problem]:
    known = {node.id for node in nodes}
    for index, node in enumerate(nodes):
        for place, need in enumerate(node.needs):
            path = f"{root}[{index}].{needs}[{place}]"
            if need == node.id:
                yield Problem(f"step '{node.id}' needs itself", path=path, node=node.id)
            elif need not in known:
                yield Problem(f"step '{node.id}' needs '{need}', which does not exist{did_you_mean(need, known)}", path=path, node=node.id)
            elif need in node.needs[:place]:
                yield Problem(f"step '{node.id}' needs '{need}' twice", path=path, node=node.id)


def _cycle_problems(nodes: Sequence[Node], root: str, needs: str) -> Iterator[Problem]:
    try:
        TopologicalSorter({node.id: node.needs for node in nodes}).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        index = next(index for index, node in enumerate(nodes) if node.id == cycle[-1])
        shown = cycle if len(cycle) <= 12 else [*cycle[:6], "...", *cycle[-5:]]
        yield Problem(f"the steps wait for each other: {' -> '.join(shown)}", path=f"{root}[{index}].{needs}", node=cycle[-1])


def _branch_problems(nodes: Sequence[Node], root: str) -> Iterator[Problem]:
    by_id = {node.id: node for node in nodes}
    for index, node in enumerate(nodes):
        if node.action == BRANCH:
            for place, target in branch_targets(node.config):
                if message := _target_message(node.id, target, by_id):
                    yield Problem(message, path=f"{root}[{index}].with.cases[{place}].next", node=node.id)


def _target_message(branch: str, target: str, by_id: Mapping[str, Node]) -> str:
    if target not in by_id:
        return f"branch '{branch}' goes on to '{target}', which does not exist{did_you_mean(target, by_id)}"
    if branch not in by_id[target].needs:
        return f"branch '{branch}' goes on to '{target}', but '{target}' does not need it: add '{branch}' to its needs"
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
