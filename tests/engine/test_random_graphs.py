"""Any graph with any outcomes ends, as the reference says, and breaks no rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.engine import oracle, reference, tasks
from tests.engine.stage import Stage, node, statuses
from workflows_app.graph.definition import Node
from workflows_app.graph.readiness import TriggerRule

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.explicit, Phase.generate]
)


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Node], dict[str, str], dict[str, list[str]]]:
    """Nodes in order of their needs, what each does if it runs, and which way each branch takes."""
    size = draw(st.integers(1, 14))
    needs = {f"n{n}": draw(st.lists(st.integers(0, n - 1), unique=True, max_size=4)) if n else [] for n in range(size)}
    fates = {id: draw(st.sampled_from([reference.PASSES] * 4 + [reference.FAILS, reference.SKIPS])) for id in needs}
    below = {id: [other for other in needs if int(id[1:]) in needs[other]] for id in needs}
    branches = {id for id in needs if below[id] and fates[id] == reference.PASSES and draw(st.booleans())}
    chosen = {id: draw(st.lists(st.sampled_from(below[id]), unique=True)) for id in sorted(branches)}
    nodes = []
    for id, above in needs.items():
        policy = {
            "trigger_rule": draw(st.sampled_from(get_args(TriggerRule))),
            "on_failure": draw(st.sampled_from(["fail", "fail", "continue"])),
            "run_if": {"==": [1, 2]} if fates[id] == reference.SKIPS else None,
        }
        ids = tuple(f"n{n}" for n in above)
        nodes.append(_working(draw, id, ids, fates[id], policy) if id not in chosen else _branching(id, ids, chosen[id], below[id], policy))
    return nodes, fates, chosen


def _working(draw: st.DrawFn, id: str, needs: tuple[str, ...], fate: str, policy: Mapping[str, object]) -> Node:
    if fate == reference.FAILS:
        return node(id, "flaky", *needs, config={"how": draw(st.sampled_from(["fail", "error", "exit"]))}, **policy)
    action, config = draw(
        st.sampled_from([("echo", {}), ("echo_thread", {}), ("output", {"value": 1}), ("delay", {"seconds": 30}), ("wait_twice", {})])
    )
    return node(id, action, *needs, config=config, **policy)


def _branching(id: str, needs: tuple[str, ...], way: list[str], below: list[str], policy: Mapping[str, object]) -> Node:
    """Everything below is a target of some case; only the first case holds."""
    cases = [{"label": "way", "condition": True, "next": way}, {"else": True, "next": below}]
    return node(id, "branch", *needs, config={"cases": cases}, **policy)


@QUICK
@given(plan=plans())
def test_a_random_graph_ends_as_the_reference_says(stage: Stage, plan: tuple[list[Node], dict[str, str], dict[str, list[str]]]) -> None:
    nodes, fates, chosen = plan
    tasks.forget()
    workflow = stage.run(*nodes)
    expected = reference.expected(nodes, fates, chosen)
    assert statuses(workflow) == expected
    assert workflow.status == reference.overall(expected, nodes)
    oracle.judge(workflow)
