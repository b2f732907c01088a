"""Random graphs of everything a workflow may hold: maps, parts, waits, branches, conditions, trigger rules, retries, keys."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from hypothesis import strategies as st

from tests.engine.test_random_parts import works
from workflows_app.graph.definition import Node
from workflows_app.graph.readiness import TriggerRule

MOST_NODES = 5


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Nodes in order of their needs."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, MOST_NODES))):
        above = sorted(draw(st.sets(st.sampled_from([node.id for node in nodes]), max_size=3))) if nodes else []
        nodes.append(draw(_nodes(f"n{number}", tuple(above))))
    return [draw(_maybe_branch(node, nodes)) for node in nodes]


@st.composite
def _nodes(draw: st.DrawFn, id: str, needs: tuple[str, ...]) -> Node:
    node = draw(works(id))
    if draw(st.integers(0, 3)) == 3:
        node = draw(_maps(node))
    return replace(
        node,
        needs=needs,
        trigger_rule=draw(st.sampled_from(["all_success", *get_args(TriggerRule)])),
        on_failure=draw(st.sampled_from(["fail", "fail", "continue"])),
        run_if=draw(st.sampled_from([None, None, None, {"==": [1, 2]}])),
    )


@st.composite
def _maps(draw: st.DrawFn, body: Node) -> Node:
    config = {
        "items": list(range(draw(st.integers(0, 4)))), "limit": draw(st.integers(0, 2)),
        "failures": draw(st.sampled_from(["fail_fast", "fail_at_end", "tolerate"])),
    }  # fmt: skip
    return Node(body.id, "map", config=config, body=body, retry=body.retry, timeout_seconds=draw(st.sampled_from([None, None, 40.0])))


@st.composite
def _maybe_branch(draw: st.DrawFn, node: Node, nodes: list[Node]) -> Node:
    """Everything below is a target of some case; only the first case holds."""
    below = [other.id for other in nodes if node.id in other.needs]
    if not below or draw(st.integers(0, 3)) < 3:
        return node
    cases = [
        {"label": "way", "condition": True, "next": draw(st.lists(st.sampled_from(below), unique=True))},
        {"else": True, "next": below},
    ]
    return replace(node, action="branch", config={"cases": cases}, body=None, timeout_seconds=None)
