"""Tests of the template dialect: what compiles to what, and what is refused where."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows_app import actions
from workflows_app.dialects import DIALECTS, template
from workflows_app.graph.definition import RetryPolicy
from workflows_app.graph.problems import DefinitionError, Problem

FULL = """\
name: Nightly ETL
description: All keys once
tags: [etl, night]
params: {type: object, properties: {day: {type: string, format: date}, region: {type: string}}, required: [day]}
defaults: {retries: 2, timeout: 30, priority: low, retry: {max_delay: 9}}
steps:
  - id: fetch
    name: Fetch the pages
    action: http_call
    with: {url: "http://example.com/{{ params.day }}", method: GET}
    timeout: 5
    retries: 4
    retry: {initial_delay: 1, jitter: false, on: [timeout, "5xx", 429]}
    priority: high
    concurrency: {key: warehouse, limit: 2}
  - id: shape
    action: transform
    needs: [fetch]
    run_if: {"==": [{"var": "params.region"}, "EU"]}
    on_failure: continue
    with: {value: {rows: "{{ fetch.output.body.rows }}"}}
  - id: decide
    action: branch
    needs: [shape]
    with: {cases: [{label: many, condition: {">": [{"var": "shape.output.rows"}, 100]}, next: big}, {else: true, next: small}]}
  - {id: big, action: delay, needs: [decide], with: {seconds: 1}}
  - {id: small, action: task_a, needs: [decide]}
  - {id: end, action: output, needs: [big, small], trigger_rule: none_failed}
