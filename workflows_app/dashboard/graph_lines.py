"""The lines of a graph: how each one is now, and what is written on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from workflows_app.actions.branch import BranchConfig
from workflows_app.dashboard.cutting import cut
from workflows_app.graph.definition import Definition
from workflows_app.graph.layout.shapes import Folding, Join

DONE, WAITING, SKIPPED, BLOCKED = "d", "w", "s", "b"
LONGEST = 16
WAITS = {"waiting", "pending"}


def states(joins: Sequence[Join], css: Sequence[str]) -> str:
    """One letter for each join; `css` says how each item is."""
    blocked = _blocked(joins, css)
    return "".join(BLOCKED if (join.tail, join.head) in blocked else _state(css[join.tail], css[join.head]) for join in joins)


def _state(tail: str, head: str) -> str:
    if "skipped" in (tail, head):
        return SKIPPED
    return WAITING if tail != "completed" and head in {*WAITS, "stopped"} else DONE


def _blocked(joins: Sequence[Join], css: Sequence[str]) -> set[tuple[int, int]]:
    """From what failed to all that did not run because of it."""
    after: dict[int, list[int]] = defaultdict(list)
    for join in joins:
        after[join.tail].append(join.head)
    seen = [item for item, word in enumerate(css) if word == "failed"]
    found: set[tuple[int, int]] = set()
    reached = set(seen)
    for tail in seen:  # grows while it is walked
        for head in after[tail]:
            if css[head] == "stopped":
                found.add((tail, head))
                seen += [head] if head not in reached else []
                reached.add(head)
    return found


def labels(folding: Folding, definition: Definition) -> list[str]:
    """On each line the case of the branch that it leaves, or how many dependencies it stands for."""
    cases = _cases(definition)
    return [_label(join, folding, definition, cases) for join in folding.joins]


def _label(join: Join, folding: Folding, definition: Definition, cases: Mapping[tuple[str, str], str]) -> str:
    tail, head = folding.items[join.tail], folding.items[join.head]
    if len(tail.members) == len(head.members) == 1:
        pair = definition.nodes[tail.number].id, definition.nodes[head.number].id
        return cut(cases.get(pair, ""), LONGEST)
    return f"{join.count:,}" if join.count > 1 else ""


def _cases(definition: Definition) -> Mapping[tuple[str, str], str]:
    """What the cases of branches are called, by `(branch, next step)`."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for node in definition.nodes:
        for name, targets in _ways(node.config) if node.action == "branch" else ():
            for target in targets:
                found[node.id, target].append(name)
    return {pair: ", ".join(names) for pair, names in found.items()}


def _ways(config: Mapping[str, object]) -> list[tuple[str, tuple[str, ...]]]:
    try:
        cases = BranchConfig.model_validate(config).cases
    except ValidationError:  # of an earlier release
        return []
    return [(case.name(number), case.targets) for number, case in enumerate(cases, start=1)]
