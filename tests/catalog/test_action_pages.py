"""Tests of docs/actions: the tables are as the code says, and every example does what is said beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.engine.stage import Stage, step
from tests.factories import a_user
from workflows_app.actions import ACTIONS, documentation
from workflows_app.catalog import bundled
from workflows_app.catalog.approvals import decide
from workflows_app.catalog.events import receive
from workflows_app.catalog.start import start_inline
from workflows_app.management.commands import document_actions
from workflows_app.models import Notification, Workflow

DIRECTORY = Path(__file__).parents[2] / "docs" / "actions"
NAMES = sorted(documentation.pages())


def page(name: str) -> str:
    return (DIRECTORY / f"{name}.md").read_text()


def example(name: str) -> str:
    (found,) = re.findall(r"```yaml\n(.*?)```", page(name), re.DOTALL)
    return str(found)


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return Stage()


def begin(stage: Stage, name: str, **params: Any) -> Workflow:
    workflow = start_inline(name="", definition=example(name), params=params, now=stage.now)
    stage.drain()
    return workflow


def play(stage: Stage, name: str, **params: Any) -> Workflow:
    return stage.play(begin(stage, name, **params))


def test_every_action_has_a_page_and_every_page_an_action():
    assert sorted(path.stem for path in DIRECTORY.glob("*.md")) == sorted([*NAMES, "README"])
    assert {action.name for action in ACTIONS.values()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_the_page_is_as_the_code_says(name):
    """It was not written anew after a change of the code: `make docs` does that."""
    assert documentation.filled(page(name), documentation.pages()[name]) == page(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_list_of_actions_leads_to_the_page(name):
    assert f"({name}.md)" in page("README")


def test_every_name_of_an_action_is_on_the_list():
    assert [name for name in ACTIONS if not re.search(rf"[\[`]{name}[\]`]", page("README"))] == []


def test_every_key_of_a_configuration_is_described():
    for action in documentation.pages().values():
        models = [action.config.model_json_schema(), *action.config.model_json_schema().get("$defs", {}).values()]
        for model in models:
            assert [key for key, field in model.get("properties", {}).items() if not field.get("description")] == [], action.name


def test_the_command_writes_what_the_code_says(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(document_actions, "DIRECTORY", tmp_path)
    for name in NAMES:
        (tmp_path / f"{name}.md").write_text(page(name).replace("| `url` | text", "| `uri` | text"))
    call_command("document_actions")
    assert capsys.readouterr().out == "Written: call_external_service, http_call, send_notification\n"
    assert [(tmp_path / f"{name}.md").read_text() for name in NAMES] == [page(name) for name in NAMES]
    call_command("document_actions")
    assert capsys.readouterr().out == "All pages are as the code says\n"


@pytest.mark.parametrize("text", [None, "# no marks", documentation.BEGIN], ids=["no page", "no marks", "no end"])
def test_the_command_says_which_page_is_missing_or_has_no_place(text, tmp_path, monkeypatch):
    monkeypatch.setattr(document_actions, "DIRECTORY", tmp_path)
    for name in NAMES:
        (tmp_path / f"{name}.md").write_text(page(name))
    (tmp_path / "delay.md").unlink()
    if text is not None:
        (tmp_path / "delay.md").write_text(text)
    with pytest.raises(document_actions.CommandError, match=r"delay\.md"):
        call_command("document_actions")


@pytest.mark.parametrize(
    ("name", "id", "output"),
    [
        ("input", "given", {"who": "world"}),
        ("input", "greet", "Hello, world!"),
        ("output", "done", {"sum": 5}),
        ("transform", "report", {"count": 2, "first": 20}),
        ("branch", "who", {"case": "chief", "next": ["gift"]}),
        ("branch", "done", "Send a gift"),
        ("delay", "pause", {"waited_seconds": 0.2}),
        ("map", "done", "1. Hello, Ann! 2. Hello, Bob! 3. Hello, Cem!"),
        ("sub_workflow", "done", "COMPLETED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_example_gives_what_the_page_says(stage, name, id, output):
    bundled.load(now=stage.now)
    workflow = play(stage, name)
    assert (workflow.status, workflow.error) == ("COMPLETED", "")
    assert step(workflow, id).output == output


@pytest.mark.parametrize(("name", "output"), [("http_call", 12), ("call_external_service", 2)])
def test_the_example_that_calls_the_demo_service_runs(stage, live_server, settings, name, output):
    settings.ENV = settings.ENV.model_copy(update={"host": live_server.thread.host, "port": live_server.thread.port})
    assert step(play(stage, name), "done").output == output


def test_the_example_of_a_language_model_runs_offline(stage):
    workflow = play(stage, "llm_service")
    usage = step(workflow, "ask").output["usage"]
    assert step(workflow, "done").output.startswith("demo said: In short: ")
    assert f'"usage": {{"prompt_tokens": {usage["prompt_tokens"]}, "completion_tokens": {usage["completion_tokens"]}, ' in page(
        "llm_service"
    )


def test_the_example_of_a_notification_is_kept_for_its_role(stage):
    play(stage, "send_notification")
    note = Notification.objects.get()
    assert (note.role, note.title, note.message, note.level) == ("AE", "New hot lead", "Aster Books wants a call", "success")


def test_the_example_of_an_approval_goes_on_when_somebody_decides(stage):
    workflow = begin(stage, "approval")
    decide(uid=workflow.uid, step_id="ask", approved=True, data={"account": "main"}, by=a_user("ann"), now=stage.now)
    stage.play(workflow)
    assert set(step(workflow, "ask").output) == {"approved", "by", "at", "data", "reason"}
    assert step(workflow, "pay").output == "Paid from main"


def test_the_example_of_an_approval_ends_when_nobody_decides(stage):
    workflow = play(stage, "approval")
    assert workflow.status == "COMPLETED" and step(workflow, "ask").output["expired"] is True
    assert step(workflow, "pay").is_skipped


def test_the_example_of_an_event_goes_on_when_the_right_one_comes(stage):
    workflow = begin(stage, "wait_for_event")
    receive(payload={"state": "paid", "order": {"id": 8}}, source="shop", now=stage.now)
    receive(payload={"state": "paid", "order": {"id": 7}}, source="shop", now=stage.now)
    stage.play(workflow)
    assert set(step(workflow, "paid").output) == {"id", "source", "receivedAt", "payload"}
    assert step(workflow, "done").output == 7


def test_the_example_of_an_event_ends_when_none_comes(stage):
    assert step(play(stage, "wait_for_event"), "done").output == "no payment"
