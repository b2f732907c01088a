"""`manage.py stop_workflows`: how many match is said, and asked, before anything is stopped."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import a_template, a_workflow, later
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("stop_workflows", *args, stdout=out)
    return out.getvalue()


def answering(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[str]:
    asked: list[str] = []

    def typed(question: str) -> str:
        asked.append(question)
        if not answer:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", typed)
    return asked


def stopped() -> set[str]:
    return set(Workflow.objects.filter(status=Status.STOPPED).values_list("name", flat=True))


@pytest.fixture
def some() -> None:
    a_workflow(name="Nightly one", template=a_template("etl"), tags=["night"])
    a_workflow(name="nightly two", statuses={"fetch": Status.RUNNING}, created_at=later(60))
    a_workflow(name="Hourly", created_at=later(120))
    a_workflow(name="Nightly done", statuses=DONE)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("", {"Nightly one", "nightly two", "Hourly"}),
        ("--template etl", {"Nightly one"}),
        ("--name NIGHTLY", {"Nightly one", "nightly two"}),
        ("--status RUNNING", {"nightly two"}),
        ("--status RUNNING --status PENDING --created-after 2026-11-21T12:00:30Z", {"nightly two", "Hourly"}),
        ("--tag night", {"Nightly one"}),
        ("--created-before 2026-11-21T12:00:30", {"Nightly one"}),
        ("--name nobody", set()),
    ],
)
def test_those_that_every_filter_lets_through_are_stopped(some: None, options: str, found: set[str]) -> None:
    said = run(*options.split(), "--yes")
    assert stopped() == found
    assert said == (f"{len(found)} to stop.\nStopped: {len(found)}\n" if found else "0 to stop.\n")


@pytest.mark.parametrize(("answer", "is_stopped"), [("y", True), ("Yes ", True), ("n", False), (" ", False), ("yeah", False)])
def test_it_asks_first(some: None, monkeypatch: pytest.MonkeyPatch, answer: str, is_stopped: bool) -> None:
    asked = answering(monkeypatch, answer)
    said = run("--name", "hourly")
    assert asked == ["Stop 1 now? Each can be resumed, one by one. [y/N] "]
    assert stopped() == ({"Hourly"} if is_stopped else set())
    assert said.endswith("Stopped: 1\n" if is_stopped else "Nothing was stopped.\n")


def test_with_nobody_to_ask_nothing_is_stopped(some: None, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "")
    with pytest.raises(CommandError, match="Use --yes"):
        run()
    assert stopped() == set()


@pytest.mark.parametrize("wrong", [["--status", "COMPLETED"], ["--created-after", "yesterday"]])
def test_what_no_active_workflow_can_be_is_refused(wrong: list[Any]) -> None:
    with pytest.raises(CommandError):
        run(*wrong)
