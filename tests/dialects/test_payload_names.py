"""Tests that rewritten JSONLogic over a workflow's names gives what the author's gives over the payload."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows_app.dialects.payload_names import rewrite
from workflows_app.graph.conditions import ConditionError, evaluate

PAYLOAD = {
    "lead": {"title": "CEO", "score": 90},
    "rows": [{"price": 3, "tags": ["a"]}, {"price": 30, "tags": []}],
    "which": "lead.title",
    "names": ["lead", "nobody"],
    "0": "zero",
    "empty": "",
    "payloads": 1,
}
NAMES = {"payload": PAYLOAD, "params": {"p": 1}, "steps": {"call": {"output": 7}}, "call": {"output": 7}}


def stays(name: str) -> bool:
    return name in {"call.output", "call.status"} or name.startswith("call.output.")


@pytest.mark.parametrize(
    ("written", "rewritten"),
    [
        ({"var": "lead.title"}, {"var": "payload.lead.title"}),
        ({"var": ["lead.title"]}, {"var": "payload.lead.title"}),
        ({"var": ["lead.title", "none"]}, {"var": ["payload.lead.title", "none"]}),
        ({"var": ["a", {"var": "b"}]}, {"var": ["payload.a", {"var": "payload.b"}]}),
        ({"var": ""}, {"var": "payload"}),
        ({"var": []}, {"var": "payload"}),
        ({"var": None}, {"var": "payload"}),
        ({"var": [""]}, {"var": "payload"}),
        ({"var": [None, 3]}, {"var": ["payload", 3]}),
        ({"var": 1}, {"var": "payload.1"}),
        ({"var": {"var": "which"}}, {"var": {"cat": ["payload.", {"var": "payload.which"}]}}),
        ({"var": "payload"}, {"var": "payload"}),
        ({"var": "payload.lead"}, {"var": "payload.lead"}),
        ({"var": "payloads"}, {"var": "payload.payloads"}),
        ({"var": "params.p"}, {"var": "params.p"}),
        ({"var": "steps.call.output"}, {"var": "steps.call.output"}),
        ({"var": "call.output"}, {"var": "call.output"}),
        ({"var": "call"}, {"var": "payload.call"}),
        ({"var": "call.name"}, {"var": "payload.call.name"}),
        ({"var": "workflow.id"}, {"var": "payload.workflow.id"}),
        ({"filter": [{"var": "rows"}, {">": [{"var": "price"}, 5]}]}, {"filter": [{"var": "payload.rows"}, {">": [{"var": "price"}, 5]}]}),
        (
            {"map": [{"filter": [{"var": "rows"}, {"var": "a"}]}, {"var": "b"}]},
            {"map": [{"filter": [{"var": "payload.rows"}, {"var": "a"}]}, {"var": "b"}]},
        ),
        (
            {"reduce": [{"var": "rows"}, {"+": [{"var": "current.price"}, {"var": "accumulator"}]}, 0]},
            {"reduce": [{"var": "payload.rows"}, {"+": [{"var": "current.price"}, {"var": "accumulator"}]}, 0]},
        ),
        ({"all": [{"var": "rows"}, {"var": "x"}]}, {"all": [{"var": "payload.rows"}, {"var": "x"}]}),
        ({"some": [{"var": "rows"}, {"var": "x"}]}, {"some": [{"var": "payload.rows"}, {"var": "x"}]}),
        ({"none": [{"var": "rows"}, {"missing": "x"}]}, {"none": [{"var": "payload.rows"}, {"missing": "x"}]}),
        ({"!": {"var": "a"}}, {"!": [{"var": "payload.a"}]}),
        ([{"var": "a"}, 1], [{"var": "payload.a"}, 1]),
        ({"a": 1, "var": "b"}, {"a": 1, "var": "b"}),
        ("lead", "lead"),
        (None, None),
        ({"missing": ["call.output", "params.p"]}, {"missing": [["call.output", "params.p"]]}),
    ],
)
def test_names_are_looked_up_under_payload(written, rewritten):
    """CONTRACT.md section 5: `{"var": "field"}` in JSONLogic is a field of the event."""
    assert rewrite(written, stays) == rewritten


@pytest.mark.parametrize(
    ("logic", "expected"),
    [
        ({"missing": ["lead", "nobody", "lead.age"]}, ["nobody", "lead.age"]),
        ({"missing": "nobody"}, ["nobody"]),
        ({"missing": [["nobody", "lead"]]}, ["nobody"]),
        ({"missing": []}, []),
        ({"missing": [0, 1]}, ["1"]),
        ({"missing": ["empty"]}, ["empty"]),
        ({"missing": {"var": "names"}}, ["nobody"]),
        ({"missing": {"merge": ["ghost", {"if": [{"var": "lead"}, ["lead", "nobody"], []]}]}}, ["ghost", "nobody"]),
        ({"missing": ["ghost", {"var": "which"}]}, ["ghost"]),
        ({"missing": ["call.status", "ghost", "call.output", "params.q", "payload.lead", "payload.x"]}, None),
        ({"missing_some": [1, ["lead", "nobody"]]}, []),
        ({"missing_some": [2, ["lead", "nobody", "ghost"]]}, ["nobody", "ghost"]),
        ({"missing_some": [{"var": "lead.score"}, ["lead", "nobody"]]}, ["nobody"]),
        ({"missing_some": [2, {"var": "names"}]}, ["nobody"]),
        ({"if": [{"in": ["nobody", {"missing": ["nobody"]}]}, "gone", "there"]}, "gone"),
    ],
)
def test_what_is_missing_is_named_as_it_was_asked_for(logic, expected):
    expected = ["call.status", "ghost", "params.q", "payload.x"] if expected is None else expected
    assert evaluate(rewrite(logic, stays), NAMES) == expected


@pytest.mark.parametrize(
    ("logic", "expected"),
    [
        ({"var": {"var": "which"}}, "CEO"),
        ({"var": [{"var": "which"}, "x"]}, "CEO"),
        ({"var": ["ghost", {"var": "lead.title"}]}, "CEO"),
        ({"var": 0}, "zero"),
        ({"var": "rows.1.price"}, 30),
        ({"map": [{"var": "rows"}, {"var": "lead.score"}]}, [None, None]),
        ({"map": [{"var": "rows"}, {"missing": ["price", "size"]}]}, [["size"], ["size"]]),
        ({"reduce": [{"var": "rows"}, {"+": [{"var": "current.price"}, {"var": "accumulator"}]}, 0]}, 33),
        ({"+": [{"var": "call.output"}, {"var": "lead.score"}]}, 97),
        ({"merge": {"var": "names"}}, ["lead", "nobody"]),
    ],
)
def test_the_result_is_that_of_the_payload(logic, expected):
    assert evaluate(rewrite(logic, stays), NAMES) == expected


fields = st.sampled_from(["lead", "lead.title", "lead.score", "rows", "rows.0.price", "names", "nobody", "which", "empty", "0", "", "call"])
leaves = fields | st.integers(-2, 3) | st.booleans() | st.none()


def rules(inner):
    operation = st.sampled_from(["==", "!=", "if", "and", "or", "!", "in", "cat", "merge", "+", ">", "max", "substr"])
    return (
        st.builds(lambda name: {"var": name}, fields)
        | st.builds(lambda name, default: {"var": [name, default]}, fields, inner)
        | st.builds(lambda names: {"missing": names}, st.lists(fields.filter(bool), max_size=3) | fields.filter(bool))
        | st.builds(lambda n, names: {"missing_some": [n, names]}, st.integers(0, 3), st.lists(fields.filter(bool), max_size=3))
        | st.builds(lambda loop, over, body: {loop: [over, body]}, st.sampled_from(["map", "filter", "all", "some", "none"]), inner, inner)
        | st.builds(lambda over, body: {"reduce": [over, body, 0]}, inner, inner)
        | st.builds(lambda name, parts: {name: parts}, operation, st.lists(inner, min_size=1, max_size=3))
        | st.lists(inner, max_size=3)
    )


def outcome(logic, data):
    try:
        return evaluate(logic, data)
    except ConditionError:
        return "refused"


@settings(max_examples=500, deadline=None)
@given(st.recursive(leaves, rules, max_leaves=12))
def test_any_logic_gives_over_the_names_what_it_gives_over_the_payload(logic):
    """Where it reads nothing but the payload (`call` alone is a field of it)."""
    assert outcome(rewrite(logic, stays), NAMES) == outcome(logic, PAYLOAD)
