"""Properties: whatever the document, each dialect compiles it or says what is wrong with it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dialects.judging import Judge
from workflows_app.dialects import DIALECTS
from workflows_app.graph.definition import Definition
from workflows_app.graph.problems import DefinitionError

Json = Any
CASES = [{"label": "x", "condition": {"var": "map.output"}, "next": "transform"}, {"else": True, "next": ["transform"]}]
DO = {"action": "http_call", "with": {"url": "http://x.example/{{ item }}"}, "run_if": {"var": "index"}}
WORK: list[tuple[str, list[str], dict[str, Json]]] = [
    ("map", [], {"items": "{{ params.rows }}", "do": DO}),
    ("branch", ["map"], {"cases": CASES}),
    ("transform", ["branch"], {"logic": {"missing": ["map.output", {"var": "params.x"}]}}),
]
STEPS = [{"id": id, "action": id, "needs": needs, "with": config, "run_if": True} for id, needs, config in WORK]
NODES = [{"id": id, "type": id, "data": config, "position": {}} for id, _, config in WORK]
SOUND: dict[str, Json] = {
    "template": {"name": "x", "params": {"additionalProperties": True}, "steps": STEPS, "trigger": {}},
    "graph": {"name": "x", "trigger": {"var": "x"}, "nodes": NODES, "edges": [{"id": "e", "source": "map", "target": "branch"}]},
    "dag": {
        "name": "x",
        "dag": {"nodes": [{"id": id, "handler": id, "dependencies": needs, "config": config} for id, needs, config in WORK]},
    },
    "tasks": {
        "name": "x",
        "steps": [{"execution_type": "sequential", "tasks": [{"name": id, "params": config} for id, _, config in WORK]}],
    },
}

odd: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 3)
    | st.sampled_from(["", "a", "b", "map", "branch", "{{ a.output }}", "{{ x", "payload", "input"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["do", "var", "cases", "next", "else", "id", "with"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Json) -> list[tuple[Json, Json]]:
    """Every container in a document with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [found for key in keys for found in places(value[key])]


@st.composite
def documents(draw: st.DrawFn, dialect: str) -> Json:
    """A sound document with up to three parts replaced or left out."""
    document = copy.deepcopy(SOUND[dialect])
    for _ in range(draw(st.integers(1, 3))):
        if found := places(document):
            container, key = draw(st.sampled_from(found))
            if isinstance(container, dict) and draw(st.booleans()):
                del container[key]
            else:
                container[key] = draw(odd)
    return document


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_the_document_that_is_changed_is_sound(dialect: str) -> None:
    nodes = Judge(dialect).nodes(SOUND[dialect])
    assert {id: node.needs for id, node in nodes.items()} == {"map": (), "branch": ("map",), "transform": ("branch",)}
    assert nodes["map"].body is not None


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_any_document_compiles_or_is_refused_with_messages(dialect: str) -> None:
    judge = Judge(dialect)

    @settings(max_examples=150, deadline=None)
    @given(documents(dialect))
    def check(document: Json) -> None:
        try:
            definition = judge.compiled(document).definition
            assert Definition.from_json(json.loads(definition.text)) == definition
        except DefinitionError as error:
            assert all(problem.message and isinstance(problem.node, str) for problem in error.problems)

    check()


MANY = {
    "names like each other": [{"id": f"node-{n}", "handler": "input", "dependencies": [f"node_{n}x"]} for n in range(9_000)],
    "long names": [{"id": f"{n}-{'y' * 90}", "handler": "input", "dependencies": [f"{n}_{'y' * 90}"]} for n in range(3_000)],
    "unknown handlers": [{"id": f"n{n}", "handler": f"input{n}"} for n in range(9_000)],
    "unknown keys": [{"id": f"n{n}", "handler": "input", "depend": []} for n in range(9_000)],
    "bad references": [{"id": f"n{n}", "handler": "output", "config": {"value": ["{{ x.y }}"] * 3}} for n in range(9_000)],
    "bad references of one": [
        {"id": f"n{n}", "handler": "output", "config": {"value": ["{{ m.y }}"] * 9_999 * (not n)}} for n in range(5_000)
    ],
    "cases to nowhere": [
        {"id": f"n{n}", "handler": "branch", "config": {"cases": [{"else": True, "next": [f"m{n}"] * 9}]}} for n in range(5_000)
    ],
}


@pytest.mark.parametrize("kind", MANY)
def test_a_document_full_of_mistakes_is_answered_with_the_first_hundred(kind: str) -> None:
    """Each mistake costs a comparison with all names: without a bound these take minutes, with it a second or two."""
    assert len(Judge("dag").problems({"name": "x", "dag": {"nodes": MANY[kind]}})) == 100
