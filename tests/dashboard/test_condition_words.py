"""JSONLogic in words."""

from __future__ import annotations

import pytest

from workflows_app.dashboard.condition_words import why_not, words

REGION, SIZE = {"var": "params.region"}, {"var": ["input.size", 1]}


@pytest.mark.parametrize(
    ("logic", "said"),
    [
        ({"==": [REGION, "EU"]}, "region is EU"),
        ({"!==": [REGION, "EU"]}, "region is not EU"),
        ({">=": [SIZE, 10]}, "size is at least 10"),
        ({"<": [1, SIZE, 9]}, "size is between 1 and 9"),
        ({"in": [REGION, ["EU", "US"]]}, "region is one of EU, US"),
        ({"in": ["x", {"var": "params.tags"}]}, "tags contains x"),
        ({"!": REGION}, "region is not set"),
        ({"!!": REGION}, "region is set"),
        ({"!": {"==": [REGION, "EU"]}}, "region is not EU"),
        ({"and": [{"==": [REGION, "EU"]}, {">": [SIZE, 3]}]}, "region is EU and size is above 3"),
        ({"==": [{"var": "fetch.output.ok"}, True]}, "fetch.output.ok is true"),
        ({"==": [REGION, ""]}, 'region is ""'),
        ({"some": [REGION, {"var": ""}]}, '{"some": [{"var": "params.region"}, {"var": ""}]}'),
        (REGION, "region"),
        (True, "true"),
        ({"==": [REGION]}, '{"==": [{"var": "params.region"}]}'),
    ],
)
def test_what_a_condition_asks_for(logic, said):
    assert words(logic) == said


@pytest.mark.parametrize(
    ("logic", "said"),
    [
        ({"==": [REGION, "US"]}, "region is not US"),
        ({"!=": [REGION, "EU"]}, "region is EU"),
        ({">": [SIZE, 10]}, "size is at most 10"),
        ({"in": [REGION, ["US"]]}, "region is none of US"),
        ({"!": {"==": [REGION, "EU"]}}, "region is EU"),
        ({"!!": {"var": "params.note"}}, "note is not set"),
        ({"var": "params.note"}, "note is not set"),
        ({"and": [{"==": [REGION, "EU"]}, {">": [SIZE, 10]}]}, "size is at most 10"),
        ({"or": [{"==": [REGION, "US"]}, {">": [SIZE, 10]}]}, "region is not US and size is at most 10"),
        ({"<": [10, SIZE, 20]}, "not so: size is between 10 and 20"),
        (False, "not so: false"),
    ],
)
def test_why_it_does_not_hold(logic, said):
    params = {"region": "EU", "size": 5}
    assert why_not(logic, {"params": params, "input": params, "payload": params}) == said


def test_what_is_long_or_deep_is_cut():
    deep: object = REGION
    for _ in range(30):
        deep = {"!": [deep]}
    assert len(words({"==": [REGION, "x" * 500]})) == 120
    assert words({"and": [deep, deep]})
