"""Which workflows are written, and what is in their files (CONTRACT.md section 9)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.calls import get
from tests.engine.archives import export_all
from tests.factories import a_log_line, a_template, a_workflow, later
from workflows_app.engine.archive import exporting
from workflows_app.engine.report import Filters
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow


def test_an_export_is_the_answer_of_the_api_word_by_word(tmp_path: Path, db: None) -> None:
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED}, tags=["ü"])
    for number in range(60):
        a_log_line(workflow.steps.first(), f"line {number}")
    export_all(tmp_path)
    directory = tmp_path / str(workflow.uid)
    assert json.loads((directory / "state.json").read_text()) == get(f"/api/workflows/{workflow.uid}").json()
    assert (directory / "definition.json").read_text() == workflow.definition.compiled().text
    assert sorted(file.name for file in directory.iterdir()) == ["definition.json", "state.json"], "no temporary file is left"


def queries_of_export(path: Path) -> int:
    with CaptureQueriesContext(connection) as counted:
        written = export_all(path)
    assert len(written) == Workflow.objects.count() == len(list(path.iterdir()))
    return len(counted)


def test_many_are_exported_in_pages_with_as_many_queries_for_each(tmp_path: Path, db: None) -> None:
    for _ in range(exporting.PAGE):
        a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    queries_of_export(tmp_path / "warm")
    one_page = queries_of_export(tmp_path / "one")
    for _ in range(2 * exporting.PAGE):
        a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    assert queries_of_export(tmp_path / "three") <= 3 * one_page


def test_what_starts_during_an_export_does_not_keep_it_going(tmp_path: Path, db: None) -> None:
    a_workflow()
    count = 0
    for _ in exporting.export(path=tmp_path):
        a_workflow()
        count += 1
    assert count == 1


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), {"one", "two", "three"}),
        (Filters(statuses=["COMPLETED"]), {"one"}),
        (Filters(statuses=["COMPLETED", "PENDING"]), {"one", "two", "three"}),
        (Filters(template="etl"), {"two"}),
        (Filters(tag="ü"), {"three"}),
        (Filters(q="ON"), {"one"}),
        (Filters(created_after=later(5)), {"three"}),
        (Filters(created_before=later(5)), {"one", "two"}),
    ],
    ids=["all", "status", "statuses", "template", "tag", "q", "after", "before"],
)
def test_every_filter_of_the_list_chooses(tmp_path: Path, db: None, filters: Filters, found: set[str]) -> None:
    a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED}, name="one")
    a_workflow(template=a_template("etl"), name="two")
    a_workflow(name="three", tags=["ü"], created_at=later(10))
    names = {str(workflow.uid): workflow.name for workflow in Workflow.objects.all()}
    assert {names[result.id] for result in exporting.export(path=tmp_path, filters=filters)} == found
    assert {names[directory.name] for directory in tmp_path.iterdir()} == found


def test_ids_choose_among_what_the_filters_let_through(tmp_path: Path, db: None) -> None:
    one, two = a_workflow(), a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    a_workflow()
    chosen = exporting.export(path=tmp_path, filters=Filters(statuses=["PENDING"]), ids=[one.uid, two.uid])
    assert [result.id for result in chosen] == [str(one.uid)]
