"""What no archive may hold: refused with file and field, nothing stored, the others imported all the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.archives import OTHER, UID, a_graph, a_state, a_step_state, import_all, put, refusal
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage, statuses
from workflows_app.engine import control, report
from workflows_app.engine.archive import importing
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


DEFINITIONS: Mapping[str, tuple[Any, str]] = {
    "no JSON": ("{", r"^definition\.json: This is not JSON"),
    "no nodes": ({"nodes": []}, r"^definition\.json: nodes: there are no nodes"),
    "another key": ({"nodes": [], "x": 1}, r"x: there is no key 'x'"),
    "another node": (a_graph({"id": "fetsh", "action": "input"}), r"steps: the step 'fetsh' of definition\.json is missing"),
    "another action": (a_graph({"id": "fetch", "action": "output"}), r"steps\[0\]\.action: is 'input', in definition\.json 'output'"),
    "a key of no node": (a_graph({"id": "fetch", "action": "input", "x": 1}), r"nodes\[0\]\.x: there is no key 'x'"),
    "a cycle": (
        a_graph({"id": "fetch", "action": "input", "needs": ["b"]}, {"id": "b", "action": "input", "needs": ["fetch"]}),
        r"nodes\[\d\]\.needs: the nodes wait for each other",
    ),
    "a priority of its own": (a_graph({"id": "fetch", "action": "input", "priority": -9}), r"nodes\[0\]: priority must be one of"),
    "a timeout without end": (a_graph({"id": "fetch", "action": "input", "timeout_seconds": 1e300}), r"nodes\[0\]\.timeout_seconds: "),
    "a key without a limit": (a_graph({"id": "fetch", "action": "input", "concurrency_key": "k"}), r"nodes\[0\]: concurrency_key and"),
    "a retry of another kind": (a_graph({"id": "fetch", "action": "input", "retry": {"on": 5}}), r"nodes\[0\]\.retry\.on: "),
    "a configuration that is none": (a_graph({"id": "fetch", "action": "input", "config": []}), r"nodes\[0\]\.config: "),
    "a body where none belongs": (
        a_graph({"id": "fetch", "action": "input", "body": {"id": "fetch", "action": "input"}}),
        r"nodes\[0\]\.body: a map needs",
    ),
    "a body in a body": (
        a_graph({"id": "fetch", "action": "map", "body": {"id": "fetch", "action": "map", "body": {}}}),
        r"nodes\[0\]\.body\.body: there is no key 'body'",
    ),
    "a reference to nobody": (
        a_graph({"id": "fetch", "action": "input", "references": ["nobody"]}),
        r"nodes\[0\]\.references: 'nobody' is not upstream",
    ),
    "a reference that is not upstream": (
        a_graph({"id": "fetch", "action": "input", "references": ["fetch"]}),
        r"nodes\[0\]\.references: 'fetch' is not upstream",
    ),
    "a reserved id": (a_graph({"id": "secrets", "action": "input"}), r"nodes\[0\]\.id: the id 'secrets' is reserved"),
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
    put(tmp_path, a_state(a_step_state(action="map")), definition=a_graph({"id": "fetch", "action": "map", "body": do}))
    assert "nodes[0].body: " in refusal(tmp_path)


def test_steps_that_depend_on_others_than_the_definition_says_are_refused(tmp_path: Path) -> None:
    nodes = {"id": "fetch", "action": "input"}, {"id": "b", "action": "input", "needs": ["fetch"]}
    put(tmp_path, a_state(a_step_state(), a_step_state("b")), definition=a_graph(*nodes))
    assert refusal(tmp_path) == "state.json: steps[1].dependencies: are not those of definition.json: fetch"


@pytest.mark.parametrize("extra", ["fetch", "more"])
def test_a_step_twice_or_in_no_definition_is_refused(tmp_path: Path, extra: str) -> None:
    put(tmp_path, a_state(a_step_state(), a_step_state(extra)), definition=a_graph())
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
        definition=a_graph({"id": "fetch"} | node),
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


def test_one_bad_directory_does_not_stop_the_others(tmp_path: Path) -> None:
    put(tmp_path, a_state(status="DONE"))
    put(tmp_path, a_state(id=OTHER))
    assert [result.kind for result in import_all(tmp_path).values()] == ["refused", "imported"]
    assert str(Workflow.objects.get().uid) == OTHER


def test_what_the_database_does_not_take_is_a_refusal_too_and_leaves_no_row(
    tmp_path: Path, transactional_db: None, monkeypatch: Any
) -> None:
    """Log lines come last, so everything else is in the transaction already; no other way is known to get past the checks."""
    put(tmp_path, a_state(a_step_state(logs=["once"])))
    monkeypatch.setattr(importing.rows, "log_lines", lambda state, rows: [LogLine(step=rows["fetch"], attempt=1, message=None)])
    assert refusal(tmp_path).startswith("state.json: the database does not take it: ")


def test_refused_ones_leave_no_graph_behind(tmp_path: Path) -> None:
    put(tmp_path, a_state(a_step_state(metadata={"skipped": True})), definition=a_graph())
    refusal(tmp_path)
    assert not Definition.objects.exists() and not Step.objects.exists()
