"""Tests of what a map does with each element, of secrets, of triggers, and of `input`, as far as they are told beforehand."""

from __future__ import annotations

import json

import pytest

from tests.dialects.judging import Judge
from workflows_app.graph.definition import Definition, RetryPolicy

template = Judge("template")
DO = {"action": "http_call", "with": {"url": "http://x.example/{{ item.id }}/{{ index }}"}}


def a_map(do=DO, id="each", needs=(), **config):
    body = {} if do is None else {"do": do}
    return {"id": id, "action": "map", "needs": list(needs), "with": {"items": "{{ params.rows }}", **config, **body}}


def a_template(*steps, **more):
    return {"name": "x", "params": {"properties": {"rows": {}, "n": {}}}, "steps": list(steps), **more}


def a_step(id, value="", needs=(), action="transform", **more):
    return {"id": id, "action": action, "needs": list(needs), **more, **({"with": {"value": value}} if action == "transform" else {})}


def the_map(*steps, id="each", **more):
    return template.nodes(a_template(*steps, **more))[id]


def test_what_a_map_does_becomes_its_body_and_leaves_the_configuration():
    do = {**DO, "name": "Fetch", "timeout": 5, "retries": 1, "retry": {"on": ["5xx"]}, "priority": "low", "run_if": {"var": "item.id"}}
    found = the_map(a_map({**do, "on_failure": "continue", "concurrency": {"key": "k", "limit": 3}}, limit=4))
    body = found.body
    assert found.config == {"items": "{{ params.rows }}", "limit": 4}
    assert (body.id, body.action, body.name, body.config, body.needs) == ("each", "http_call", "Fetch", DO["with"], ())
    assert (body.timeout_seconds, body.retry, body.priority) == (5, RetryPolicy(retries=1, on=("5xx",)), 9)
    assert (body.on_failure, body.run_if, body.concurrency_key, body.concurrency_limit) == ("continue", {"var": "item.id"}, "k", 3)
    assert found.timeout_seconds is None


def test_the_defaults_are_those_of_the_body_too():
    defaults = {"retries": 7, "timeout": 9, "retry": {"max_delay": 3}, "trigger_rule": "all_done"}
    body = the_map(a_map({**DO, "timeout": 2}), defaults=defaults).body
    assert (body.retry, body.timeout_seconds, body.trigger_rule) == (RetryPolicy(retries=7, max_delay=3), 2, "all_success")


def test_the_body_is_kept_with_the_definition():
    definition = template.compiled(a_template(a_map())).definition
    assert Definition.from_json(json.loads(definition.text)) == definition
    assert definition.node("each[3]").config == DO["with"]


def test_the_reads_of_the_body_are_its_own():
    steps = [a_step("a"), a_step("b", "x", ["a"]), a_step("c", "x", ["b"])]
    do = {
        "action": "transform",
        "with": {"value": ["{{ a.output }}", "{{ item }}"]},
        "run_if": {"==": [{"var": "b.output"}, {"var": "index"}]},
    }
    source = a_map(do, needs=["c"], items="{{ c.output }}")
    found = the_map(*steps, source)
    assert (found.references, found.body.references) == (("c",), ("a", "b"))


def test_a_custom_task_in_the_body_sees_what_the_map_needs():
    body = the_map(a_step("a"), a_map({"action": "task_a"}, needs=["a"])).body
    assert (body.references, body.config) == (("a",), {})


