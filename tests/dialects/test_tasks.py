"""Tests of the tasks dialect: order, ids, policies in params, and what it refuses where (CONTRACT.md section 4)."""

from __future__ import annotations

import json

import pytest

from tests.dialects.judging import Judge, shape_of
from workflows_app import actions
from workflows_app.dialects import DIALECTS, tasks
from workflows_app.graph.names import STEP_ID

judge = Judge("tasks")

SAMPLE = {
    "name": "sample_workflow",
    "steps": [
        {
            "execution_type": "sequential",
            "tasks": [{"name": "task_a", "params": {"timeout": 30}}, {"name": "task_b", "params": {"retry_count": 3}}],
        },
        {"execution_type": "parallel", "tasks": [{"name": "task_c", "params": {"priority": "high"}}]},
    ],
}


def step(kind, *names):
    return {"execution_type": kind, "tasks": [{"name": name} if isinstance(name, str) else name for name in names]}


def a_workflow(*steps, name="Some tasks"):
    return {"name": name, "steps": list(steps)}


def one(task):
    return a_workflow(step("parallel", task))


def test_the_sample_compiles_to_a_chain_with_policies():
    """CONTRACT.md section 4: in `params`, `timeout`, `retry_count` and `priority` are also the step's policy."""
    result = judge.compiled(SAMPLE)
    a, b, c = result.definition.nodes
    assert result.name == "sample_workflow"
    assert shape_of(result.definition.by_id) == {"task_a": (), "task_b": ("task_a",), "task_c": ("task_b",)}
    assert (a.action, a.timeout_seconds, a.config) == ("task_a", 30, {"timeout": 30})
    assert (b.retry.retries, b.config) == (3, {"retry_count": 3})
    assert (c.priority, c.config) == (0, {"priority": "high"})


def test_steps_run_one_after_another_and_their_tasks_in_order_or_at_once():
    """CONTRACT.md section 4: the next step starts when all tasks of the one before are done."""
    source = a_workflow(step("parallel", "task_a", "task_b"), step("sequential", "task_c", "delay"), step("parallel", "output", "input"))
    source["steps"][1]["tasks"][1]["params"] = {"ms": 1}
    assert shape_of(judge.nodes(source)) == {
        "task_a": (),
        "task_b": (),
        "task_c": ("task_a", "task_b"),
        "delay": ("task_c",),
        "output": ("delay",),
        "input": ("delay",),
    }


def test_ids_come_from_the_names_and_each_is_there_once():
    names = ["task_a", "task_a", "task_b", "task_a", "task_b"]
    nodes = judge.nodes(a_workflow(step("sequential", *names)))
    assert list(nodes) == ["task_a", "task_a_2", "task_b", "task_a_3", "task_b_2"]
    assert [node.name for node in nodes.values()] == names
    assert all(STEP_ID.fullmatch(id) for id in nodes)


def test_an_id_that_is_taken_or_reserved_is_left_out():
    known = {name: actions.find("task_a") for name in ("task_a", "task_a_2", "item")}
    source = a_workflow(step("parallel", "task_a", "task_a_2", "task_a", "item", "task_a_2"))
    ids = [node.id for node in DIALECTS["tasks"](source, actions=known).definition.nodes]
    assert ids == ["task_a", "task_a_2", "task_a_3", "item_2", "task_a_2_2"]


def test_ten_thousand_tasks_of_one_name_have_ids_soon():
    nodes = judge.nodes(a_workflow(step("parallel", *["task_a"] * 10_000)))
    assert list(nodes)[-1] == "task_a_10000"


def test_what_stands_beside_params_comes_before_what_stands_in_them():
    task = {"name": "task_a", "params": {"timeout": 30, "priority": "low", "x": 1}, "timeout": 5, "on_failure": "continue", "run_if": True}
    (node,) = judge.compiled(one(task)).definition.nodes
    assert (node.timeout_seconds, node.priority, node.on_failure, node.run_if) == (5, 9, "continue", True)
    assert node.config == {"timeout": 30, "priority": "low", "x": 1}


def test_an_action_that_does_not_know_a_policy_does_not_get_it():
    params = {"url": "http://x.example/", "timeout": 3, "retry_count": 2, "priority": "high"}
    (node,) = judge.compiled(one({"name": "http_call", "params": params})).definition.nodes
    assert node.config == {"url": "http://x.example/", "timeout": 3}
    assert (node.timeout_seconds, node.retry.retries, node.priority) == (3, 2, 0)


def test_params_read_what_earlier_tasks_gave_and_any_parameter():
    second = {"name": "task_b", "params": {"rows": "{{ task_a.output.rows }}", "day": "{{ params.day }}"}}
    nodes = judge.nodes(a_workflow(step("sequential", "task_a", second)))
    assert nodes["task_b"].references == ("task_a",)
    assert judge.compiled(SAMPLE).params_schema["additionalProperties"] is True


def test_a_custom_task_sees_what_it_needs_without_naming_it():
    assert judge.nodes(SAMPLE)["task_c"].references == ("task_b",)


