"""Tests of the dag dialect: its examples, the names its templates read, and what it refuses where (CONTRACT.md section 6)."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.dialects.judging import Judge, shape_of
from workflows_app.dialects import DIALECTS, dag
from workflows_app.graph.definition import RetryPolicy

judge = Judge("dag")


def node(id, *dependencies, handler="transform", **config):
    return {
        "id": id,
        "handler": handler,
        "dependencies": list(dependencies),
        "config": config or ({"value": 1} if handler == "transform" else {}),
    }


def a_dag(*nodes, name="A DAG"):
    return {"name": name, "dag": {"nodes": list(nodes)}}


FAN = a_dag(
    {"id": "input", "handler": "input", "dependencies": []},
    node("get_user", "input", handler="call_external_service", url="http://api.example.com/user"),
    node("get_posts", "input", handler="call_external_service", url="http://api.example.com/posts"),
    {"id": "output", "handler": "output", "dependencies": ["get_user", "get_posts"]},
    name="Parallel API Fetcher",
)


def test_fan_out_and_fan_in_compile_to_needs():
    """CONTRACT.md section 6: `POST /v1/workflow` takes `{"name","dag":{"nodes":[{"id","handler","dependencies","config"}]}}`."""
    result = judge.compiled(FAN)
    nodes = result.definition.by_id
    assert (result.name, result.description, result.tags, result.trigger) == ("Parallel API Fetcher", "", (), None)
    assert shape_of(nodes) == {"input": (), "get_user": ("input",), "get_posts": ("input",), "output": ("get_user", "get_posts")}
    assert [nodes[id].action for id in nodes] == ["input", "call_external_service", "call_external_service", "output"]
    assert nodes["get_user"].config == {"url": "http://api.example.com/user"}
    assert nodes["output"].references == ("get_user", "get_posts")
    assert nodes["output"].trigger_rule == "all_success"


def test_text_json_and_yaml_compile_to_the_same():
    yaml = "name: x\ndag:\n  nodes:\n    - {id: a, handler: delay, config: {ms: 5}}\n"
    body = {"name": "x", "dag": {"nodes": [{"id": "a", "handler": "delay", "config": {"ms": 5}}]}}
    assert judge.compiled(yaml) == judge.compiled(json.dumps(body)) == judge.compiled(body)
    assert DIALECTS["dag"] is dag.compile


def test_a_description_and_tags_may_stand_at_the_top():
    result = judge.compiled({**FAN, "description": "Why", "tags": ["a"]})
    assert (result.description, result.tags) == ("Why", ("a",))


def test_every_node_takes_the_policies_of_a_step():
    """CONTRACT.md section 7: every step takes the policies, whatever the dialect."""
    written = {
        **node("a", handler="delay", ms=1),
        "name": "Wait",
        "timeout": 3,
        "retries": 1,
        "retry": {"on": [429], "max_delay": 4},
        "priority": "high",
        "run_if": {"var": "params.go"},
        "trigger_rule": "all_done",
        "on_failure": "continue",
        "concurrency": {"key": "k", "limit": 2},
    }
    found = judge.nodes(a_dag(written))["a"]
    assert (found.name, found.timeout_seconds, found.priority) == ("Wait", 3, 0)
    assert found.retry == RetryPolicy(retries=1, max_delay=4, on=("429",))
    assert (found.run_if, found.trigger_rule, found.on_failure) == ({"var": "params.go"}, "all_done", "continue")
    assert (found.concurrency_key, found.concurrency_limit) == ("k", 2)


def test_templates_read_outputs_upstream_and_parameters():
    """CONTRACT.md section 6: `{{ node_id.output }}`, `{{ node_id.output.a.b }}`, `{{ input.name }}`."""
    nodes = judge.nodes(
        a_dag(
            node("first"),
            node("second", "first"),
            node("third", "second", value=["{{ first.output }}", "{{ second.output.a.b }}", "{{ input.name }}"]),
        )
    )
    assert nodes["third"].references == ("first", "second")


def test_input_is_the_parameters_and_input_output_the_node_of_that_name():
    """CONTRACT.md section 6: `{{ input.name }}` is a parameter, also where a node is called `input`."""
    source = a_dag(
        {"id": "input", "handler": "input"},
        node("a", "input", value="{{ input.city }}"),
        node("b", "input", value="{{ input.output.city }}"),
        node("c", "input", value={"x": "{{ steps.input.status }}"}),
    )
    references = {id: found.references for id, found in judge.nodes(source).items()}
    assert references == {"input": (), "a": (), "b": ("input",), "c": ("input",)}


def test_input_output_is_refused_where_the_node_input_is_not_upstream():
    source = a_dag({"id": "input", "handler": "input"}, node("b", value="{{ input.output.city }}"))
    judge.refuses(source, "dag.nodes[1].config.value", "b", "node 'input' is not upstream of 'b': add 'input' to its dependencies")


def test_without_a_node_input_its_output_is_a_parameter_of_that_name():
    assert judge.nodes(a_dag(node("b", value="{{ input.output.city }}")))["b"].references == ()


def test_a_template_is_looked_for_in_the_configuration_only():
    """A name is plain text: no expression in it is evaluated, so none is checked."""
    assert judge.nodes(a_dag({**node("a"), "name": "{{ nobody.output }}"}))["a"].name == "{{ nobody.output }}"


@pytest.mark.parametrize(
    ("nodes", "path", "owner", "message"),
    [
        ([node("a", "c"), node("b", "a"), node("c", "b")], "dag.nodes[0].dependencies", "a", "-> a"),
        ([node("a", "a")], "dag.nodes[0].dependencies[0]", "a", "needs itself: a -> a"),
        ([node("a", handler="cal_external_service")], "dag.nodes[0].handler", "a", "did you mean 'call_external_service'?; there are: "),
        ([{"handler": "input"}], "dag.nodes[0].id", "", "'id' is missing"),
        ([node("")], "dag.nodes[0].id", "", "a node needs an id"),
        ([node("a"), node("b"), node("a")], "dag.nodes[2].id", "a", "the id 'a' is taken: dag.nodes[0] has it too"),
        ([node("a"), node("b", "a", "aa")], "dag.nodes[1].dependencies[1]", "b", "needs 'aa', which does not exist; did you mean 'a'?"),
        ([node("a"), node("b", "a", "a")], "dag.nodes[1].dependencies[1]", "b", "needs 'a' twice"),
        ([node("b", value="{{ ghost.output }}")], "dag.nodes[0].config.value", "b", "there is no node 'ghost'"),
        ([node("a"), node("b", value="{{ a.output }}")], "dag.nodes[1].config.value", "b", "node 'a' is not upstream of 'b'"),
        ([node("a", value="{{ a.output }}")], "dag.nodes[0].config.value", "a", "a node cannot read its own output"),
        ([node("a"), node("b", "a", value="{{ a.response }}")], "dag.nodes[1].config.value", "b", "there is no 'response' of a node"),
        ([node("a", value="{{ oops")], "dag.nodes[0].config.value", "a", "is not closed"),
        ([], "dag.nodes", "", "there are no nodes: a workflow needs at least one"),
        ([node("steps")], "dag.nodes[0].id", "steps", "reserved"),
        ([node("a", handler="delay", ms=-1)], "dag.nodes[0].config.ms", "a", "greater than or equal to 0"),
        ([node("a", handler="delay", seconds=366 * 86400 + 1)], "dag.nodes[0].config.seconds", "a", "less than or equal to"),
        ([{**node("a"), "dependencies": "b"}], "dag.nodes[0].dependencies", "a", "must be a valid list"),
        ([{**node("a"), "config": []}], "dag.nodes[0].config", "a", "must be a valid dictionary"),
        ([{**node("a"), "id": 3}], "dag.nodes[0].id", "3", "must be a valid string, not 3"),
        ([{**node("a"), "handler": ""}], "dag.nodes[0].handler", "a", "at least 1 character"),
        ([{**node("a"), "depends_on": []}], "dag.nodes[0].depends_on", "a", "there is no key 'depends_on'"),
        ([{**node("a"), "dependancies": []}], "dag.nodes[0].dependancies", "a", "did you mean 'dependencies'?"),
        ([{**node("a"), "retries": -1}], "dag.nodes[0].retries", "a", "greater than or equal to 0"),
        ([node("a", handler="branch", cases=[{"else": True, "next": "b"}])], "dag.nodes[0].config.cases[0].next", "a", "not exist"),
        (
            [node("a", handler="branch", cases=[{"else": True, "next": "b"}]), node("b")],
            "dag.nodes[0].config.cases[0].next",
            "a",
            "'b' does not need it: add 'a' to its dependencies",
        ),
        (["a"], "dag.nodes[0]", "", "must be a valid dictionary"),
        ([{**node("a"), "run_if": {"=>": [1]}}], "dag.nodes[0].run_if", "a", "there is no operation '=>'"),
    ],
)
def test_a_refusal_names_the_node_and_the_field(nodes, path, owner, message):
    """CONTRACT.md section 6: refused at submission, each message naming the node."""
    judge.refuses(a_dag(*nodes), path, owner, message)


def test_a_cycle_is_shown_as_a_path():
    """CONTRACT.md section 6: a cycle is shown as a path, each node before the one that depends on it."""
    message = judge.only(a_dag(node("a", "c"), node("b", "a"), node("c", "b"))).message
    ids = message.removeprefix("the nodes wait for each other: ").split(" -> ")
    assert len(ids) == 4
    assert ids[0] == ids[-1]
    assert all(pair in {("a", "b"), ("b", "c"), ("c", "a")} for pair in pairwise(ids))


@pytest.mark.parametrize(
    ("source", "path", "message"),
    [
        ({"dag": {"nodes": []}}, "name", "'name' is missing"),
        ({"name": "x"}, "dag", "'dag' is missing"),
        ({"name": "x", "dag": {}}, "dag.nodes", "'nodes' is missing"),
        ({"name": "x", "dag": {"nodes": {}}}, "dag.nodes", "must be a valid list"),
        ({"name": "x", "dag": []}, "dag", "must be a valid dictionary"),
        ({"name": "", "dag": {"nodes": [node("a")]}}, "name", "at least 1 character"),
        ({"name": "x", "dag": {"nodes": [node("a")], "edges": []}}, "dag.edges", "there is no key 'edges'"),
        ({"name": "x", "dags": {}, "dag": {"nodes": [node("a")]}}, "dags", "did you mean 'dag'?"),
    ],
)
def test_a_document_that_is_no_dag_is_refused(source, path, message):
    judge.refuses(source, path, "", message)


def test_what_is_no_mapping_is_refused():
    assert "a DAG is a mapping with 'name' and 'dag'" in judge.only("[1]").message


def test_a_submitted_dag_takes_any_parameters():
    """CONTRACT.md section 6: `input_params` are not declared anywhere."""
    schema = judge.compiled(FAN).params_schema
    assert (schema["type"], schema["additionalProperties"]) == ("object", True)
