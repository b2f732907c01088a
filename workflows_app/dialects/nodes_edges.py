"""The graph dialect: nodes and edges as an editor draws them, and the events that start them (CONTRACT.md section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflows_app.dialects.compiled import Compiled
from workflows_app.dialects.compiling import OPEN, define, owner_by_id, parse, trigger_of, trigger_problems
from workflows_app.dialects.drafts import Draft, without_unknown
from workflows_app.dialects.graph_model import GraphModel, GraphNode, without_looks
from workflows_app.dialects.node_logic import payload_fields
from workflows_app.dialects.source import read
from workflows_app.dialects.template_model import Policies
from workflows_app.graph.names import did_you_mean
from workflows_app.graph.problems import Problem, first
from workflows_app.graph.shapes import ActionShape
from workflows_app.graph.validation import BRANCH, branch_targets
from workflows_app.graph.words import Words

WORDS = Words(node="node", root="nodes", kind="node type", action="type", config="data", needs="", advice="draw an edge from '{}'")
START = "start"


def compile(source: str | Mapping[str, Any], *, actions: Mapping[str, ActionShape]) -> Compiled:
    """The definition of `{"name", "trigger", "nodes", "edges"}`. A join after a branch runs: the trigger rule is `none_failed` unless
    a node says otherwise. Raises DefinitionError with every problem found, each naming node and field."""
    text = without_looks(read(source))
    model = parse(GraphModel, text, "a graph is a mapping with 'nodes' and 'edges'", owner_by_id(WORDS.root))
    needs = _needs(model)
    dangling = first(_edge_problems(model))
    definition = define(
        text,
        [_draft(index, node, tuple(needs[node.id]), actions.get(node.type)) for index, node in enumerate(model.nodes)],
        words=WORDS,
        actions=actions,
        defaults=Policies(trigger_rule="none_failed"),
        problems=[*trigger_problems(model.trigger), *(dangling or first(_start_problems(model, needs)))],
        adapt=payload_fields([node.id for node in model.nodes], actions),
    )
    return Compiled(model.name, model.description, tuple(model.tags), OPEN, definition, trigger_of(model.trigger), model.retention_days)


def _draft(index: int, node: GraphNode, needs: tuple[str, ...], shape: ActionShape | None) -> Draft:
    """Editors write what a node is called into its data, as `label`."""
    data = without_unknown(node.data, ["label"], shape)
    label = node.data.get("label") if "label" not in data else None
    return Draft(
        place=f"{WORDS.root}[{index}]",
        id=node.id,
        action=node.type,
        policies=node,
        name=node.name or (label[:200] if isinstance(label, str) else ""),
        needs=needs,
        config=data,
        run_if=node.run_if,
    )


def _needs(model: GraphModel) -> dict[str, dict[str, None]]:
    """For each node those that lead to it, by an edge or as a case of a branch, in the order they are written."""
    needs: dict[str, dict[str, None]] = {node.id: {} for node in model.nodes}
    for edge in model.edges:
        if edge.source in needs and edge.target in needs:
            needs[edge.target][edge.source] = None
    for node in model.nodes:
        for _, target in branch_targets(node.data) if node.type == BRANCH else ():
            if target in needs:
                needs[target][node.id] = None
    return needs


def _edge_problems(model: GraphModel) -> Iterator[Problem]:
    known = {node.id for node in model.nodes}
    ids: dict[str, int] = {}
    for index, edge in enumerate(model.edges):
        name = f"edge '{edge.id}'" if edge.id else f"the edge from '{edge.source}' to '{edge.target}'"
        for key, node, what in (("source", edge.source, "begins"), ("target", edge.target, "ends")):
            if node not in known:
                yield Problem(f"{name} {what} at '{node}', which does not exist{did_you_mean(node, known)}", f"edges[{index}].{key}", node)
        if edge.id and ids.setdefault(edge.id, index) != index:
            yield Problem(f"the id '{edge.id}' is taken: edges[{ids[edge.id]}] has it too", path=f"edges[{index}].id")


def _start_problems(model: GraphModel, needs: Mapping[str, Mapping[str, None]]) -> Iterator[Problem]:
    """One entry at most; and where there is one, everything lies behind it."""
    starts = [index for index, node in enumerate(model.nodes) if node.type == START]
    for index in starts[1:]:
        ids = f"'{model.nodes[starts[0]].id}' and '{model.nodes[index].id}'"
        yield Problem(f"there are two start nodes, {ids}: a graph begins at one", f"nodes[{index}].type", model.nodes[index].id)
    if len(starts) != 1:
        return
    start = model.nodes[starts[0]].id
    for index, node in enumerate(model.nodes):
        if node.id != start and not needs[node.id]:
            yield Problem(f"no edge leads to node '{node.id}': draw one, or remove the node", f"nodes[{index}]", node.id)
