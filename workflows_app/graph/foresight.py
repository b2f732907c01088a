"""What will run of a workflow that has not begun: what its conditions rule out, as far as they read only its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Literal

from workflows_app.graph.conditions import ConditionError, holds, paths, share
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.validation import BRANCH

Json = Any
Verdict = Literal["runs", "skipped", "unknown"]
KNOWN_NAMES = frozenset({"params", "payload", "input"})


@dataclass(frozen=True, slots=True)
class Foreseen:
    """`because` names the step above that is skipped, or the branch that goes elsewhere; nothing where its own condition rules it out."""

    verdict: Verdict
    because: str = ""


RUNS, UNKNOWN, RULED_OUT = Foreseen("runs"), Foreseen("unknown"), Foreseen("skipped")


def foresee(definition: Definition, params: Mapping[str, Json]) -> Mapping[str, Foreseen]:
    """By node id. Failures are not foreseen: every step that runs is taken to succeed."""
    view = _View(definition, params)
    found: dict[str, Foreseen] = {}
    for id in TopologicalSorter({node.id: node.needs for node in definition.nodes}).static_order():
        found[id] = view.of(definition.by_id[id], found)
    return found


def is_foreseeable(logic: Json, node: Node) -> bool:
    """Whether a condition of this node reads only parameters. A step named `input` would be read under that name, too."""
    read = paths(logic)
    named = KNOWN_NAMES - {"input"} if "input" in node.needs else KNOWN_NAMES
    return read is not None and all(path[0] in named for path in read)


def names_of(params: Mapping[str, Json]) -> Mapping[str, Json]:
    return {name: params for name in KNOWN_NAMES}


class _View:
    def __init__(self, definition: Definition, params: Mapping[str, Json]) -> None:
        self.definition = definition
        self.names = names_of(params)
        conditions = sum(node.run_if is not None or node.action == BRANCH for node in definition.nodes)
        self.work = share(max(1, conditions))
        self.chosen: dict[str, frozenset[str] | None] = {}

    def of(self, node: Node, above: Mapping[str, Foreseen]) -> Foreseen:
        found = self._by_needs(node, above)
        if found.verdict != "skipped" and node.run_if is not None:
            is_true = self._holds(node.run_if, node)
            found = RULED_OUT if is_true is False else UNKNOWN if is_true is None else found
        if node.action == BRANCH:
            self.chosen[node.id] = self._chosen(node) if found.verdict == "runs" else None
        return found

    def _by_needs(self, node: Node, above: Mapping[str, Foreseen]) -> Foreseen:
        """docs/architecture.md: how a step's dependencies decide."""
        needs = {need: self._edge(need, node.id, above[need]) for need in node.needs}
        skipped = [need for need, verdict in needs.items() if verdict == "skipped"]
        verdicts = set(needs.values())
        if not needs or node.trigger_rule == "all_done" or verdicts == {"runs"}:
            return RUNS
        if verdicts == {"skipped"} or (node.trigger_rule == "all_success" and skipped):
            return Foreseen("skipped", skipped[0])
        return RUNS if node.trigger_rule != "all_success" and "runs" in verdicts else UNKNOWN

    def _edge(self, need: str, to: str, seen: Foreseen) -> Verdict:
        """A branch that runs skips those of its successors that only other cases name."""
        if seen.verdict != "runs" or self.definition.by_id[need].action != BRANCH:
            return seen.verdict
        if to not in _targets(self.definition.by_id[need]):
            return "runs"
        chosen = self.chosen[need]
        return "unknown" if chosen is None else "runs" if to in chosen else "skipped"

    def _chosen(self, node: Node) -> frozenset[str] | None:
        """The steps that the first true case names; None where that shows only later."""
        for case in _cases(node):
            is_true = True if case.get("else") is True else self._holds(case.get("condition"), node)
            if is_true is not False:
                return frozenset(_next(case)) if is_true else None
        return None

    def _holds(self, logic: Json, node: Node) -> bool | None:
        if not is_foreseeable(logic, node):
            return None
        try:
            return holds(logic, self.names, work=self.work)
        except ConditionError:
            return None


def _cases(node: Node) -> list[Mapping[str, Json]]:
    cases = node.config.get("cases")
    return [case for case in cases if isinstance(case, Mapping)] if isinstance(cases, list | tuple) else []


def _next(case: Mapping[str, Json]) -> list[str]:
    named = case.get("next")
    return [named] if isinstance(named, str) else [str(name) for name in named or ()]


def _targets(node: Node) -> set[str]:
    return {name for case in _cases(node) for name in _next(case)}
