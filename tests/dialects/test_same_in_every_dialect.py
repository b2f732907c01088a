"""Properties: the same graph in every dialect compiles to the same order and the same work; what is too much is refused by all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dialects.judging import Judge
from workflows_app.dialects import DIALECTS
from workflows_app.graph.definition import Node
from workflows_app.graph.validation import ancestors

Json = Any


@dataclass
class Part:
    """One step of a graph before it is written in a dialect."""

    id: str
    needs: list[str]
    action: str = "transform"
    config: dict[str, Json] = field(default_factory=lambda: {"value": 1})
    policies: dict[str, Json] = field(default_factory=lambda: {"trigger_rule": "all_success"})


def as_template(parts: Sequence[Part]) -> dict[str, Json]:
    steps = [{"id": p.id, "action": p.action, "needs": p.needs, "with": p.config, **p.policies} for p in parts]
    return {"name": "x", "params": {"additionalProperties": True}, "steps": steps}


def as_graph(parts: Sequence[Part]) -> dict[str, Json]:
    edges = [{"id": f"{need}-{p.id}", "source": need, "target": p.id} for p in parts for need in p.needs]
    return {"name": "x", "nodes": [{"id": p.id, "type": p.action, "data": p.config, **p.policies} for p in parts], "edges": edges}


def as_dag(parts: Sequence[Part]) -> dict[str, Json]:
    nodes = [{"id": p.id, "handler": p.action, "dependencies": p.needs, "config": p.config, **p.policies} for p in parts]
    return {"name": "x", "dag": {"nodes": nodes}}


def as_tasks(layers: Sequence[tuple[str, Sequence[Part]]]) -> dict[str, Json]:
    steps = [
        {"execution_type": kind, "tasks": [{"name": p.action, "params": p.config, **p.policies} for p in parts]} for kind, parts in layers
    ]
    return {"name": "x", "steps": steps}


WRITERS = {"template": as_template, "graph": as_graph, "dag": as_dag}


def work(nodes: Sequence[Node]) -> list[tuple[Json, ...]]:
    """What each node does and reads, and all that comes before it."""
    above = ancestors(nodes)
    return [
        (n.id, n.action, n.config, sorted(n.needs), above[n.id], n.references, n.trigger_rule, n.timeout_seconds, n.retry, n.priority)
        for n in nodes
    ]


def compiled(dialect: str, source: Mapping[str, Json]) -> tuple[Node, ...]:
    return Judge(dialect).compiled(source).definition.nodes


policies = st.fixed_dictionaries(
    {"trigger_rule": st.sampled_from(["all_success", "none_failed", "all_done", "one_success"])},
    optional={
        "timeout": st.floats(0.5, 100),
        "retries": st.integers(0, 5),
        "priority": st.sampled_from(["high", "normal", "low"]),
        "on_failure": st.sampled_from(["fail", "continue"]),
    },
)


@st.composite
def work_of(draw: st.DrawFn, readable: Sequence[str]) -> tuple[str, dict[str, Json]]:
    """An action and its configuration, which reads some of what lies upstream."""
    reads = draw(st.lists(st.sampled_from(readable), unique=True, max_size=3)) if readable else []
    value = {id: f"{{{{ {id}.output.x }}}}" for id in reads} | {"day": "{{ params.day }}"}
    return draw(
        st.sampled_from(
            [
                ("transform", {"value": value}),
                ("transform", {"logic": {"cat": [{"var": f"{id}.output"} for id in reads]}}),
                ("output", {"value": value}),
                ("task_a", {"x": value}),
                ("delay", {"ms": 5}),
                ("http_call", {"url": "http://x.example/", "json": value}),
            ]
        )
    )


@st.composite
def dags(draw: st.DrawFn) -> list[Part]:
    """Steps in an order in which each comes before or after what it needs."""
    ids = [f"n{number}" for number in range(draw(st.integers(1, 10)))]
    above: dict[str, set[str]] = {}
    parts = []
    for number, id in enumerate(ids):
        needs = draw(st.lists(st.sampled_from(ids[:number]), unique=True, max_size=4)) if number else []
        above[id] = set(needs).union(*(above[need] for need in needs))
        action, config = draw(work_of(sorted(above[id])))
        parts.append(Part(id, needs, action, config, draw(policies)))
    return draw(st.permutations(parts))


@settings(max_examples=150, deadline=None)
@given(dags())
def test_any_dag_is_the_same_in_three_dialects(parts: list[Part]) -> None:
    found = {dialect: work(compiled(dialect, write(parts))) for dialect, write in WRITERS.items()}
    assert found["template"] == found["graph"] == found["dag"]
    assert [id for id, *_ in found["dag"]] == [part.id for part in parts]


@st.composite
def series(draw: st.DrawFn) -> list[tuple[str, list[Part]]]:
    """Layers as the tasks dialect has them; the ids are those that it will give."""
    counts: dict[str, int] = {}
    before: list[str] = []
    seen: list[str] = []
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["sequential", "parallel"]))
        parts: list[Part] = []
        for _ in range(draw(st.integers(1, 4))):
            last = parts[-1:] if kind == "sequential" else []
            readable = seen + [part.id for part in (parts if kind == "sequential" else [])]
            action, config = draw(work_of(readable))
            counts[action] = counts.get(action, 0) + 1
            id = action if counts[action] == 1 else f"{action}_{counts[action]}"
            parts.append(Part(id, [part.id for part in last] or before, action, config, draw(policies)))
        seen += [part.id for part in parts]
        before = [part.id for part in (parts[-1:] if kind == "sequential" else parts)]
        layers.append((kind, parts))
    return layers


@settings(max_examples=100, deadline=None)
@given(series())
def test_any_series_of_layers_is_the_same_in_all_four(layers: list[tuple[str, list[Part]]]) -> None:
    """CONTRACT.md section 4: steps one after another, tasks in order or at once."""
    parts = [part for _, layer in layers for part in layer]
    tasks = work(compiled("tasks", as_tasks(layers)))
    assert tasks == work(compiled("template", as_template(parts)))
    assert tasks == work(compiled("graph", as_graph(parts)))
    assert tasks == work(compiled("dag", as_dag(parts)))


def written(dialect: str, parts: Sequence[Part]) -> dict[str, Json]:
    return as_tasks([("parallel", parts)]) if dialect == "tasks" else WRITERS[dialect](parts)


ROOTS = {"template": "steps", "tasks": "steps", "graph": "nodes", "dag": "dag.nodes"}
dialects = pytest.mark.parametrize("dialect", sorted(DIALECTS))


@dialects
def test_more_than_ten_thousand_steps_are_refused(dialect: str) -> None:
    problem = Judge(dialect).only(written(dialect, [Part(f"n{n}", [], "input", {}, {}) for n in range(10_001)]))
    assert problem.path == ROOTS[dialect]
    assert "there are 10,001 " in problem.message
    assert "the limit is 10,000" in problem.message


@dialects
@pytest.mark.parametrize("is_text", [True, False], ids=["text", "mapping"])
def test_more_than_a_megabyte_is_refused(dialect: str, is_text: bool) -> None:
    source = written(dialect, [Part("a", [], "transform", {"value": "x" * 1_000_000}, {})])
    assert "larger than 1,000,000 bytes" in Judge(dialect).only(json.dumps(source) if is_text else source).message


@dialects
@pytest.mark.parametrize("is_text", [True, False], ids=["text", "mapping"])
def test_what_nests_too_deep_is_refused(dialect: str, is_text: bool) -> None:
    value: Json = 1
    for _ in range(70):
        value = [value]
    source = written(dialect, [Part("a", [], "transform", {"value": value}, {})])
    problem = Judge(dialect).only(json.dumps(source) if is_text else source)
    assert "nests deeper than 64 levels" in problem.message
    assert problem.path.startswith(ROOTS[dialect])


def test_more_dependencies_than_the_limit_are_refused() -> None:
    """Only tasks can write so many in a megabyte; the others are refused for their size before."""
    left, right = ([Part("", [], "input", {}, {}) for _ in range(450)] for _ in range(2))
    problem = Judge("tasks").only(as_tasks([("parallel", left), ("parallel", right)]))
    assert problem.path == "steps"
    assert "there are 202,500 dependencies; the limit is 200,000" in problem.message
    assert compiled("tasks", as_tasks([("parallel", left), ("sequential", right[:1]), ("parallel", right)]))


@dialects
@pytest.mark.parametrize(
    "config", [{"ms": -1}, {"seconds": 366 * 86_400 + 1}, {"ms": float("1e400")}], ids=["negative", "years", "infinite"]
)
def test_a_delay_below_nothing_or_above_a_year_is_refused(dialect: str, config: dict[str, Json]) -> None:
    problem = Judge(dialect).only(written(dialect, [Part("delay", [], "delay", config, {})]))
    assert problem.path.endswith(f".{next(iter(config))}")


@dialects
def test_a_part_that_cannot_be_json_is_refused(dialect: str) -> None:
    assert "is not JSON" in Judge(dialect).only(written(dialect, [Part("a", [], "transform", {"value": object()}, {})])).message


@dialects
def test_an_unknown_dialect_key_at_the_top_is_refused(dialect: str) -> None:
    source = {**written(dialect, [Part("a", [], "input", {}, {})]), "descripton": "x"}
    assert "did you mean 'description'?" in Judge(dialect).only(source).message


@dialects
def test_a_text_with_an_alias_is_refused(dialect: str) -> None:
    assert "anchors and aliases" in Judge(dialect).only("a: &x 1\nb: *x\n").message


@pytest.mark.parametrize("name", [" ", "\t\n", "\u200b\u202e"], ids=["blank", "tab", "invisible"])
@pytest.mark.parametrize("dialect", sorted([*WRITERS, "tasks"]))
def test_a_name_that_nobody_could_see_or_click_is_refused(dialect: str, name: str) -> None:
    part = Part("a", [], config={"value": 1}, policies={})
    source = as_tasks([("sequential", [part])]) if dialect == "tasks" else WRITERS[dialect]([part])
    problem = Judge(dialect).only({**source, "name": name})
    assert problem.path == "name" and "a name needs a character that can be seen" in problem.message


@pytest.mark.parametrize("name", ["\U0001f389", "\u0645\u0631\u062d\u0628\u0627", " a "], ids=["emoji", "arabic", "blanks"])
def test_any_name_that_can_be_seen_is_taken(name: str) -> None:
    assert Judge("dag").compiled({**as_dag([Part("a", [])]), "name": name}).name == name
