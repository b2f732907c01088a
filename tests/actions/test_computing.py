"""Tests of the actions that only compute: input, output, transform, branch, delay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from tests.actions.contexts import a_context
from workflows_app import actions
from workflows_app.actions.base import Chosen, Fail, Wait
from workflows_app.graph.conditions import ConditionError


def run(name: str, config: dict | None = None, **context):
    action = actions.find(name)
    return action.run(action.config.model_validate(config or {}), a_context(**context))


def test_input_hands_on_the_parameters():
    assert run("input", params={"day": "today"}) == {"day": "today"}
    assert run("start", params={}) == {}


def test_output_collects_what_it_needs_by_step():
    assert run("output", outputs={"a": 1, "b": {"c": 2}}) == {"a": 1, "b": {"c": 2}}


@pytest.mark.parametrize("value", [None, 0, "x", {"a": [1]}])
def test_output_with_a_value_is_that_value(value):
    assert run("output", {"value": value}, outputs={"a": 1}) == value


def test_output_shows_the_beginning_of_a_long_result():
    context = a_context()
    action = actions.find("output")
    action.run(action.config(value="x" * 5000), context)
    assert len(context.sink.text) < 600


def test_transform_by_value_gives_the_rendered_value():
    assert run("transform", {"value": {"rows": 3}}) == {"rows": 3}
    assert run("transform", {"value": None}) is None


def test_transform_by_logic_computes_over_the_names():
    logic = {"map": [{"var": "fetch.output"}, {"*": [{"var": ""}, 2]}]}
    assert run("transform", {"logic": logic}, names={"fetch": {"output": [1, 2]}}) == [2, 4]


def test_transform_takes_exactly_one_of_value_and_logic():
    for config in ({}, {"value": 1, "logic": 2}):
        with pytest.raises(ValidationError, match="either 'value' or 'logic'"):
            run("transform", config)


def test_transform_passes_on_why_logic_cannot_be_computed():
    with pytest.raises(ConditionError, match="did you mean"):
        run("transform", {"logic": {"mapp": []}})


@pytest.mark.parametrize(("value", "words"), [({"a": 1}, "an object with a"), ([1, 2], "a list of 2"), ("x", "a text"), (3, "the value 3")])
def test_transform_says_what_it_made(value, words):
    context = a_context()
    action = actions.find("transform")
    action.run(action.config(value=value), context)
    assert words in context.sink.text


CASES = [
    {"label": "many", "condition": {">": [{"var": "shape.output.rows"}, 100]}, "next": "big"},
    {"label": "some", "condition": {">": [{"var": "shape.output.rows"}, 10]}, "next": ["middle", "also"]},
    {"else": True, "next": "small"},
]


@pytest.mark.parametrize(
    ("rows", "label", "following"), [(500, "many", ("big",)), (50, "some", ("middle", "also")), (5, "else", ("small",))]
)
def test_the_first_case_that_holds_is_taken(rows, label, following):
    chosen = run("branch", {"cases": CASES}, names={"shape": {"output": {"rows": rows}}})
    assert chosen == Chosen(
        output={"case": label, "next": list(following)}, case=label, next=following, targets=("big", "middle", "also", "small")
    )


def test_a_branch_without_a_case_that_holds_fails():
    with pytest.raises(Fail, match="No case holds and there is no 'else'"):
        run("branch", {"cases": CASES[:2]}, names={"shape": {"output": {"rows": 1}}})


def test_a_case_without_a_label_has_a_number():
    assert run("branch", {"cases": [{"condition": False, "next": "a"}, {"condition": True, "next": "b"}]}).case == "case 2"


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([], "at least 1 item"),
        ([{"next": "a"}], "either a 'condition' or 'else: true'"),
        ([{"condition": 1, "else": True, "next": "a"}], "either a 'condition' or 'else: true'"),
        ([{"else": False, "next": "a"}], "either a 'condition' or 'else: true'"),
        ([{"else": True, "next": "a"}, {"condition": 1, "next": "b"}], "must be the only one and the last"),
        ([{"condition": 1}], "Field required"),
    ],
)
def test_broken_cases_are_refused(cases, message):
    with pytest.raises(ValidationError, match=message):
        run("branch", {"cases": cases})


@pytest.mark.parametrize(("config", "seconds"), [({"seconds": 2}, 2), ({"ms": 1500}, 1.5), ({"seconds": "0.5"}, 0.5)])
def test_a_delay_first_asks_to_be_woken(config, seconds):
    wait = run("delay", config)
    assert isinstance(wait, Wait)
    assert wait.seconds == seconds
    assert wait.state == {"seconds": seconds}


def test_a_delay_that_is_woken_says_how_long_it_waited():
    assert run("delay", {"seconds": 2}, resume={"seconds": 2}) == {"waited_seconds": 2}


def test_a_delay_of_nothing_does_not_wait():
    assert run("delay", {"seconds": 0}) == {"waited_seconds": 0}


def test_a_delay_until_a_time_waits_for_the_rest():
    wait = run("delay", {"until": (datetime.now(UTC) + timedelta(hours=1)).isoformat()})
    assert 3590 < wait.seconds <= 3600
    assert run("delay", {"until": "2020-01-01T00:00:00+02:00"}) == {"waited_seconds": 0}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"seconds": 1, "ms": 1},
        {"seconds": -0.1},
        {"seconds": 366 * 86400 + 1},
        {"ms": -1},
        {"seconds": "soon"},
        {"seconds": float("nan")},
        {"until": "2030-01-01"},
        {"secs": 1},
    ],
)
def test_a_delay_below_0_above_a_year_or_unclear_is_refused(config):
    with pytest.raises(ValidationError):
        run("delay", config)


def test_a_delay_until_a_time_more_than_a_year_away_fails():
    with pytest.raises(Fail, match="more than a year away"):
        run("delay", {"until": (datetime.now(UTC) + timedelta(days=400)).isoformat()})


def test_a_delay_of_null_fails_with_the_reason():
    with pytest.raises(Fail, match="is null"):
        run("delay", {"seconds": None})
