"""What no archive may hold: refused with file and field, nothing stored, the others imported all the same."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.archives import OTHER, UID, a_state, a_step_state, export_all, import_all, put, refusal
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage, statuses
from tests.factories import a_workflow
from workflows_app.engine import control, report
from workflows_app.engine.archive import exporting, files, importing
from workflows_app.graph.statuses import Status
from workflows_app.models import Definition, LogLine, Step, Workflow

DEEP = json.loads("[" * 600 + "]" * 600)
STEPS = {
    "an unknown status": ({"status": "SUCCEEDED"}, r"^state\.json: steps\[1\]\.status: must be 'PENDING'"),
    "a status of the wrong type": ({"status": 3}, r"steps\[1\]\.status: must be"),
    "an unknown key": ({"output": 1}, r"steps\[1\]\.output: there is no key 'output'; did you mean 'outputs'\?"),
    "an id that is a path": ({"id": "../x"}, r"steps\[1\]\.id: the id '\.\./x' is not allowed"),
    "an id twice": ({"id": "fetch"}, r"steps\[1\]\.id: the id 'fetch' is taken: steps\[0\] has it too"),
    "no id": ({"id": None}, r"steps\[1\]\.id: must be a valid string, not None"),
    "a long id": ({"id": "x" * 201}, r"steps\[1\]\.id: .*the limit is 200"),
    "a cycle": ({"dependencies": ["last"]}, r"steps\[1\]\.dependencies: the steps wait for each other: b -> last -> b"),
    "itself": ({"dependencies": ["b"]}, r"steps\[1\]\.dependencies\[0\]: step 'b' needs itself"),
    "a dependency that is not there": ({"dependencies": ["fetsh"]}, r"steps\[1\]\.dependencies\[0\]: .*did you mean 'fetch'"),
    "a dependency twice": ({"dependencies": ["fetch", "fetch"]}, r"steps\[1\]\.dependencies\[1\]: step 'b' needs 'fetch' twice"),
    "dependencies that are none": ({"dependencies": "fetch"}, r"steps\[1\]\.dependencies: must be a valid list, not 'fetch'"),
    "no action": ({"action": ""}, r"steps\[1\]\.action: "),
    "a long action": ({"action": "x" * 201}, r"steps\[1\]\.action: "),
    "a time that is none": ({"startTime": "soon"}, r"steps\[1\]\.startTime: must be a time such as"),
    "a time that is a number": ({"endTime": 17}, r"steps\[1\]\.endTime: must be a time such as"),
    "a time nobody lived": ({"endTime": "0001-01-01T00:00:00+14:00"}, r"steps\[1\]\.endTime: must be a time from 1970"),
    "logs that are no lines": ({"logs": [1]}, r"steps\[1\]\.logs\[0\]: must be a valid string, not 1"),
    "attempts below zero": ({"attempts": -1}, r"steps\[1\]\.attempts: must be greater than or equal to 0"),
    "attempts without end": ({"attempts": 10**30}, r"steps\[1\]\.attempts: "),
    "attempts as text": ({"attempts": "1"}, r"steps\[1\]\.attempts: must be a valid integer"),
    "metadata that is a list": ({"metadata": []}, r"steps\[1\]\.metadata: "),
    "half a decision": ({"metadata": {"case": "a"}}, r"steps\[1\]\.metadata: a branch's decision has both 'case' and 'next'"),
    "a decision of numbers": ({"metadata": {"case": "a", "next": [1]}}, r"steps\[1\]\.metadata\.next\[0\]: must be a valid string"),
    "what was ruled out as a number": ({"metadata": {"ruledOut": 7}}, r"steps\[1\]\.metadata\.ruledOut: must be a valid list"),
    "elements that are not counted": ({"metadata": {"elements": {"total": "x"}}}, r"steps\[1\]\.metadata\.elements\.total: must be"),
    "a completed step that was skipped": ({"metadata": {"skipped": True}}, r"steps\[1\]\.metadata\.skipped: a step that is COMPLETED"),
    "a NUL": ({"outputs": {"a": ["x\0y"]}}, r"steps\[1\]\.outputs\.a\[0\]: Text must not contain the character NUL"),
    "a NUL in a key": ({"outputs": {"a\0b": 1}}, r"steps\[1\]\.outputs\.a\\x00b: Text must not contain the character NUL"),
    "half of a surrogate pair": ({"error": "\ud800"}, r"steps\[1\]\.error: Text must not contain"),
    "deep JSON": ({"outputs": DEEP}, r"steps\[1\]\.outputs\[0\].*: JSON may be nested 500 levels deep at most"),
}
WORKFLOWS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "an unknown status": ({"status": "DONE"}, r"^state\.json: status: must be 'PENDING'"),
    "no steps": ({"steps": []}, r"steps: there are no steps"),
    "steps that are none": ({"steps": {"a": 1}}, r"steps: must be a valid list"),
    "a step that is none": ({"steps": [7]}, r"steps\[0\]: "),
    "another id than its directory": ({"id": OTHER}, rf"id: is {OTHER}, and its directory {UID}"),
    "an id that is a path": ({"id": "../../etc"}, r"id: must be a UUID"),
    "no name": ({"name": ""}, r"name: "),
    "a long name": ({"name": "x" * 201}, r"name: .*200"),
    "a time that is none": ({"createdAt": "yesterday"}, r"createdAt: must be a time"),
    "no time": ({"updatedAt": None}, r"updatedAt: must be a time"),
    "tags that are none": ({"tags": [{}]}, r"tags\[0\]: must be a valid string"),
    "parameters that are none": ({"params": [1]}, r"params: "),
    "a parent that is none": ({"parentId": "me"}, r"parentId: must be a UUID"),
    "itself as its parent": ({"parentId": UID}, r"parentId: a workflow is not its own parent"),
    "a template version of nothing": ({"templateVersion": 2**40}, r"templateVersion: "),
    "metadata of the engine's own": ({"metadata": {"_paramsRevision": "x"}}, r"metadata: names that begin with _ are the engine's own"),
    "an unknown key": ({"statsu": "x"}, r"statsu: there is no key 'statsu'; did you mean 'status'"),
    "completed, and not all done": (
        {"steps": [a_step_state(status="STOPPED")]},
        r"status: COMPLETED contradicts the steps, of which not all",
    ),
    "failed, and all done": ({"status": "FAILED"}, r"status: FAILED contradicts the steps, of which all are done"),
    "stopped, and all done": ({"status": "STOPPED"}, r"status: STOPPED contradicts the steps, of which all are done"),
}
TEXTS: Mapping[str, tuple[str | bytes, str]] = {
    "nothing": ("", "This is not JSON"),
    "half a file": ('{"id": ', "This is not JSON"),
    "no text": (b"\x80\x81", "This is not JSON"),
    "another document": ("[1]", r"state\.json: .*must be"),
    "a number that is none": ('{"id": NaN}', "NaN is not a JSON number"),
    "a number too large": ('{"id": 1e999}', "too large"),
    "JSON deeper than the parser goes": ("[" * 100_000, "nested 500 levels deep"),
    "an integer of many digits": ('{"id": ' + "9" * 5_000 + "}", "This is not JSON"),
}
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("case", STEPS)
def test_a_step_is_refused_by_its_field(tmp_path: Path, case: str) -> None:
    changes, message = STEPS[case]
    put(tmp_path, a_state(a_step_state(), a_step_state("b") | changes, a_step_state("last", dependencies=["b"])))
    found = refusal(tmp_path)
    assert re.search(message, found), found


@pytest.mark.parametrize("case", WORKFLOWS)
def test_a_workflow_is_refused_by_its_field(tmp_path: Path, case: str) -> None:
    changes, message = WORKFLOWS[case]
    put(tmp_path, a_state() | dict(changes), name=UID)
    found = refusal(tmp_path)
    assert re.search(message, found), found


@pytest.mark.parametrize("case", TEXTS)
def test_a_file_that_is_no_json_of_ours_is_refused(tmp_path: Path, case: str) -> None:
    text, message = TEXTS[case]
    put(tmp_path, text, name=UID)
    found = refusal(tmp_path)
    assert re.search(message, found), found


@pytest.mark.parametrize("missing", ["id", "name", "status", "steps", "createdAt", "updatedAt"])
def test_what_is_needed_and_missing_is_named(tmp_path: Path, missing: str) -> None:
    state = a_state()
    del state[missing]
    put(tmp_path, state, name=UID)
    assert refusal(tmp_path) == f"state.json: {missing}: '{missing}' is missing"


def a_definition(*nodes: Mapping[str, Any]) -> dict[str, Any]:
    return {"nodes": list(nodes) or [{"id": "fetch", "action": "input"}]}


DEFINITIONS: Mapping[str, tuple[Any, str]] = {
    "no JSON": ("{", r"^definition\.json: This is not JSON"),
    "no nodes": ({"nodes": []}, r"^definition\.json: nodes: there are no nodes"),
    "another key": ({"nodes": [], "x": 1}, r"x: there is no key 'x'"),
    "another node": (a_definition({"id": "fetsh", "action": "input"}), r"steps: the step 'fetsh' of definition\.json is missing"),
    "another action": (a_definition({"id": "fetch", "action": "output"}), r"steps\[0\]\.action: is 'input', in definition\.json 'output'"),
    "a key of no node": (a_definition({"id": "fetch", "action": "input", "x": 1}), r"nodes\[0\]\.x: there is no key 'x'"),
    "a cycle": (
        a_definition({"id": "fetch", "action": "input", "needs": ["b"]}, {"id": "b", "action": "input", "needs": ["fetch"]}),
        r"nodes\[\d\]\.needs: the nodes wait for each other",
    ),
    "a priority of its own": (a_definition({"id": "fetch", "action": "input", "priority": -9}), r"nodes\[0\]: priority must be one of"),
    "a timeout without end": (a_definition({"id": "fetch", "action": "input", "timeout_seconds": 1e300}), r"nodes\[0\]\.timeout_seconds: "),
    "a key without a limit": (a_definition({"id": "fetch", "action": "input", "concurrency_key": "k"}), r"nodes\[0\]: concurrency_key and"),
    "a retry of another kind": (a_definition({"id": "fetch", "action": "input", "retry": {"on": 5}}), r"nodes\[0\]\.retry\.on: "),
    "a configuration that is none": (a_definition({"id": "fetch", "action": "input", "config": []}), r"nodes\[0\]\.config: "),
    "a body where none belongs": (
        a_definition({"id": "fetch", "action": "input", "body": {"id": "fetch", "action": "input"}}),
        r"nodes\[0\]\.body: a map needs",
    ),
    "a body in a body": (
        a_definition({"id": "fetch", "action": "map", "body": {"id": "fetch", "action": "map", "body": {}}}),
        r"nodes\[0\]\.body\.body: there is no key 'body'",
    ),
    "a reference to nobody": (
        a_definition({"id": "fetch", "action": "input", "references": ["nobody"]}),
        r"nodes\[0\]\.references: 'nobody' is not upstream",
    ),
    "a reference that is not upstream": (
        a_definition({"id": "fetch", "action": "input", "references": ["fetch"]}),
        r"nodes\[0\]\.references: 'fetch' is not upstream",
    ),
    "a reserved id": (a_definition({"id": "secrets", "action": "input"}), r"nodes\[0\]\.id: the id 'secrets' is reserved"),
}


@pytest.mark.parametrize("case", DEFINITIONS)
def test_a_definition_is_refused_by_its_field(tmp_path: Path, case: str) -> None:
    definition, message = DEFINITIONS[case]
    put(tmp_path, a_state(), definition=definition)
    found = refusal(tmp_path)
    assert re.search(message, found), found


@pytest.mark.parametrize(
    "do", [None, {"id": "other", "action": "input"}, {"id": "fetch", "action": "branch"}], ids=["no", "other", "branch"]
)
def test_a_map_needs_a_step_that_can_be_done_for_each_element(tmp_path: Path, do: Any) -> None:
    put(tmp_path, a_state(a_step_state(action="map")), definition=a_definition({"id": "fetch", "action": "map", "body": do}))
    assert "nodes[0].body: " in refusal(tmp_path)


def test_steps_that_depend_on_others_than_the_definition_says_are_refused(tmp_path: Path) -> None:
    nodes = {"id": "fetch", "action": "input"}, {"id": "b", "action": "input", "needs": ["fetch"]}
    put(tmp_path, a_state(a_step_state(), a_step_state("b")), definition=a_definition(*nodes))
    assert refusal(tmp_path) == "state.json: steps[1].dependencies: are not those of definition.json: fetch"


@pytest.mark.parametrize("extra", ["fetch", "more"])
def test_a_step_twice_or_in_no_definition_is_refused(tmp_path: Path, extra: str) -> None:
    put(tmp_path, a_state(a_step_state(), a_step_state(extra)), definition=a_definition())
    assert refusal(tmp_path).startswith("state.json: steps[1].id: ")


@pytest.mark.parametrize(
    "node",
    [
        {"action": "no_such_task"},
        {"action": "transform", "config": {"value": "{{ not closed"}},
        {"action": "transform", "config": {"value": 1}, "run_if": {"no such operation": 1}},
        {"action": "branch", "config": {"cases": 7}},
        {"action": "input", "secrets": ["NOT_KEPT"]},
        {"action": "map", "config": {"items": 7}, "body": {"id": "fetch", "action": "no_such_task"}},
    ],
    ids=["action", "expression", "condition", "cases", "secret", "items"],
)
def test_a_definition_that_cannot_work_fails_where_it_is_run_and_nowhere_else(stage: Stage, tmp_path: Path, node: dict[str, Any]) -> None:
    put(
        tmp_path,
        a_state(a_step_state(action=node["action"], status="RUNNING"), status="RUNNING"),
        definition=a_definition({"id": "fetch"} | node),
    )
    assert import_all(tmp_path)[UID].kind == "stopped"
    workflow = stage.play(control.resume(uid=UID, now=stage.now))
    assert workflow.status == (Status.COMPLETED if "secrets" in node else Status.FAILED), statuses(workflow)
    assert report.workflow(UID)["steps"][0]["error"] or workflow.status == Status.COMPLETED


@pytest.mark.parametrize("key", ["\x1b]0;owned\x07", "two\nlines", "\u202etxt.exe", "x" * 10_000])
@pytest.mark.parametrize("field", ["key", "id", "action"])
def test_a_refusal_is_one_line_that_is_safe_to_show(tmp_path: Path, key: str, field: str) -> None:
    put(tmp_path, a_state(a_step_state(**{field if field != "key" else key: key, "dependencies": [key]})))
    said = refusal(tmp_path)
    assert said.isprintable() and len(said) < 1_000


# Files and links


def test_one_bad_directory_does_not_stop_the_others(tmp_path: Path) -> None:
    put(tmp_path, a_state(status="DONE"))
    put(tmp_path, a_state(id=OTHER))
    assert [result.kind for result in import_all(tmp_path).values()] == ["refused", "imported"]
    assert str(Workflow.objects.get().uid) == OTHER


def test_a_directory_without_a_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / UID).mkdir()
    assert refusal(tmp_path) == "state.json: is missing"


@pytest.mark.parametrize("file", ["state.json", "definition.json"])
def test_a_link_to_a_file_elsewhere_is_not_followed(tmp_path: Path, file: str) -> None:
    directory = put(tmp_path / "archive", a_state(), definition=a_definition())
    (directory / file).rename(tmp_path / "elsewhere")
    (directory / file).symlink_to(tmp_path / "elsewhere")
    assert refusal(tmp_path / "archive").startswith(f"{file}: cannot be read (")


def test_a_link_to_a_directory_elsewhere_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", a_state())
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / UID).symlink_to(tmp_path / "elsewhere" / UID)
    assert refusal(tmp_path / "archive") == f"{UID}: is no directory (links are not followed)"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_refused_and_holds_nobody_up(tmp_path: Path, make: Any) -> None:
    (tmp_path / UID).mkdir()
    make(tmp_path / UID / "state.json")
    assert "is no regular file" in refusal(tmp_path)


def test_a_file_of_100_mb_is_not_read(tmp_path: Path) -> None:
    """Sparse: it takes no place on the disk, and reading stops at the limit."""
    with (put(tmp_path, a_state()) / "state.json").open("r+b") as file:
        file.truncate(100_000_000)
    assert refusal(tmp_path) == "state.json: is larger than 32,000,000 bytes, the most that is read"


def test_what_the_database_does_not_take_is_a_refusal_too_and_leaves_no_row(
    tmp_path: Path, transactional_db: None, monkeypatch: Any
) -> None:
    """Log lines come last, so everything else is in the transaction already; no other way is known to get past the checks."""
    put(tmp_path, a_state(a_step_state(logs=["once"])))
    monkeypatch.setattr(importing.rows, "log_lines", lambda state, rows: [LogLine(step=rows["fetch"], attempt=1, message=None)])
    assert refusal(tmp_path).startswith("state.json: the database does not take it: ")


def test_nothing_leaves_the_archive_when_a_directory_there_is_a_link(tmp_path: Path) -> None:
    workflow = a_workflow()
    (tmp_path / "outside").mkdir()
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / str(workflow.uid)).symlink_to(tmp_path / "outside")
    (result,) = export_all(tmp_path / "archive")
    assert "links are not followed" in result.refused and not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize("file", ["state.json", "definition.json"])
def test_nothing_is_written_through_a_link_in_place_of_a_file(tmp_path: Path, file: str) -> None:
    workflow = a_workflow()
    export_all(tmp_path / "archive")
    place, outside = tmp_path / "archive" / str(workflow.uid) / file, tmp_path / "outside"
    outside.write_text("mine")
    place.unlink()
    place.symlink_to(outside)
    (result,) = export_all(tmp_path / "archive")
    assert file in result.refused and outside.read_text() == "mine" and place.is_symlink()


@pytest.mark.parametrize("file", ["state.json", "definition.json"])
@pytest.mark.parametrize("content", ["mine", "", json.dumps({"id": OTHER})])
def test_a_foreign_file_is_left_as_it_is(tmp_path: Path, file: str, content: str) -> None:
    directory = tmp_path / str(a_workflow().uid)
    directory.mkdir()
    (directory / file).write_text(content)
    (result,) = export_all(tmp_path)
    assert result.refused == f"{file}: is there already and not of this workflow: it is left as it is"
    assert [(found.name, found.read_text()) for found in directory.iterdir()] == [(file, content)]


def test_a_file_in_place_of_the_directory_is_left_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / str(a_workflow().uid)
    place.write_text("mine")
    other = a_workflow()
    first, second = export_all(tmp_path)
    assert "is no directory" in first.refused and place.read_text() == "mine"
    assert second.id == str(other.uid) and not second.refused, "the others are written"


def test_an_earlier_export_of_the_same_workflow_is_replaced(tmp_path: Path) -> None:
    workflow = a_workflow(name="before")
    export_all(tmp_path)
    Workflow.objects.update(name="after")
    (result,) = export_all(tmp_path)
    assert not result.refused and '"name": "after"' in (tmp_path / str(workflow.uid) / "state.json").read_text()


def test_the_state_of_the_earlier_engine_is_replaced_too(tmp_path: Path) -> None:
    """It writes the id first as well, with an indent of its own."""
    put(tmp_path, json.dumps(a_state(), indent=2), name=UID)
    import_all(tmp_path)
    (result,) = export_all(tmp_path)
    assert not result.refused and json.loads((tmp_path / UID / "state.json").read_text())["templateId"] is None


def test_a_write_that_breaks_off_leaves_the_earlier_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = a_workflow()
    export_all(tmp_path)
    place = tmp_path / str(workflow.uid)
    before = (place / "state.json").read_bytes()

    def broken(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "rename", broken)
    with pytest.raises(OSError, match="No space left"):
        export_all(tmp_path)
    assert (place / "state.json").read_bytes() == before
    assert sorted(file.name for file in place.iterdir()) == ["definition.json", "state.json"]


def test_what_is_written_is_for_its_owner_only(tmp_path: Path) -> None:
    """Parameters and outputs may be anybody's secret."""
    uid = str(a_workflow().uid)
    export_all(tmp_path / "new")
    places = [tmp_path / "new", tmp_path / "new" / uid, tmp_path / "new" / uid / "state.json"]
    assert [oct(place.stat().st_mode & 0o777) for place in places] == ["0o700", "0o700", "0o600"]


def test_one_that_is_too_large_to_be_imported_is_written_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_workflow()
    monkeypatch.setattr(exporting.files, "MAX_STATE_BYTES", 100)
    (result,) = export_all(tmp_path)
    assert (result.refused, result.warning) == ("", "is larger than an import reads")


def test_refused_ones_leave_no_graph_behind(tmp_path: Path) -> None:
    put(tmp_path, a_state(a_step_state(metadata={"skipped": True})), definition=a_definition())
    refusal(tmp_path)
    assert not Definition.objects.exists() and not Step.objects.exists()
