"""How long a graph still takes: its longest path through what is left."""

from __future__ import annotations

from collections.abc import Mapping

from workflows_app.graph.definition import Definition


def longest_path(definition: Definition, seconds: Mapping[str, float]) -> float:
    """The sum along the costliest path; `seconds` is what each node still costs, nothing for those not named."""
    below: dict[str, float] = {}
    for id in reversed(_in_order(definition)):
        below[id] = seconds.get(id, 0.0) + max((below[after] for after in definition.successors[id]), default=0.0)
    return max(below.values(), default=0.0)


def _in_order(definition: Definition) -> list[str]:
    """Ids so that each comes after those it needs."""
    missing = {node.id: len(node.needs) for node in definition.nodes}
    ready, ordered = list(definition.roots), []
    while ready:
        ordered.append(ready.pop())
        for after in definition.successors[ordered[-1]]:
            missing[after] -= 1
            if not missing[after]:
                ready.append(after)
    return ordered
