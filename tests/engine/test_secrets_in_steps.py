"""Secrets reach the steps that name them, and nothing that is kept of those steps."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from django.db import connection

from tests.engine import tasks
from tests.engine.stage import Stage, log_of, node, statuses, step
from tests.factories import NOW
from workflows_app.actions.base import Chosen, Noted, Notice, Wait
from workflows_app.engine.redaction import MARK, NOTHING, of
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Secret, Workflow

CANARY = 'canary-"7e1f"-\\-ü'


@pytest.fixture
def canary(transactional_db: None) -> str:
    Secret.objects.create(name="key", value=CANARY, created_at=NOW, updated_at=NOW)
    return CANARY


def using(action: str = "echo", value: Any = "{{ secrets.key }}", **config: Any) -> Node:
    return node("use", action, config={"value": value, **config}, secrets=("key",))


def dump() -> str:
    """Every value in the database, as it is written there."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {table}")
            found += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(found)


def assert_hidden(text: str) -> None:
    for spelling in (CANARY, json.dumps(CANARY)[1:-1], json.dumps(CANARY, ensure_ascii=False)[1:-1]):
        assert spelling not in text


def test_a_step_gets_the_value(stage: Stage, canary: str) -> None:
    seen: list[Any] = []
    tasks.behaviours["tell"] = lambda params, context: seen.append(params["value"])
    stage.run(node("use", "behave", config={"as": "tell", "value": "Bearer {{ secrets.key }}"}, secrets=("key",)))
    assert seen == [f"Bearer {canary}"]


def test_outputs_hide_it(stage: Stage, canary: str) -> None:
    workflow = stage.run(using(value={"a": ["{{ secrets.key }}"], "b": "x {{ secrets.key }} y"}))
    assert step(workflow, "use").output == {"a": [MARK], "b": f"x {MARK} y"}
    assert_hidden(dump())


@pytest.mark.parametrize("how", ["say", "raise", "fail", "key", "json"])
def test_logs_errors_and_tracebacks_hide_it(stage: Stage, canary: str, how: str) -> None:
    def act(params: dict[str, Any], context: Any) -> Any:
        if how == "say":
            context.log(f"the key is {params['value']}")
        if how == "raise":
            raise RuntimeError(f"refused: {params['value']}")
        if how == "key":
            raise KeyError(params["value"])
        if how == "fail":
            raise ValueError(json.dumps(params))
        return json.dumps({"sent": params["value"]})

    tasks.behaviours["act"] = act
    workflow = stage.run(node("use", "behave", config={"as": "act", "value": "{{ secrets.key }}"}, secrets=("key",)))
    assert workflow.status == (Status.COMPLETED if how in ("say", "json") else Status.FAILED)
    assert_hidden(dump())
    assert MARK in log_of(workflow, "use") + str(step(workflow, "use").output)


def test_a_secret_that_is_not_stored_fails_the_step_by_its_name(stage: Stage) -> None:
    workflow = stage.run(using())
    assert workflow.status == Status.FAILED
    assert "the secret `key` is not stored" in step(workflow, "use").error


def test_a_changed_secret_is_used_at_the_next_attempt(stage: Stage, canary: str) -> None:
    seen: list[Any] = []
    tasks.behaviours["tell"] = lambda params, context: seen.append(params["value"])
    tell = node("use", "behave", config={"as": "tell", "value": "{{ secrets.key }}"}, secrets=("key",))
    stage.run(tell)
    Secret.objects.get().delete()
    Secret.objects.create(name="key", value="another", created_at=NOW, updated_at=NOW)
    stage.run(tell)
    assert seen == [canary, "another"]


def test_the_value_is_encrypted_in_the_database(canary: str) -> None:
    assert_hidden(dump())
    assert Secret.objects.get().value == canary


def test_redaction_covers_whatever_an_action_may_return() -> None:
    hide = of(["s3cret"]).value
    assert hide(Wait(1, {"a": "s3cret"}, "for s3cret")) == Wait(1, {"a": MARK}, f"for {MARK}")
    assert hide(Chosen({"k": "s3cret"}, "s3cret", ("a",), ("a",))) == Chosen({"k": MARK}, MARK, ("a",), ("a",))
    assert hide(Noted("s3cret", [Notice("s3cret", "x")])) == Noted(MARK, [Notice(MARK, "x")])
    assert hide({"s3cret": 1, "n": None, "t": ("s3cret", 2.5, True)}) == {MARK: 1, "n": None, "t": (MARK, 2.5, True)}


def test_the_longest_is_hidden_first_and_tiny_ones_not_at_all() -> None:
    assert of(["abc", "abcdef"]).text("abcdef abc") == f"{MARK} {MARK}"
    assert of(["a", ""]).text("a banana") == "a banana"


def test_without_secrets_nothing_is_looked_at() -> None:
    value = {"a": [1, 2, 3]}
    assert of([]) is NOTHING and NOTHING.value(value) is value


def test_a_workflow_that_names_none_loads_none(stage: Stage, canary: str, django_assert_num_queries: Any) -> None:
    stage.run(node("plain"))
    assert Workflow.objects.get().status == Status.COMPLETED