def test_text_json_and_yaml_compile_to_the_same():
    yaml = "name: x\nsteps:\n  - execution_type: parallel\n    tasks: [{name: task_a}]\n"
    assert judge.compiled(yaml) == judge.compiled(json.dumps(a_workflow(step("parallel", "task_a"), name="x")))
    assert DIALECTS["tasks"] is tasks.compile


def test_a_description_and_tags_may_stand_at_the_top():
    result = judge.compiled({**SAMPLE, "description": "Why", "tags": ["a"]})
    assert (result.description, result.tags, result.trigger) == ("Why", ("a",), None)


@pytest.mark.parametrize(
    ("task", "field", "owner", "message"),
    [
        ({"name": "task_d"}, ".name", "task_d", "there is no task 'task_d'; did you mean 'task_"),
        ({"name": "my task!"}, ".name", "my_task_", "there is no task 'my task!'; there are: "),
        ({"name": ""}, ".name", "", "at least 1 character"),
        ({"params": {}}, ".name", "", "'name' is missing"),
        ({"name": 3}, ".name", "3", "must be a valid string, not 3"),
        ({"name": "task_a", "params": {"timeout": 0}}, ".params.timeout", "task_a", "greater than 0"),
        ({"name": "task_a", "params": {"timeout": "30"}}, ".params.timeout", "task_a", "must be a valid number, not '30'"),
        ({"name": "task_a", "params": {"retry_count": -1}}, ".params.retry_count", "task_a", "greater than or equal to 0"),
        ({"name": "task_a", "params": {"retry_count": 1.5}}, ".params.retry_count", "task_a", "must be a valid integer"),
        ({"name": "task_a", "params": {"priority": "urgent"}}, ".params.priority", "task_a", "'high', 'normal' or 'low'"),
        ({"name": "task_a", "params": []}, ".params", "task_a", "must be"),
        ({"name": "task_a", "param": {}}, ".param", "task_a", "did you mean 'params'?"),
        ({"name": "task_a", "retry": {"one": []}}, ".retry.one", "task_a", "did you mean 'on'?"),
        ({"name": "delay", "params": {"ms": -1}}, ".params.ms", "delay", "greater than or equal to 0"),
        ({"name": "delay", "params": {"ms": 366 * 86_400_000 + 1}}, ".params.ms", "delay", "less than or equal to"),
        ({"name": "task_a", "params": {"x": ["{{ task_b.output }}"]}}, ".params.x[0]", "task_a", "there is no task 'task_b'"),
        ({"name": "task_a", "params": {"x": "{{ task_a.output }}"}}, ".params.x", "task_a", "a task cannot read its own output"),
        ({"name": "branch", "params": {"cases": [{"else": True, "next": "z"}]}}, ".params.cases[0].next", "branch", "does not exist"),
        ("task_a", "", "", "must be a valid dictionary"),
    ],
)
def test_a_refusal_names_the_task_and_the_field(task, field, owner, message):
    """CONTRACT.md section 4: an unknown task name lists the known ones; every refusal says where."""
    judge.refuses(a_workflow({"execution_type": "parallel", "tasks": [task]}), f"steps[0].tasks[0]{field}", owner, message)


def test_an_unknown_task_is_answered_with_all_that_are_known():
    """CONTRACT.md section 4: an unknown task name is refused and the known ones are listed."""
    message = judge.only(one("task_d")).message
    assert all(f" {name}" in message for name in ("task_a", "task_b", "task_c", "http_call"))


def test_a_task_cannot_read_one_beside_it():
    source = a_workflow(
        step("sequential", "task_a"), step("parallel", "task_b", {"name": "task_c", "params": {"x": "{{ task_b.output }}"}})
    )
    judge.refuses(
        source, "steps[1].tasks[1].params.x", "task_c", "task 'task_b' is not upstream of 'task_c': put 'task_b' into a step before it"
    )


@pytest.mark.parametrize(
    ("source", "path", "message"),
    [
        ({"steps": [step("parallel", "task_a")]}, "name", "'name' is missing"),
        ({"name": "x"}, "steps", "'steps' is missing"),
        ({"name": "x", "steps": []}, "steps", "there are no tasks: a workflow needs at least one"),
        ({"name": "x", "steps": {}}, "steps", "must be a valid list"),
        (a_workflow({"execution_type": "parallel", "tasks": []}), "steps[0].tasks", "at least 1 item"),
        (a_workflow({"execution_type": "parallel"}), "steps[0].tasks", "'tasks' is missing"),
        (a_workflow({"execution_type": "parallel", "tasks": {}}), "steps[0].tasks", "must be a valid list"),
        (a_workflow(step("paralel", "task_a")), "steps[0].execution_type", "must be 'sequential' or 'parallel'"),
        (a_workflow({"tasks": [{"name": "task_a"}]}), "steps[0].execution_type", "'execution_type' is missing"),
        (a_workflow({**step("parallel", "task_a"), "name": "x"}), "steps[0].name", "there is no key 'name'"),
        ({**SAMPLE, "stpes": []}, "stpes", "did you mean 'steps'?"),
    ],
)
def test_a_document_without_sound_steps_is_refused(source, path, message):
    judge.refuses(source, path, "", message)


def test_what_is_no_mapping_is_refused():
    assert "a workflow of tasks is a mapping with 'name' and 'steps'" in judge.only("text").message