@pytest.mark.parametrize(
    ("do", "path", "message"),
    [
        (None, "with.do", "'do' is missing: the step to do for each element"),
        ("delay", "with.do", "must be a valid dictionary"),
        ({}, "with.do.action", "'action' is missing"),
        ({"action": "htp_call"}, "with.do.action", "did you mean 'http_call'?"),
        ({"action": "http_call", "with": {"url": "ftp://x"}}, "with.do.with.url", "must begin with http"),
        ({"action": "http_call"}, "with.do.with.url", "'url' is missing"),
        ({"action": "delay", "with": {"ms": -1}}, "with.do.with.ms", "greater than or equal to 0"),
        ({"action": "delay", "with": 3}, "with.do.with", "must be a valid dictionary"),
        ({**DO, "id": "x"}, "with.do.id", "there is no key 'id'"),
        ({**DO, "needs": []}, "with.do.needs", "there is no key 'needs'"),
        ({**DO, "trigger_rule": "all_done"}, "with.do.trigger_rule", "there is no key 'trigger_rule'"),
        ({**DO, "timeot": 3}, "with.do.timeot", "did you mean 'timeout'?"),
        ({**DO, "retries": "3"}, "with.do.retries", "must be a valid integer"),
        ({**DO, "run_if": {"vr": 1}}, "with.do.run_if", "did you mean 'var'?"),
        ({"action": "map", "with": {"items": [], "do": DO}}, "with.do.action", "'map' cannot be done for each element"),
        ({"action": "branch", "with": {"cases": []}}, "with.do.action", "'branch' cannot be done for each element"),
        ({"action": "transform", "with": {"value": ["{{ item"]}}, "with.do.with.value[0]", "is not closed"),
        ({"action": "transform", "with": {"value": "{{ z.output }}"}}, "with.do.with.value", "there is no step 'z'"),
        ({"action": "transform", "with": {"value": "{{ late.output }}"}}, "with.do.with.value", "step 'late' is not upstream of 'each'"),
        ({"action": "transform", "with": {"value": "{{ each.output }}"}}, "with.do.with.value", "cannot read its own output"),
        ({"action": "transform", "with": {"value": "{{ params.q }}"}}, "with.do.with.value", "'q' is not declared"),
        ({"action": "transform", "with": {"logic": {"var": "z.output"}}}, "with.do.with.logic", "there is no step 'z'"),
    ],
)
def test_a_body_is_checked_like_a_step(do, path, message):
    """The path leads through the map's configuration: `steps[0].with.do.with.url`."""
    template.refuses(a_template(a_map(do), a_step("late")), f"steps[0].{path}", "each", message)


@pytest.mark.parametrize(
    ("step", "path"),
    [
        (a_step("a", "{{ item.x }}"), "with.value"),
        (a_step("a", "{{ index }}"), "with.value"),
        ({**a_step("a"), "run_if": {"var": "item"}}, "run_if"),
        ({"id": "a", "action": "transform", "with": {"logic": {"var": "index"}}}, "with.logic"),
        (a_map(id="a", items="{{ item }}"), "with.items"),
        ({**a_map(id="a"), "run_if": {"var": "index"}}, "run_if"),
    ],
)
def test_item_and_index_are_there_only_in_what_a_map_does(step, path):
    template.refuses(a_template(step), f"steps[0].{path}", "a", "only in what a map does with each element")


def test_a_loop_of_jsonlogic_has_its_own_names():
    step = {"id": "a", "action": "transform", "with": {"logic": {"map": [{"var": "params.rows"}, {"var": "item"}]}}}
    assert template.nodes(a_template(step))["a"].references == ()


def test_only_a_map_has_a_body():
    assert template.only(a_template({"id": "a", "action": "delay", "with": {"ms": 1, "do": DO}})).path == "steps[0].with.do"
    assert template.nodes(a_template({"id": "a", "action": "task_a", "with": {"do": 1, "": 2}}))["a"].config == {"do": 1, "": 2}


BODIES = {
    "dag": (
        lambda node: {"name": "x", "dag": {"nodes": [{**node, "handler": "map", "config": node["c"]}]}},
        "dag.nodes[0].config.do.with.url",
    ),
    "graph": (lambda node: {"nodes": [{**node, "type": "map", "data": node["c"]}]}, "nodes[0].data.do.with.url"),
    "tasks": (
        lambda node: {"name": "x", "steps": [{"execution_type": "parallel", "tasks": [{"name": "map", "params": node["c"]}]}]},
        "steps[0].tasks[0].params.do.with.url",
    ),
}


