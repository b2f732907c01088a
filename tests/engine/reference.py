"""How a graph must end, said once more and differently from the engine: from the ends of the needs, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflows_app.graph.definition import Node

FAILS, PASSES, SKIPS = "fail", "pass", "skip"
SUCCESS, FAILURE, SKIP = "success", "failure", "skip"


def expected(nodes: Sequence[Node], fates: Mapping[str, str], chosen: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The status of each node (`nodes` in order of their needs). `fates` is what a node does if it runs,
    `chosen` the way a branch takes."""
    found: dict[str, str] = {}
    by_id = {node.id: node for node in nodes}
    for node in nodes:
        ends = [_end(by_id[need], found[need], node, chosen) for need in node.needs]
        found[node.id] = _ran(fates[node.id]) if (verdict := _verdict(node.trigger_rule, ends)) == "run" else verdict
    return found


def _ran(fate: str) -> str:
    return {FAILS: "FAILED", PASSES: "COMPLETED", SKIPS: "SKIPPED"}[fate]


def _end(need: Node, status: str, node: Node, chosen: Mapping[str, Sequence[str]]) -> str:
    if status == "COMPLETED":
        return SKIP if need.id in chosen and node.id not in chosen[need.id] else SUCCESS
    if status == "FAILED" and need.on_failure == "continue":
        return SUCCESS
    return SKIP if status == "SKIPPED" else FAILURE


def _verdict(rule: str, ends: Sequence[str]) -> str:
    kinds = set(ends)
    if not ends or rule == "all_done":
        return "run"
    if rule == "one_success":
        return "run" if SUCCESS in kinds else "STOPPED" if FAILURE in kinds else "SKIPPED"
    if FAILURE in kinds:
        return "STOPPED"
    if rule == "all_success":
        return "SKIPPED" if SKIP in kinds else "run"
    return "run" if SUCCESS in kinds else "SKIPPED"


def overall(statuses: Mapping[str, str], nodes: Sequence[Node]) -> str:
    """The workflow's own status: COMPLETED when every step is done, forgiven failures included."""
    forgiven = {node.id for node in nodes if node.on_failure == "continue"}
    is_done = all(status in ("COMPLETED", "SKIPPED") or (status == "FAILED" and id in forgiven) for id, status in statuses.items())
    return "COMPLETED" if is_done else "FAILED"
