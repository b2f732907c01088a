"""Tests of what every action shares: the registry, static checks, the context."""

from __future__ import annotations

import pytest

from tests.actions.contexts import a_context
from workflows_app import actions
from workflows_app.actions import UnknownAction, tasks
from workflows_app.actions.base import Action


def test_the_registry_knows_actions_aliases_and_custom_tasks():
    assert set(actions.known()) >= {
        "branch",
        "call_external_service",
        "delay",
        "http_call",
        "input",
        "output",
        "start",
        "task_a",
        "task_b",
        "task_c",
        "transform",
    }
    assert actions.find("start") is actions.find("input")
    assert actions.find("call_external_service").config is actions.find("http_call").config
    assert set(actions.shapes()) == set(actions.known())


def test_an_unknown_action_lists_the_known_ones_and_the_nearest():
    with pytest.raises(UnknownAction, match=r"no action 'http_cal'; did you mean 'http_call'\?; there are: .*branch, ") as caught:
        actions.find("http_cal")
    assert caught.value.name == "http_cal"


def test_an_action_must_implement_run():
    class Half(Action):
        name = "half"

    with pytest.raises(TypeError, match="run"):
        Half()


@pytest.mark.parametrize(
    ("action", "config", "expected"),
    [
        ("http_call", {"url": "{{ params.url }}", "timeout": "{{ params.t }}", "method": "{{ params.m }}"}, []),
        ("http_call", {"url": "http://x/{{ y }}", "headers": "{{ params.headers }}", "ok_statuses": ["{{ params.s }}"]}, []),
        ("http_call", {"urll": "{{ x }}"}, [("url", "'url' is missing"), ("urll", "there is no key 'urll'; did you mean 'url'?")]),
        ("http_call", {"url": "http://x/", "json": 1, "text": "a"}, [("", "give one of 'json' and 'text', not both")]),
        (
            "http_call",
            {"url": "http://x/", "headers": {"A": [1]}},
            [("headers.A", "must be a valid string or a valid integer or a valid number or a valid boolean, not [1]")],
        ),
        ("delay", {"seconds": "{{ params.s }}"}, []),
        ("delay", {"seconds": "soon"}, [("seconds", "must be a valid number, unable to parse string as a number, not 'soon'")]),
        (
            "branch",
            {"cases": [{"condition": 1, "nxt": "a", "next": "b"}]},
            [("cases[0].nxt", "there is no key 'nxt'; did you mean 'next'?")],
        ),
        ("branch", {"cases": [{"else": True, "next": 3}]}, [("cases[0].next", "must be a valid string or a valid list, not 3")]),
        ("input", {"x": 1}, [("x", "there is no key 'x'; no keys are expected here")]),
        ("task_a", {"anything": ["goes"]}, []),
    ],
)
def test_keys_are_always_checked_and_values_unless_they_are_templated(action, config, expected):
    assert actions.find(action).check(config) == expected


def test_secrets_may_be_used_where_something_leaves_the_house_and_in_custom_tasks():
    taking = {name for name, action in actions.shapes().items() if action.takes_secrets}
    assert taking & set(actions.ACTIONS) == {"http_call", "call_external_service", "llm_service", "send_notification"}
    assert taking > set(tasks.registered())


def test_conditions_are_found_where_they_are():
    cases = [{"condition": {"var": "a"}, "next": "b"}, {"else": True, "next": "c"}, "broken"]
    assert list(actions.find("branch").conditions({"cases": cases})) == [("cases[0].condition", {"var": "a"})]
    assert list(actions.find("branch").conditions({})) == []
    assert list(actions.find("transform").conditions({"logic": {"var": "a"}})) == [("logic", {"var": "a"})]
    assert list(actions.find("transform").conditions({"value": 1})) == []


def test_progress_stays_between_0_and_1():
    reported = []
    context = a_context(report_progress=reported.append)
    for fraction in (-1, 0.5, 7):
        context.progress(fraction)
    assert reported == [0.0, 0.5, 1.0]


def test_a_log_line_is_a_text_with_a_level():
    context = a_context()
    context.log({"a": 1})
    context.log("careful", level="WARNING")
    assert context.sink == [("INFO", "{'a': 1}"), ("WARNING", "careful")]
    assert not context.cancelled
