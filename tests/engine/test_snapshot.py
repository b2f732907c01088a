"""Reads of one moment: a workflow and its steps agree while others write."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from tests.engine.stage import Stage, node
from workflows_app.engine import report
from workflows_app.engine.sql.transaction import snapshot
from workflows_app.models import Workflow


def _rename(workflow: Workflow, name: str) -> None:
    def work() -> None:
        Workflow.objects.filter(pk=workflow.pk).update(name=name)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result(timeout=10)


def _name(workflow: Workflow) -> str:
    return Workflow.objects.values_list("name", flat=True).get(pk=workflow.pk)


def test_what_others_write_meanwhile_is_seen_afterwards(stage: Stage) -> None:
    workflow = stage.start(node("a"), name="before")
    with snapshot():
        assert _name(workflow) == "before"
        _rename(workflow, "after")
        assert _name(workflow) == "before"
    assert _name(workflow) == "after"


def test_without_it_the_change_shows_at_once(stage: Stage) -> None:
    workflow = stage.start(node("a"), name="before")
    assert _name(workflow) == "before"
    _rename(workflow, "after")
    assert _name(workflow) == "after"


def test_it_ends_with_an_error_too(stage: Stage) -> None:
    workflow = stage.start(node("a"), name="before")
    with pytest.raises(RuntimeError), snapshot():
        raise RuntimeError
    Workflow.objects.filter(pk=workflow.pk).update(name="after")
    assert _name(workflow) == "after"


def test_inside_a_transaction_it_is_that_transaction(stage: Stage) -> None:
    workflow = stage.start(node("a"), name="before")
    with transaction.atomic(), snapshot():
        Workflow.objects.filter(pk=workflow.pk).update(name="mine")
        assert _name(workflow) == "mine"


def test_a_workflow_is_told_as_of_one_moment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = stage.start(node("a"), node("b", "echo", "a"))
    module = importlib.import_module("workflows_app.engine.report.workflows")
    read_steps = module.steps_of

    def read_late(*arguments: object, **named: object) -> object:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: (stage.stop(workflow), connection.close())).result(timeout=10)
        return read_steps(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "steps_of", read_late)
    told = report.workflow(workflow.uid)
    assert told["status"] == "PENDING"
    assert [step["status"] for step in told["steps"]] == ["PENDING", "WAITING_FOR_DEPENDENCY"]
    monkeypatch.undo()
    assert {step["status"] for step in report.workflow(workflow.uid)["steps"]} == {"STOPPED"}