@pytest.mark.parametrize("logic", [{"var": "secrets.key"}, {"var": {"cat": ["secrets.", "key"]}}, {"missing": ["secrets.key"]}])
def test_a_condition_cannot_ask_about_a_secret(stage: Stage, canary: str, logic: Any) -> None:
    """Not even one whose name is put together when it runs: a yes or no at a time would tell it all."""
    workflow = stage.run(replace(using(), run_if={"!!": [logic]}))
    assert statuses(workflow) == {"use": "COMPLETED" if "missing" in logic else "SKIPPED"}


AWKWARD = 'ab+c/d== "ü\\x'


@pytest.mark.parametrize(
    "spelled",
    [quote(AWKWARD), quote(AWKWARD, safe=""), quote_plus(AWKWARD), quote(AWKWARD, safe="").lower(), quote(AWKWARD, safe='/+="')],
)
def test_it_is_hidden_as_it_stands_in_a_url(spelled: str) -> None:
    """A log line that shows an address, and a server that says it back."""
    hide = of([AWKWARD, "plain", "another one"]).text
    assert hide(f"GET /x?key={spelled}&n=1%202") == f"GET /x?key={MARK}&n=1%202"
    assert hide("another%20one, an+other%20one") == f"{MARK}, an+other%20one"


def test_of_a_secret_of_several_lines_none_is_shown(stage: Stage) -> None:
    """An error is cut to its first line."""
    Secret.objects.create(name="key", value="BEGIN 4711\nMIIE\nEND", created_at=NOW, updated_at=NOW)

    def refuse(params: dict[str, Any], context: Any) -> None:
        raise RuntimeError(f"no key: {params['value']}")

    tasks.behaviours["refuse"] = refuse
    workflow = stage.run(node("use", "behave", config={"as": "refuse", "value": "{{ secrets.key }}"}, secrets=("key",)))
    assert step(workflow, "use").error == f"RuntimeError: no key: {MARK}" and "4711" not in dump()


LONG = "sk-live-" + "4f7a1c" * 40
PEM = "-----BEGIN KEY-----\nMIIE4711\n-----END KEY-----\n"


@pytest.mark.parametrize(
    ("action", "config"),
    [
        ("http_call", {"url": "{{ secrets.key }}"}),
        ("http_call", {"url": "http://192.0.2.1/", "timeout": "{{ secrets.key }}"}),
        ("http_call", {"url": "http://192.0.2.1/", "method": "{{ secrets.key }}"}),
        ("llm_service", {"prompt": "Hi", "temperature": "{{ secrets.key }}"}),
        ("llm_service", {"prompt": "Hi", "base_url": "{{ secrets.key }}"}),
        ("send_notification", {"message": "x", "level": "{{ secrets.key }}"}),
        ("send_notification", {"message": "x", "title": "{{ secrets.key }}"}),
        ("send_notification", {"message": "x", "channels": ["email"], "email": "{{ secrets.key }}"}),
        ("send_notification", {"message": "x", "channels": ["slack"], "url": "{{ secrets.key }}"}),
    ],
)
def test_a_message_that_is_cut_in_the_middle_of_a_secret_shows_no_part_of_it(stage: Stage, action: str, config: dict[str, Any]) -> None:
    """A misplaced secret is refused with the first characters of what was there."""
    Secret.objects.create(name="key", value=LONG, created_at=NOW, updated_at=NOW)
    workflow = stage.run(node("use", action, config=config, secrets=("key",)))
    assert workflow.status == Status.FAILED
    assert LONG[:12].lower() not in dump().lower()


def test_a_heading_on_one_line_hides_a_secret_of_several(stage: Stage) -> None:
    Secret.objects.create(name="key", value=PEM, created_at=NOW, updated_at=NOW)
    workflow = stage.run(node("use", "send_notification", config={"message": "x", "title": "See {{ secrets.key }}"}, secrets=("key",)))
    assert step(workflow, "use").output["title"] == f"See {MARK}" and "4711" not in dump()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no number, not 'sk-live-4f7a...", f"no number, not '{MARK}..."),
        ("'sk-live-4f7a' is no url", f"'{MARK}' is no url"),
        (f"401: {LONG[:200]}…. Try again", f"401: {MARK}…. Try again"),
        (f"{LONG} and {LONG[:30]}", f"{MARK} and {MARK}"),
        (f"twice {LONG[:9]}…{LONG[:40]}…", f"twice {MARK}…{MARK}…"),
        ("sk-live-keys are long, sk-live… is short", "sk-live-keys are long, sk-live… is short"),
    ],
)
def test_a_beginning_is_hidden_where_a_text_was_cut_and_is_a_word_elsewhere(said: str, shown: str) -> None:
    assert of([LONG]).message(said) == shown


def test_outputs_keep_words_that_a_secret_begins_with() -> None:
    assert of(["password-4711"]).value({"kind": "password"}) == {"kind": "password"}


def test_it_is_hidden_in_the_letters_of_a_host() -> None:
    assert of(["Hooks.Example/AbC"]).text("GET hooks.example/abc HOOKS.EXAMPLE/ABC") == f"GET {MARK} {MARK}"
