"""The same graph, written in several dialects: it ends, in the same order, with the same results."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.engine import oracle, tasks
from tests.engine.stage import Stage, statuses
from workflows_app import actions
from workflows_app.dialects import DIALECTS
from workflows_app.graph.definition import Definition
from workflows_app.models import Workflow

QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.explicit, Phase.generate]
)
Plan = dict[str, list[str]]
"""For each node those it needs, in order."""


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """One root, so that every dialect can say it."""
    size = draw(st.integers(1, 10))
    above = {f"n{n}": draw(st.lists(st.integers(0, n - 1), unique=True, min_size=1, max_size=4)) if n else [] for n in range(size)}
    return {id: [f"n{n}" for n in sorted(needs)] for id, needs in above.items()}


@st.composite
def stages(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Steps of the tasks dialect: how, and how many tasks."""
    return draw(st.lists(st.tuples(st.sampled_from(["sequential", "parallel"]), st.integers(1, 4)), min_size=1, max_size=5))


def work(id: str, needs: list[str]) -> dict[str, Any]:
    """What a node returns: its own name and what it read above."""
    return {"value": {"me": id, "read": [f"{{{{ {need}.output.me }}}}" for need in needs], "who": "{{ params.who }}"}}


def as_template(plan: Plan) -> dict[str, Any]:
    steps = [{"id": id, "action": "transform", "needs": needs, "with": work(id, needs)} for id, needs in plan.items()]
    return {"name": "same", "params": {"properties": {"who": {}}}, "steps": steps}


def as_graph(plan: Plan) -> dict[str, Any]:
    nodes = [{"id": id, "type": "transform", "data": work(id, needs)} for id, needs in plan.items()]
    edges = [{"id": f"{need}-{id}", "source": need, "target": id} for id, needs in plan.items() for need in needs]
    return {"name": "same", "nodes": nodes, "edges": edges}


def as_dag(plan: Plan) -> dict[str, Any]:
    nodes = [{"id": id, "handler": "transform", "dependencies": needs, "config": work(id, needs)} for id, needs in plan.items()]
    return {"name": "same", "dag": {"nodes": nodes}}


WRITTEN = {"template": as_template, "graph": as_graph, "dag": as_dag}


def compiled(dialect: str, source: dict[str, Any]) -> Definition:
    return DIALECTS[dialect](source, actions=actions.shapes()).definition


def finished(stage: Stage, definition: Definition) -> Workflow:
    workflow = stage.run(*definition.nodes, params={"who": "Ada"})
    assert workflow.status == "COMPLETED", statuses(workflow)
    oracle.judge(workflow)
    return workflow


def results(workflow: Workflow) -> dict[str, Any]:
    return dict(workflow.steps.values_list("node_id", "output"))


@QUICK
@given(plan=plans())
def test_three_dialects_give_the_same_constraints_and_the_same_results(stage: Stage, plan: Plan) -> None:
    tasks.forget()
    definitions = {dialect: compiled(dialect, write(plan)) for dialect, write in WRITTEN.items()}
    for definition in definitions.values():
        assert {node.id: sorted(node.needs) for node in definition.nodes} == {id: sorted(needs) for id, needs in plan.items()}
    found = [results(finished(stage, definition)) for definition in definitions.values()]
    assert found[0] == found[1] == found[2]
    assert found[0]["n0"] == {"me": "n0", "read": [], "who": "Ada"}


@QUICK
@given(steps=stages())
def test_steps_of_tasks_are_the_graph_that_they_stand_for(stage: Stage, steps: list[tuple[str, int]]) -> None:
    """CONTRACT.md section 4: steps one after another; a step's tasks in order or at once; the next when all are done."""
    tasks.forget()
    source = {"name": "same", "steps": [{"execution_type": how, "tasks": [{"name": "echo", "params": {}}] * count} for how, count in steps]}
    by_tasks = compiled("tasks", source)
    ids = [node.id for node in by_tasks.nodes]
    plan = expected_needs(ids, steps)
    assert {node.id: list(node.needs) for node in by_tasks.nodes} == plan
    rewritten = [{"id": id, "handler": "echo", "dependencies": needs, "config": {}} for id, needs in plan.items()]
    by_dag = compiled("dag", {"name": "same", "dag": {"nodes": rewritten}})
    assert results(finished(stage, by_tasks)) == results(finished(stage, by_dag))


def expected_needs(ids: list[str], steps: list[tuple[str, int]]) -> Plan:
    plan, before, at = {}, list[str](), 0
    for how, count in steps:
        own, at = ids[at : at + count], at + count
        for place, id in enumerate(own):
            plan[id] = [own[place - 1]] if how == "sequential" and place else before
        before = own[-1:] if how == "sequential" else own
    return plan


BRANCHED = [("CEO", "gift"), ("CTO", "drip")]


@pytest.mark.parametrize(("title", "taken"), BRANCHED, ids=[title for title, _ in BRANCHED])
def test_a_branch_and_its_join_end_alike_in_the_template_and_the_graph_dialect(stage: Stage, title: str, taken: str) -> None:
    def cases(path: str) -> dict[str, Any]:
        return {"cases": [{"label": "CEO", "condition": {"==": [{"var": path}, "CEO"]}, "next": "gift"}, {"else": True, "next": "drip"}]}

    arms = [{"id": id, "action": "echo", "needs": ["which"]} for id in ("gift", "drip")]
    template = {
        "name": "same", "params": {"properties": {"lead": {"type": "object"}}},
        "steps": [
            {"id": "begin", "action": "start"}, {"id": "which", "action": "branch", "needs": ["begin"], "with": cases("params.lead.title")},
            *arms, {"id": "join", "action": "echo", "needs": ["gift", "drip"], "trigger_rule": "none_failed"},
        ],
    }  # fmt: skip
    graph = {
        "name": "same",
        "nodes": [
            {"id": "begin", "type": "start", "data": {}}, {"id": "which", "type": "branch", "data": cases("lead.title")},
            *({"id": id, "type": "echo", "data": {}} for id in ("gift", "drip", "join")),
        ],
        "edges": [{"source": "begin", "target": "which"}, {"source": "gift", "target": "join"}, {"source": "drip", "target": "join"}],
    }  # fmt: skip
    other = {"gift": "drip", "drip": "gift"}[taken]
    for dialect, source in (("template", template), ("graph", graph)):
        workflow = stage.run(*compiled(dialect, source).nodes, params={"lead": {"title": title}})
        expected = {"begin": "COMPLETED", "which": "COMPLETED", taken: "COMPLETED", other: "SKIPPED", "join": "COMPLETED"}
        assert statuses(workflow) == expected, dialect
        oracle.judge(workflow)


def test_a_failure_upstream_keeps_a_node_from_running_in_every_dialect(stage: Stage) -> None:
    plan = {"n0": [], "n1": ["n0"], "n2": ["n1"]}
    for dialect, write in WRITTEN.items():
        first, second, third = compiled(dialect, write(plan)).nodes
        workflow = stage.run(first, replace(second, action="flaky", config={"how": "fail"}), third, params={"who": 1})
        assert statuses(workflow) == {"n0": "COMPLETED", "n1": "FAILED", "n2": "STOPPED"}, dialect
