"""`manage.py export_workflows` and `manage.py import_workflows`, and the page that shows them."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client

from tests.engine.archives import OTHER, UID, a_state, a_step_state, forget_all, put
from tests.factories import a_template, a_workflow, later
from workflows_app.engine.archive import documents, files
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db
PAGE = (Path(django_settings.BASE_DIR) / "docs" / "export-import.md").read_text()
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
LINE = re.compile(r"^manage\.py (export_workflows|import_workflows) (.*)$", re.MULTILINE)


def run(*args: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*map(str, args), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def fails(*args: Any) -> tuple[str, str, str]:
    """What is said on both streams, and at the end; the exit code is not zero."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(*map(str, args), stdout=out, stderr=err)
    assert caught.value.returncode == 1 and "\n" not in str(caught.value)
    return out.getvalue(), err.getvalue(), str(caught.value)


def names(path: Path) -> set[str]:
    return {json.loads((directory / "state.json").read_text())["name"] for directory in path.iterdir()}


def test_everything_is_exported_and_counted(tmp_path: Path) -> None:
    a_workflow(name="one")
    a_workflow(name="two")
    assert run("export_workflows", tmp_path / "new" / "place") == (f"Exported: 2 to {tmp_path}/new/place\n", "")
    assert names(tmp_path / "new" / "place") == {"one", "two"}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("--status COMPLETED", {"one"}),
        ("--status COMPLETED --status PENDING --template etl", {"two"}),
        ("--tag night", {"three"}),
        ("--q re", {"three"}),
        ("--created-after 2026-11-21T12:00:05Z", {"three"}),
        ("--created-before 2026-11-21T12:00:05", {"one", "two"}),
        ("--created-after 2026-11-21T13:00:05+01:00", {"three"}),
    ],
)
def test_the_filters_of_the_list_choose(tmp_path: Path, options: str, found: set[str]) -> None:
    a_workflow(statuses=DONE, name="one")
    a_workflow(template=a_template("etl"), name="two")
    a_workflow(name="three", tags=["night"], created_at=later(10))
    run("export_workflows", tmp_path, *options.split())
    assert names(tmp_path) == found


def test_ids_and_parents_choose(tmp_path: Path) -> None:
    one, two = a_workflow(name="one"), a_workflow(name="two")
    a_workflow(name="child", parent=one)
    run("export_workflows", tmp_path / "ids", "--id", one.uid, "--id", two.uid)
    run("export_workflows", tmp_path / "parent", "--parent-id", one.uid)
    assert (names(tmp_path / "ids"), names(tmp_path / "parent")) == ({"one", "two"}, {"child"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--status DONE", "invalid choice: 'DONE'"),
        ("--created-after soon", "it must be a time such as"),
        ("--parent-id x", "'x' is no id of a workflow"),
        (f"--id {UID}", f"Workflow with ID {UID} not found"),
        ("--id ../x", r"Workflow with ID \.\./x not found"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_before_anything_is_written(tmp_path: Path, options: str, message: str) -> None:
    a_workflow()
    with pytest.raises(CommandError, match=message):
        call_command("export_workflows", str(tmp_path / "new"), *options.split())
    assert not (tmp_path / "new").exists()


def test_what_could_not_be_written_is_named_and_the_others_are_written(tmp_path: Path) -> None:
    first, _ = a_workflow(name="one"), a_workflow(name="two")
    (tmp_path / str(first.uid)).write_text("mine")
    out, err, end = fails("export_workflows", tmp_path)
    assert out == f"Exported: 1 to {tmp_path}\n" and err.startswith(f"{first.uid}: ") and end == "1 not written, for the reasons above"


@pytest.mark.parametrize("command", ["export_workflows", "import_workflows"])
def test_a_directory_that_is_none_is_one_line(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in fails(command, tmp_path / "file")[2]


def test_an_import_counts_each_kind_and_says_what_they_can_do(tmp_path: Path) -> None:
    a_workflow(statuses=DONE)
    running = a_workflow(statuses={"fetch": Status.RUNNING})
    run("export_workflows", tmp_path)
    forget_all()
    put(tmp_path, a_state())
    assert run("import_workflows", tmp_path) == (
        "Imported: 3. Here already: 0.\n"
        "1 had not ended: they are STOPPED now, and a resume starts them.\n"
        "1 had no definition.json: they are here to be looked at, not to be run again.\n",
        "",
    )
    assert run("import_workflows", tmp_path) == ("Imported: 0. Here already: 3.\n", "")
    assert Workflow.objects.get(uid=running.uid).status == Status.STOPPED


def test_one_bad_directory_makes_the_command_fail_and_the_others_are_imported(tmp_path: Path) -> None:
    put(tmp_path, a_state(a_step_state(status="DONE")))
    put(tmp_path, a_state(id=OTHER))
    out, err, end = fails("import_workflows", tmp_path)
    assert out.startswith("Imported: 1. Here already: 0.\n") and end == "1 refused, for the reasons above; nothing of them is stored"
    assert err.startswith(f"{UID}: state.json: steps[0].status: must be ")


def test_the_pages_show_what_was_imported_and_why_it_cannot_be_run_again(tmp_path: Path) -> None:
    failed = a_step_state("b", status="FAILED", error="no", dependencies=["fetch"], metadata={"anything": [1]}, logs=["a line"])
    put(tmp_path, a_state(a_step_state(action="map", metadata={"elements": {"total": 3}}), failed, status="FAILED"))
    run("import_workflows", tmp_path)
    client = Client()
    for path in ("", *(f"?step={id}" for id in ("fetch", "b", "fetch[0]"))):
        assert client.get(f"/workflows/{UID}{path}").status_code == 200, path
    for path in ("/workflows", f"/workflows?q={UID[:8]}", "/admin/workflows_app/workflow/"):
        assert "Nightly" in client.get(path).content.decode(), path
    shown = client.post(f"/workflows/{UID}/retry", follow=True).content.decode()
    assert "It was imported without its definition.json" in shown


def test_every_line_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's archive is made from one finished and one failed workflow of today; its lines run in order."""
    monkeypatch.chdir(tmp_path)
    uid = a_workflow(statuses=DONE, template=a_template("data_processing"), tags=["etl"]).uid
    a_workflow(statuses={"fetch": Status.FAILED, "shape": Status.STOPPED})
    put(tmp_path / "workflows", a_state())
    lines = LINE.findall(PAGE)
    assert len(lines) >= 4 and {command for command, _ in lines} == {"export_workflows", "import_workflows"}
    for command, arguments in lines:
        out, err = run(command, *shlex.split(arguments.replace("$ID", str(uid)), comments=True))
        assert out.startswith(("Exported: ", "Imported: ")) and "Exported: 0" not in out and not err


def test_the_page_says_what_the_code_does() -> None:
    assert f"{files.MAX_STATE_BYTES // 1_000_000} MB" in PAGE and f"{files.MAX_DEFINITION_BYTES // 1_000_000} MB" in PAGE
    options = re.findall(r"`(--[a-z-]+)", PAGE)
    assert set(options) == {"--id", "--status", "--template", "--tag", "--q", "--parent-id", "--created-after", "--created-before"}
    computed = {field.alias or name for name, field in documents.State.model_fields.items() if field.description == "follows from the rest"}
    assert computed and all(f"`{name}`" in PAGE for name in computed)
