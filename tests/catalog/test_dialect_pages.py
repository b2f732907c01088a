"""Tests that the pages about the dialects and conditions are true: examples compile and run, tables name what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.walk import Walk
from tests.graph.test_conditions import DEVIATIONS, SUITE
from workflows_app.catalog.validate import validate
from workflows_app.dialects import DIALECTS
from workflows_app.dialects.dag import DagModel, DagNode
from workflows_app.dialects.graph_model import LOOKS_OF_A_NODE, LOOKS_OF_AN_EDGE, OF_THE_EDITOR, GraphEdge, GraphModel, GraphNode
from workflows_app.dialects.params import accept
from workflows_app.dialects.tasks import POLICIES, TaskModel, TasksModel, TaskStep
from workflows_app.dialects.template_model import NodeModel, Policies, TemplateModel
from workflows_app.graph import conditions
from workflows_app.graph.conditions import ConditionError, evaluate, holds
from workflows_app.graph.problems import DefinitionError

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {dialect: f"{dialect}-dialect.md" for dialect in DIALECTS}
LEAD = {"lead": {"source": "LinkedIn", "score": 90, "title": "CEO"}}


def page(name: str) -> str:
    return (DOCS / name).read_text()


def examples(dialect: str) -> list[str]:
    return [text for _, text in re.findall(r"```(yaml|json)\n(.*?)```", page(PAGES[dialect]), re.DOTALL)]


def walk(dialect: str, number: int, url: str, **params: Any) -> Walk:
    compiled = validate(examples(dialect)[number], dialect)
    return Walk(compiled.definition, params=accept(compiled.params_schema, params), url=url).run()


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_every_example_of_a_page_compiles(dialect):
    assert [validate(text, dialect).name for text in examples(dialect)]


def test_the_sample_of_the_tasks_page_runs():
    assert set(walk("tasks", 0, "http://127.0.0.1:9").ends.values()) == {"completed"}


@pytest.mark.django_db(transaction=True)
def test_the_second_example_of_the_tasks_page_runs(live_server):
    assert walk("tasks", 1, live_server.url).outputs["output"] == "4 orders"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("title", "taken"), [("CEO", "gift"), ("CTO", "drip")])
def test_the_graph_of_the_page_runs_and_its_event_starts_it(live_server, title, taken):
    event = {"lead": {**LEAD["lead"], "title": title}}
    assert json.dumps(LEAD) in page("graph-dialect.md")
    assert holds(validate(examples("graph")[0], "graph").trigger, event)
    found = walk("graph", 0, live_server.url, **event)
    assert {found.ends["gift"], found.ends["drip"]} == {"completed", "skipped"}
    assert found.ends[taken] == "completed"


@pytest.mark.django_db(transaction=True)
def test_the_dags_of_the_page_run(live_server):
    assert walk("dag", 0, live_server.url, user_id=123).outputs["output"]["get_user"]["body"]["body"] == {"user_id": 123}
    assert walk("dag", 1, live_server.url).outputs["analyze"]["provider"] == "demo"


def names(*models: Any) -> set[str]:
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("tasks", names(TasksModel, TaskStep, TaskModel) | set(POLICIES)),
        ("graph", names(GraphModel, GraphNode, GraphEdge) | LOOKS_OF_A_NODE | LOOKS_OF_AN_EDGE | OF_THE_EDITOR),
        ("dag", names(DagModel, DagNode)),
    ],
)
def test_a_page_names_every_key_of_its_dialect(dialect, words):
    for word in words:
        assert re.search(rf"[`.]{word}`", page(PAGES[dialect])) or re.search(rf"`{word}\.", page(PAGES[dialect])), word


def test_the_first_page_leads_to_each_dialect_and_names_every_policy():
    text = page("dialects.md")
    assert all(f"[`{dialect}`]({PAGES[dialect]})" in text for dialect in DIALECTS)
    assert all(f"`{word}`" in text for word in names(Policies) | (names(NodeModel) - {"name"}))


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "the nodes wait for each other: a -> b -> c -> a": (
        "dag",
        {"name": "x", "dag": {"nodes": [{"id": i, "handler": "input", "dependencies": [n]} for i, n in ("ac", "ba", "cb")]}},
    ),
    "the id 'fetch' is taken: dag.nodes[0] has it too": ("dag", {"name": "x", "dag": {"nodes": [{"id": "fetch", "handler": "input"}] * 2}}),
    "there is no handler 'http'; did you mean 'http_call'?; there are: approval, ": (
        "dag",
        {"name": "x", "dag": {"nodes": [{"id": "a", "handler": "http"}]}},
    ),
    "edge 'e4' ends at 'bransh', which does not exist; did you mean 'branch'?": (
        "graph",
        {"nodes": [{"id": i, "type": "input"} for i in ("call", "branch")], "edges": [{"id": "e4", "source": "call", "target": "bransh"}]},
    ),
    "`fetch.output`: node 'fetch' is not upstream of 'show': add 'fetch' to its dependencies": (
        "dag",
        {
            "name": "x",
            "dag": {
                "nodes": [
                    {"id": "fetch", "handler": "input"},
                    {"id": "show", "handler": "output", "config": {"value": "{{ fetch.output }}"}},
                ]
            },
        },
    ),
    "there are two start nodes, 's' and 't': a graph begins at one": ("graph", {"nodes": [{"id": i, "type": "start"} for i in "st"]}),
    "there is no key 'dependancies'; did you mean 'dependencies'?": (
        "dag",
        {"name": "x", "dag": {"nodes": [{"id": "a", "handler": "input", "dependancies": []}]}},
    ),
    "there are no nodes: a workflow needs at least one": ("dag", {"name": "x", "dag": {"nodes": []}}),
    "there are 10,001 steps; the limit is 10,000": (
        "template",
        {"name": "x", "steps": [{"id": f"n{n}", "action": "input"} for n in range(10_001)]},
    ),
}


@pytest.mark.parametrize("message", REFUSED, ids=lambda message: message[:30])
def test_the_page_quotes_what_is_said(message):
    dialect, source = REFUSED[message]
    assert message in page("dialects.md")
    with pytest.raises(DefinitionError) as caught:
        validate(source, dialect)
    assert message in caught.value.problems[0].message


def deviations_of_the_page() -> list[tuple[Any, str, str]]:
    rows = re.findall(r"^\| `(\{.*\})` \| (.*?) \| (.*?) \|$", page("conditions.md"), re.MULTILINE)
    return [(json.loads(logic), there.strip("`"), here.strip("`")) for logic, there, here in rows]


def test_the_page_lists_the_deviations_that_there_are():
    assert [logic for logic, _, _ in deviations_of_the_page()] == DEVIATIONS
    assert f"Of the {len(SUITE)} cases of the public test suite {len(SUITE) - len(DEVIATIONS)} give the same" in page("conditions.md")


@pytest.mark.parametrize(("logic", "there", "here"), deviations_of_the_page(), ids=lambda part: json.dumps(part)[:40])
def test_a_deviation_is_as_the_page_says(logic, there, here):
    if here.startswith("refused"):
        with pytest.raises(ConditionError, match="must be a plain value"):
            evaluate(logic, {})
    else:
        assert (json.dumps(evaluate(logic, {})), json.dumps(next(case[2] for case in SUITE if case[0] == logic))) == (here, there)


def test_the_page_says_the_limits_and_what_is_true():
    text = page("conditions.md")
    assert f"{conditions.MAX_DEPTH} levels" in text
    assert f"{conditions.MAX_OPERATIONS:,} operations" in text
    assert f"{conditions.MAX_WORK:,} units" in text
    assert f"{conditions.MAX_WEIGHT:,} characters" in text
    assert [holds({"var": "x"}, {"x": value}) for value in ([], "", 0, None, "0", {})] == [False] * 4 + [True] * 2
    assert evaluate({"log": "x"}, {}) == "x"
    assert isinstance(evaluate({"*": [2**62, 2**62]}, {}), float)


@pytest.mark.django_db(transaction=True)
def test_the_map_of_the_template_page_runs_and_has_a_trigger(live_server):
    assert walk("template", 1, live_server.url).outputs["done"] == ["0: ORD-10000", "1: ORD-10001", "2: ORD-10002"]
    trigger = validate(examples("template")[1]).trigger
    assert [holds(trigger, {"page": number}) for number in (0, 1)] == [False, True]


def test_the_template_page_names_every_key_at_the_top():
    assert all(f"`{word}`" in page("template-dialect.md") for word in names(TemplateModel))
