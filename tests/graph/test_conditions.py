"""Tests of JSONLogic: the public suite, the limits, what a condition reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.graph import conditions
from workflows_app.graph.conditions import ConditionError, evaluate, holds, references

SUITE = [case for case in json.loads((Path(__file__).parent / "data" / "jsonlogic_suite.json").read_text()) if isinstance(case, list)]

# JavaScript reads an empty text as the number 0; the library reads it as no number. And a start value of `reduce` is no rule here.
DEVIATIONS = [
    {"==": ["", 0]},
    {"==": [" ", 0]},
    {"==": ["  ", 0]},
    {"==": ["  ", False]},
    {"==": [0, ""]},
    {"<": ["", 1]},
    {"reduce": [{"var": "integers"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, {"var": "start_with"}]},
]
ROWS = {"rows": list(range(60))}


@pytest.mark.parametrize("case", [case for case in SUITE if case[0] not in DEVIATIONS], ids=lambda case: json.dumps(case[0])[:60])
def test_the_public_suite_passes(case):
    logic, data, expected = case
    assert evaluate(logic, data) == expected


def test_the_deviations_are_those_we_know_and_no_more():
    def agrees(logic, data, expected):
        try:
            return evaluate(logic, data) == expected
        except ConditionError:
            return False

    assert [case[0] for case in SUITE if not agrees(*case)] == DEVIATIONS


@pytest.mark.parametrize(("value", "expected"), [([], False), ("", False), (0, False), (None, False), ({}, True), ("0", True), ([0], True)])
def test_a_condition_holds_by_the_truth_of_jsonlogic(value, expected):
    assert holds({"var": "x"}, {"x": value}) is expected


def nested(depth: int):
    logic: object = 1
    for _ in range(depth):
        logic = {"!": [logic]}
    return logic


def test_depth_and_number_of_operations_are_limited():
    assert evaluate(nested(30), {}) is True
    with pytest.raises(ConditionError, match="deeper than 32"):
        evaluate(nested(40), {})
    assert evaluate({"+": [{"+": [1]}] * 900}, {}) == 900
    with pytest.raises(ConditionError, match="more than 1,000 operations"):
        evaluate({"+": [{"+": [1]}] * 1001}, {})


@pytest.mark.parametrize(
    "logic",
    [
        {"map": [{"var": "rows"}, {"map": [ROWS["rows"], {"map": [ROWS["rows"], {"map": [ROWS["rows"], 1]}]}]}]},
        {"reduce": [{"var": "rows"}, {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}, "xxxx"]},
        {"reduce": [{"var": "rows"}, {"merge": [{"var": "accumulator"}, {"var": "accumulator"}]}, [1]]},
        {"reduce": [{"var": "rows"}, [{"var": "accumulator"}, {"var": "accumulator"}], 1]},
        {"reduce": [{"var": "rows"}, {"*": [{"var": "accumulator"}, {"var": "accumulator"}]}, 3]},
        {"==": [[[{"var": "wide"}] * 300], "x"]},
        {"cat": [{"var": "wide"}] * 300},
        [{"var": "wide"}] * 300,
    ],
)
def test_a_small_condition_cannot_make_much_of_little(logic):
    with pytest.raises(ConditionError):
        evaluate(logic, {**ROWS, "wide": ["x" * 1000] * 100})


@pytest.mark.parametrize("logic", [{"+": ["x"]}, [{"+": ["x"]}], {"map": [[1], {"+": ["x"]}]}, {"merge": [[1, [{"*": ["x", 2]}]]]}])
def test_what_is_not_a_number_is_found_wherever_it_stands(logic):
    with pytest.raises(ConditionError, match="gives nan, which JSON cannot hold"):
        evaluate(logic, {})


def test_numbers_stay_numbers_of_a_computer():
    assert evaluate({"*": [{"var": "n"}, {"var": "n"}]}, {"n": 2**62}) == float(2**124)


@pytest.mark.parametrize(
    ("logic", "message"),
    [
        ({"mapp": [1]}, "no operation 'mapp'; did you mean 'map'?"),
        ({"method": [1]}, "no operation 'method'"),
        ({"/": [1, 0]}, "cannot be computed"),
        ({"+": ["x", 1]}, "not a number"),
        ({"reduce": [[1], 1, {"var": "x"}]}, "must be a plain value"),
        ({"\0tick": [5, 1]}, "no operation"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_the_reason(logic, message):
    with pytest.raises(ConditionError) as caught:
        evaluate(logic, {})
    assert message in str(caught.value)


def test_log_prints_nothing(capsys):
    assert evaluate({"log": "secret"}, {}) == "secret"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("logic", "expected"),
    [
        ({"==": [{"var": "params.region"}, "EU"]}, {"params.region"}),
        ({">": [{"var": ["shape.output.rows", 0]}, 100]}, {"shape"}),
        ({"var": "steps.a-b.output"}, {"a-b"}),
        ({"if": [{"var": "a.output"}, {"var": "b.output"}, 3]}, {"a", "b"}),
        ({"map": [{"var": "a.output"}, {"var": "name"}]}, {"a"}),
        ({"reduce": [{"var": "a.output"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]}, {"a"}),
        ({"missing": ["params.a", "b.output"]}, {"params.a", "b"}),
        ({"missing": [["params.a"]]}, {"params.a"}),
        ({"missing_some": [1, ["params.a", "c.output"]]}, {"params.a", "c"}),
        ([{"var": "a.output"}, {"x": 1, "var": "not a rule"}], {"a"}),
        ({"var": ["a.output", {"var": "b.output"}]}, {"a", "b"}),
        (17, set()),
    ],
)
def test_references_are_found_without_evaluating(logic, expected):
    assert references(logic) == expected


@pytest.mark.parametrize(
    "logic", [{"var": ""}, {"var": {"cat": ["a", "b"]}}, {"var": []}, {"missing": {"merge": [["a"]]}}, {"var": 1}, {"!": [{"var": None}]}]
)
def test_references_that_only_evaluation_can_tell_are_unknown(logic):
    assert references(logic) is None


rules = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just({"var": "x"}) | st.just({"var": ""}),
    lambda inner: st.builds(lambda name, args: {name: args}, st.sampled_from(sorted(conditions.OPERATIONS)), st.lists(inner, max_size=4)),
    max_leaves=25,
)


@given(rules, st.lists(st.integers() | st.text(max_size=3), max_size=4))
def test_any_rule_gives_json_or_a_condition_error(rule, data):
    try:
        json.dumps(evaluate(rule, {"x": data}), allow_nan=True)
    except ConditionError as error:
        assert str(error)


@given(rules)
def test_what_a_rule_does_not_refer_to_does_not_change_it(rule):
    if "x" in (references(rule) or {"x"}):
        return

    def value(data):
        try:
            return repr(evaluate(rule, data))
        except ConditionError as error:
            return str(error)

    assert value({"x": 1}) == value({"x": [2, 3]})


def test_the_work_may_be_limited_further():
    long = {"some": [{"var": "rows"}, {"==": [{"var": ""}, -1]}]}
    assert holds(long, {"rows": [0] * 500 + [-1]}) and holds(long, {"rows": [0, -1]}, work=100)
    with pytest.raises(ConditionError, match="too much work"):
        holds(long, {"rows": [0] * 500}, work=100)


def test_many_conditions_share_the_work_of_one_and_each_has_some():
    assert conditions.share(0) == conditions.share(1) == conditions.MAX_WORK
    assert conditions.share(40) == 25_000
    assert conditions.share(10_000) == conditions.LEAST_WORK