"""


def compiled(source):
    return template.compile(source if not isinstance(source, str) else dedent(source), actions=actions.shapes())


def problems(source) -> list[Problem]:
    with pytest.raises(DefinitionError) as caught:
        compiled(source)
    return list(caught.value.problems)


def steps(*entries: str, params: str = "{}") -> str:
    return "\n".join(["name: x", f"params: {params}", "steps:", *(f"  - {entry}" for entry in entries)])


def only(source) -> Problem:
    found = problems(source)
    assert len(found) == 1, found
    return found[0]


def test_every_key_of_the_dialect_arrives_in_the_definition():
    result = compiled(FULL)
    assert (result.name, result.description, result.tags) == ("Nightly ETL", "All keys once", ("etl", "night"))
    assert result.params_schema["required"] == ["day"]
    fetch, shape, decide, big, small, end = result.definition.nodes
    assert (fetch.name, fetch.action, fetch.needs) == ("Fetch the pages", "http_call", ())
    assert fetch.config == {"url": "http://example.com/{{ params.day }}", "method": "GET"}
    assert fetch.timeout_seconds == 5
    assert fetch.retry == RetryPolicy(retries=4, initial_delay=1, max_delay=9, jitter=False, on=("timeout", "5xx", "429"))
    assert (fetch.priority, big.priority) == (0, 9)
    assert (fetch.concurrency_key, fetch.concurrency_limit) == ("warehouse", 2)
    assert shape.run_if == {"==": [{"var": "params.region"}, "EU"]}
    assert (shape.on_failure, shape.timeout_seconds) == ("continue", 30)
    assert shape.retry == RetryPolicy(retries=2, max_delay=9)
    assert (end.trigger_rule, decide.trigger_rule) == ("none_failed", "all_success")
    assert small.concurrency_key == ""


def test_references_are_known_beforehand():
    found = {node.id: node.references for node in compiled(FULL).definition.nodes}
    assert found == {"fetch": (), "shape": ("fetch",), "decide": ("shape",), "big": (), "small": ("decide",), "end": ("big", "small")}


def test_every_upstream_step_may_be_read_not_only_the_direct_needs():
    source = steps(
        "{id: a, action: input}",
        "{id: b, action: input, needs: [a]}",
        "{id: c, action: transform, needs: [b], with: {value: '{{ a.output }}'}}",
    )
    assert compiled(source).definition.by_id["c"].references == ("a",)


@pytest.mark.parametrize("logic", ['{var: ""}', '{var: {cat: ["a", ".output"]}}', "{var: steps}"])
def test_a_condition_whose_reads_cannot_be_known_reads_all_upstream(logic):
    source = steps(
        "{id: a, action: input}",
        "{id: z, action: input}",
        "{id: b, action: input, needs: [a]}",
        f"{{id: c, action: transform, needs: [b], with: {{logic: {logic}}}}}",
    )
    assert compiled(source).definition.by_id["c"].references == ("a", "b")


def test_a_dynamic_step_name_reads_all_upstream():
    source = steps(
        "{id: a, action: input}",
        "{id: b, action: transform, needs: [a], with: {value: '{{ steps[params.x].output }}'}}",
        params="{properties: {x: {}}}",
    )
    assert compiled(source).definition.by_id["b"].references == ("a",)


def test_run_if_counts_as_reading():
    source = steps("{id: a, action: input}", "{id: b, action: input, needs: [a], run_if: {var: a.output.x}}")
    assert compiled(source).definition.by_id["b"].references == ("a",)


def test_references_are_part_of_the_digest_and_equal_texts_have_equal_digests():
    assert compiled(FULL).definition.digest == compiled(FULL.replace("timeout: 5", "timeout: 5.0")).definition.digest
    assert compiled(FULL).definition.digest != compiled(FULL.replace("timeout: 5", "timeout: 6")).definition.digest


def test_json_text_and_parsed_json_compile_to_the_same():
    body = {"name": "x", "steps": [{"id": "a", "action": "delay", "with": {"seconds": 1}}]}
    assert compiled(body) == compiled(json.dumps(body)) == compiled("name: x\nsteps:\n  - {id: a, action: delay, with: {seconds: 1}}")


@pytest.mark.parametrize(
    ("entry", "path", "message"),
    [
        ("{id: a, action: htp_call, with: {}}", "steps[0].action", "no action 'htp_call'; did you mean 'http_call'?"),
        ("{id: a, action: delay, with: {second: 1}}", "steps[0].with", "give exactly one of"),
        ("{id: a, action: http_call, with: {url: 'http://x/', methud: GET}}", "steps[0].with.methud", "did you mean 'method'?"),
        ("{id: a, action: http_call}", "steps[0].with.url", "'url' is missing"),
        ("{id: a, action: http_call, with: {method: GET}}", "steps[0].with.url", "'url' is missing"),
        ("{id: a, action: http_call, with: {url: 'ftp://x'}}", "steps[0].with.url", "must begin with http"),
        ("{id: a, action: input, with: {x: 1}}", "steps[0].with.x", "no keys are expected"),
        ("{id: a, action: input, timout: 3}", "steps[0].timout", "did you mean 'timeout'?"),
        ("{id: a, action: input, timeout: '3'}", "steps[0].timeout", "must be a valid number, not '3'"),
        ("{id: a, action: input, timeout: 0}", "steps[0].timeout", "greater than 0"),
        ("{id: a, action: input, retries: 101}", "steps[0].retries", "less than or equal to 100"),
        ("{id: a, action: input, retries: true}", "steps[0].retries", "must be a valid integer"),
        ("{id: a, action: input, retry: {on: [TIMEOUT]}}", "steps[0].retry.on", "not a kind of failure"),
        ("{id: a, action: input, retry: {one: [timeout]}}", "steps[0].retry.one", "did you mean 'on'?"),
        ("{id: a, action: input, priority: urgent}", "steps[0].priority", "'high', 'normal' or 'low'"),
        ("{id: a, action: input, trigger_rule: some}", "steps[0].trigger_rule", "'all_success'"),
        ("{id: a, action: input, on_failure: ignore}", "steps[0].on_failure", "'fail' or 'continue'"),
        ("{id: a, action: input, concurrency: {limit: 1}}", "steps[0].concurrency.key", "'key' is missing"),
        ("{id: a, action: input, concurrency: {key: '{{ x }}'}}", "steps[0].concurrency.key", "cannot hold an expression"),
        ("{id: a, action: input, needs: b}", "steps[0].needs", "must be a valid list"),
        ("{id: a, action: input, needs: [b]}", "steps[0].needs[0]", "which does not exist"),
        ("{id: 1, action: input}", "steps[0].id", "must be a valid string, not 1"),
        ("{action: input}", "steps[0].id", "'id' is missing"),
        ("{id: params, action: input}", "steps[0].id", "reserved"),
        ("{id: a}", "steps[0].action", "'action' is missing"),
        ("{id: a, action: input, run_if: {'=>': [1, 2]}}", "steps[0].run_if", "no operation '=>'"),
        ("{id: a, action: transform, with: {logic: {mapp: []}}}", "steps[0].with.logic", "did you mean 'map'?"),
        ("{id: a, action: branch, with: {cases: []}}", "steps[0].with.cases", "at least 1 item"),
        ("{id: a, action: branch, with: {cases: [{next: b}]}}", "steps[0].with.cases[0]", "either a 'condition' or 'else: true'"),
        ("{id: a, action: transform, with: {value: '{{ params.x'}}", "steps[0].with.value", "is not closed"),
        ("{id: a, action: transform, with: {value: ['{{ b.output }}']}}", "steps[0].with.value[0]", "no step 'b'"),
        ("{id: a, action: transform, with: {value: '{{ a.output }}'}}", "steps[0].with.value", "cannot read its own"),
        ("{id: a, action: transform, with: {value: '{{ item.x }}'}}", "steps[0].with.value", "no `item` here"),
        (
            "{id: a, action: transform, with: {value: '{{ params.dya }}'}}",
            "steps[0].with.value",
            "'dya' is not declared under params; did you mean 'day'?",
        ),
        ("{id: a, action: transform, with: {logic: {var: params.dya}}}", "steps[0].with.logic", "did you mean 'day'?"),
        ("just a text", "steps[0]", "must be a valid dictionary"),
    ],
)
def test_a_problem_names_the_node_the_field_and_the_line(entry, path, message):
    source = steps(entry, params="{properties: {day: {type: string}}}")
    problem = next(problem for problem in problems(source) if problem.path == path)
    assert message in problem.message
    assert problem.line == 4
    assert problem.column is not None
    if "id: a" in entry:
        assert problem.node == "a"


def test_a_step_that_is_not_upstream_cannot_be_read():
    source = steps("{id: a, action: input}", "{id: b, action: transform, with: {value: '{{ a.output }}'}}")
    assert "step 'a' is not upstream of 'b': add 'a' to its needs" in only(source).message


@pytest.mark.parametrize("text", ["{{ a.outputs }}", "{{ steps.a.result }}"])
def test_a_step_has_output_status_and_error_only(text):
    source = steps("{id: a, action: input}", f"{{id: b, action: transform, needs: [a], with: {{value: '{text}'}}}}")
    assert "of a step" in only(source).message


def test_all_problems_are_reported_together():
    source = steps(
        "{id: a, action: htp}",
        "{id: a, action: delay, with: {secs: 1}}",
        "{id: b, action: input, needs: [zz]}",
        params="{properties: {n: {type: integer, default: x}}}",
    )
    assert [problem.path for problem in problems(source)] == [
        "params.properties.n.default",
        "steps[1].id",
        "steps[2].needs[0]",
        "steps[0].action",
        "steps[1].with",
    ]


def test_all_bad_references_are_reported_together():
    source = steps("{id: a, action: transform, run_if: {var: zz.output}, with: {value: ['{{ x.output }}', '{{ y', '{{ params.q }}']}}")
    assert [problem.path for problem in problems(source)] == [
        f"steps[0].{path}" for path in ("with.value[0]", "with.value[1]", "with.value[2]", "run_if")
    ]


def test_a_cycle_is_shown_as_a_path():
    assert "a -> b -> a" in only(steps("{id: a, action: input, needs: [b]}", "{id: b, action: input, needs: [a]}")).message


def test_a_branch_target_must_need_the_branch():
    source = steps("{id: a, action: branch, with: {cases: [{else: true, next: b}]}}", "{id: b, action: input}")
    assert only(source).path == "steps[0].with.cases[0].next"


@pytest.mark.parametrize(
    ("params", "path", "message"),
    [
        ("{type: array}", "params.type", "must be 'object'"),
        ("{properties: {n: {type: numbr}}}", "params.properties.n.type", "not valid"),
        ("{$ref: 'http://169.254.169.254/'}", "params.$ref", "no references"),
        ("{$id: 'http://x/', properties: {}}", "params.$id", "no '$id'"),
        ("{properties: {n: {$ref: '#'}}}", "params.properties.n.$ref", "no references"),
        ("{properties: {d: {type: string, format: date, default: tomorrow}}}", "params.properties.d.default", "does not fit"),
        ("{properties: 3}", "params.properties", "not of type"),
    ],
)
def test_a_bad_parameter_schema_is_refused(params, path, message):
    problem = only(steps("{id: a, action: input}", params=params))
    assert problem.path == path
    assert message in problem.message


def test_an_open_schema_lets_any_parameter_be_read():
    source = steps("{id: a, action: transform, with: {value: '{{ params.anything }}'}}", params="{additionalProperties: true}")
    assert compiled(source).definition.nodes


def test_without_params_nothing_may_be_given():
    assert compiled("name: x\nsteps: [{id: a, action: input}]").params_schema == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("- 1", "a template is a mapping"),
        ("text", "a template is a mapping"),
        ("name: x", "'steps' is missing"),
        ("steps: []", "'name' is missing"),
        ("name: x\nsteps: []", "at least one"),
        ("name: x\nstep: []\nsteps: []", "no key 'step'; did you mean 'steps'?"),
        ("name: ''\nsteps: []", "at least 1 character"),
        ("name: x\ntags: ['']\nsteps: []", "1 to 50 characters"),
        ("name: x\ndefaults: {id: 3}\nsteps: []", "no key 'id'"),
    ],
)
def test_a_document_that_is_no_template_is_refused(source, message):
    assert message in str(problems(source)[0])


def test_the_registry_has_the_template_dialect():
    assert DIALECTS["template"] is template.compile


def test_reading_all_of_a_long_chain_everywhere_is_refused():
    chain = [{"id": "s0", "action": "input"}]
    chain += [{"id": f"s{i}", "action": "input", "needs": [f"s{i - 1}"], "run_if": {"var": ""}} for i in range(1, 1600)]
    assert "the limit is 1,000,000" in only({"name": "x", "steps": chain}).message


def test_two_thousand_steps_compile():
    fan = [{"id": f"s{i}", "action": "transform", "needs": ["first"], "with": {"value": "{{ first.output.x }}"}} for i in range(1998)]
    body = {
        "name": "x",
        "steps": [{"id": "first", "action": "input"}, *fan, {"id": "last", "action": "output", "needs": [step["id"] for step in fan]}],
    }
    assert len(compiled(json.dumps(body)).definition.by_id["last"].references) == 1998


keys = st.sampled_from(["id", "action", "needs", "with", "timeout", "retries", "retry", "run_if", "trigger_rule", "concurrency", "nmae"])
values = (
    st.sampled_from(["a", "b", "input", "transform", "branch", "{{ a.output }}", "{{ params"])
    | st.integers(-1, 3)
    | st.none()
    | st.booleans()
)
shapes = st.recursive(
    values,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "logic", "cases", "next", "var", "on"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(st.lists(st.dictionaries(keys, shapes, max_size=6), max_size=3))
def test_any_document_compiles_or_is_refused_with_messages(entries):
    try:
        compiled({"name": "x", "steps": entries})
    except DefinitionError as error:
        assert all(problem.message for problem in error.problems)