@pytest.mark.parametrize("dialect", sorted(BODIES))
def test_every_dialect_has_maps_and_says_where_a_body_is_wrong(dialect):
    def written(url):
        source = BODIES[dialect][0]({"id": "map", "c": {"items": [1], "do": {"action": "http_call", "with": {"url": url}}}})
        for node in (*source.get("nodes", ()), *source.get("dag", {}).get("nodes", ())):
            node.pop("c")
        return source

    judge = Judge(dialect)
    assert judge.nodes(written("http://x.example/{{ item }}"))["map"].body.config == {"url": "http://x.example/{{ item }}"}
    judge.refuses(written("ftp://x"), BODIES[dialect][1], "map", "must begin with http")


def calling(value, action="http_call", **more):
    config = {"url": "http://x.example/", "headers": {"Authorization": value}} if action == "http_call" else {"value": value}
    return {"id": "a", "action": action, "with": config, **more}


def test_the_secrets_that_a_step_reads_are_known_beforehand():
    found = template.nodes(a_template(calling("Bearer {{ secrets.B_TOKEN }} {{ secrets.a }} {{secrets['a']}}")))["a"]
    assert found.secrets == ("B_TOKEN", "a")
    assert found.references == ()


def test_the_body_of_a_map_reads_secrets_of_its_own():
    do = {"action": "http_call", "with": {"url": "http://x.example/?k={{ secrets.KEY }}"}}
    found = the_map(a_map(do))
    assert (found.secrets, found.body.secrets) == ((), ("KEY",))


@pytest.mark.parametrize(
    ("step", "path", "message"),
    [
        (calling("{{ secrets.T }}", "transform"), "with.value", "'transform' takes no secrets"),
        (calling("{{ secrets.T }}", "output"), "with.value", "'output' takes no secrets"),
        (a_map(id="a", items="{{ secrets.T }}"), "with.items", "'map' takes no secrets"),
        (calling("{{ secrets }}"), "with.headers.Authorization", "a secret is read by its name, as in `secrets.API_TOKEN`"),
        (calling("{{ secrets[params.n] }}"), "with.headers.Authorization", "a secret is read by its name"),
        (calling("{{ secrets.T.x }}"), "with.headers.Authorization", "a secret is read by its name"),
        (calling("{{ secrets.T | reverse }}"), "with.headers.Authorization", "a secret is put in as it is"),
        (calling("Bearer {{ secrets.T[0:4] }}"), "with.headers.Authorization", ""),
        (calling("{{ secrets.T < 'm' }}"), "with.headers.Authorization", "no filter or operator"),
        (calling("{{ params.n + secrets['T'] }}"), "with.headers.Authorization", "no filter or operator"),
        (calling("{{ 1 if 'a' in secrets.T else 2 }}"), "with.headers.Authorization", "no filter or operator"),
        (calling("x", run_if={"var": "secrets.T"}), "run_if", "a condition cannot read secrets"),
        (calling("x", run_if={"var": "secrets"}), "run_if", "a condition cannot read secrets"),
        (calling("x", run_if={"missing": ["secrets.T"]}), "run_if", "a condition cannot read secrets"),
        ({"id": "a", "action": "transform", "with": {"logic": {"var": "secrets.T"}}}, "with.logic", "a condition cannot read secrets"),
        ({"id": "secrets", "action": "input"}, "id", "reserved"),
        ({"id": "index", "action": "input"}, "id", "reserved"),
    ],
)
def test_a_secret_stays_where_it_is_safe(step, path, message):
    template.refuses(a_template(step), f"steps[0].{path}", step["id"], message)


def test_the_trigger_of_a_template_is_jsonlogic_over_the_payload():
    trigger = {"==": [{"var": "lead.source"}, "LinkedIn"]}
    assert template.compiled(a_template(a_step("a"), trigger=trigger)).trigger == trigger
    assert template.compiled(a_template(a_step("a"), trigger={})).trigger is None
    assert template.compiled(a_template(a_step("a"))).trigger is None
    template.refuses(a_template(a_step("a"), trigger={"=>": [1, 2]}), "trigger", "", "there is no operation '=>'")


def test_a_template_has_no_step_called_input():
    """There `input` is another word for the parameters, always."""
    template.refuses(a_template({"id": "input", "action": "input"}), "steps[0].id", "input", "reserved")
