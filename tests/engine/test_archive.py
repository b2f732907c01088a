"""Workflows to files and back: an archive of every kind of workflow, read into an emptied database (CONTRACT.md section 9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.archives import (
    OTHER,
    UID,
    a_state,
    a_step_state,
    export_all,
    forget_all,
    import_all,
    moved,
    put,
)  # fmt: skip
from tests.engine.conftest import stage as stage
from tests.engine.oracle import recount
from tests.engine.stage import Stage, log_of, node, statuses, step
from tests.factories import NOW, a_definition, a_log_line, a_template, a_user, a_workflow
from workflows_app.catalog.approvals import decide
from workflows_app.engine import control, report
from workflows_app.engine.archive import exporting
from workflows_app.engine.errors import NotAllowed
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import LogLine, Workflow

TWICE = RetryPolicy(retries=1, initial_delay=1, jitter=False)
MOVES = {"params": {"n": [1, {"größe": "😀"}]}, "description": "Why\nnot", "tags": ["a b", "ü"], "metadata": {"from": "a test"}}
BRANCH = node("decide", "branch", config={"cases": [{"label": "big", "condition": True, "next": "left"}, {"else": True, "next": "right"}]})


def unchanged(path: Path) -> None:
    for before, after in moved(path).values():
        assert after == before
    for workflow in Workflow.objects.all():
        recount(workflow)


# What has ended comes back the same


def test_a_completed_workflow_comes_back_the_same(stage: Stage, tmp_path: Path) -> None:
    stage.run(node("a", config={"value": {"x": [1, 2.5, None, "ü"]}}), node("b", "echo_thread", "a"), **MOVES)
    unchanged(tmp_path)


def test_a_failed_one_with_retries_keeps_errors_attempts_and_log_lines(stage: Stage, tmp_path: Path) -> None:
    workflow = stage.run(node("a"), node("b", "flaky", "a", retry=TWICE), node("c", "echo", "b"))
    said = log_of(workflow, "b")
    unchanged(tmp_path)
    workflow = Workflow.objects.get()
    assert (workflow.status, step(workflow, "b").attempt, log_of(workflow, "b")) == (Status.FAILED, 2, said)
    assert set(LogLine.objects.filter(step__node_id="b").values_list("level", flat=True)) >= {"ERROR"}


def test_a_branch_its_skipped_steps_and_a_forgiven_failure_come_back_the_same(stage: Stage, tmp_path: Path) -> None:
    left, right = node("left", "echo", "decide"), node("right", "echo", "decide")
    stage.run(BRANCH, left, right, node("bad", "flaky", config={"how": "fail"}, on_failure="continue"))
    unchanged(tmp_path)
    shown = report.workflow(Workflow.objects.get().uid)
    assert shown["branches"] == [{"step": "decide", "case": "big", "next": ["left"]}] and shown["progress"] == 100
    assert statuses(Workflow.objects.get())["right"] == "SKIPPED"


def test_a_stopped_one_comes_back_the_same_and_resumes(stage: Stage, tmp_path: Path) -> None:
    workflow = stage.start(node("a"), node("long", "delay", "a", config={"seconds": 60}), node("z", "echo", "long"))
    stage.drain()
    stage.stop(workflow)
    unchanged(tmp_path)
    workflow = control.resume(uid=workflow.uid, now=stage.now)
    assert stage.play(workflow).status == Status.COMPLETED


def test_a_map_comes_back_with_the_counts_of_its_elements_and_without_them(stage: Stage, tmp_path: Path) -> None:
    stage.run(Node("each", "map", config={"items": [1, 2, 3]}, body=node("each", config={"value": "{{ item }}"}), retry=RetryPolicy(0)))
    unchanged(tmp_path)
    workflow = Workflow.objects.get()
    assert report.workflow(workflow.uid)["steps"][0]["metadata"]["elements"]["completed"] == 3
    assert list(statuses(workflow)) == ["each"]
    control.retry(uid=workflow.uid, now=stage.now, from_step="each")
    assert stage.play(workflow).status == Status.COMPLETED
    assert len(statuses(workflow)) == 4 and step(workflow, "each").output["results"] == [1, 2, 3], "a retry makes the elements anew"


def test_a_sub_workflow_and_its_parent_come_back_linked(stage: Stage, tmp_path: Path) -> None:
    a_template("child", definition=a_definition(node("say")), params_schema={"type": "object"})
    parent = stage.run(Node("call", "sub_workflow", config={"template": "child"}))
    assert parent.status == Status.COMPLETED
    unchanged(tmp_path)
    child = Workflow.objects.get(parent__uid=parent.uid)
    assert (child.template_version.template.slug, child.template_version.number) == ("child", 1)


def test_a_template_that_is_not_here_leaves_the_workflow_without_one(tmp_path: Path, db: None) -> None:
    put(tmp_path / "gone", a_state(templateId="gone", templateVersion=1))
    a_template("here", version=3)
    put(tmp_path / "other", a_state(id=OTHER, templateId="here", templateVersion=2))
    put(tmp_path / "same", a_state(id="2" + OTHER[1:], templateId="here", templateVersion=3))
    for part in ("gone", "other", "same"):
        import_all(tmp_path / part)
    assert [workflow.template_version and workflow.template_version.number for workflow in Workflow.objects.order_by("pk")] == [
        None,
        None,
        3,
    ]


# What had not ended is stopped


def waiting_kinds() -> dict[str, tuple[Node, ...]]:
    return {
        "waits for a time": (node("a", "delay", config={"seconds": 60}), node("b", "echo", "a")),
        "waits for an approval": (node("a", "approval", config={"message": "May we?"}), node("b", "echo", "a")),
        "waits for an event": (node("a", "wait_for_event"), node("b", "echo", "a")),
        "waits for its retry": (node("a", "flaky", config={"times": 1}, retry=TWICE), node("b", "echo", "a")),
        "waits for its elements": (Node("a", "map", config={"items": [1]}, body=node("a", "delay", config={"seconds": 9})),),
    }


@pytest.mark.parametrize("kind", waiting_kinds())
def test_what_waited_is_stopped_with_the_reason_and_a_resume_starts_it(stage: Stage, tmp_path: Path, kind: str) -> None:
    workflow = stage.start(*waiting_kinds()[kind], **MOVES)
    stage.drain()
    ((before, after),) = moved(tmp_path).values()
    assert before["status"] == "RUNNING" and after["status"] == "STOPPED"
    assert after["error"] == "It was RUNNING when it was exported: resume it to go on"
    assert {found["metadata"]["reason"] for found in after["steps"]} == {
        f"it was {found['status']} when the workflow was exported" for found in before["steps"]
    }
    same = set(before) - {"status", "error", "steps", "endTime", "duration", "metrics"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert after["endTime"] == before["updatedAt"]
    workflow = control.resume(uid=workflow.uid, now=stage.now)
    recount(workflow)
    stage.drain()
    if kind == "waits for an approval":
        decide(uid=workflow.uid, step_id="a", approved=True, data={}, by=a_user("ada"), now=stage.now)
    if kind != "waits for an event":
        assert stage.play(workflow).status == Status.COMPLETED


def test_a_running_and_an_untouched_one_are_stopped_too(tmp_path: Path, db: None) -> None:
    running = a_workflow(statuses={"fetch": Status.RUNNING})
    pending, submitted = a_workflow(), a_workflow(awaits_trigger=True)
    export_all(tmp_path)
    forget_all()
    assert {result.kind for result in import_all(tmp_path).values()} == {"stopped"}
    for old in (running, pending, submitted):
        workflow = Workflow.objects.get(uid=old.uid)
        assert statuses(workflow) == {"fetch": "STOPPED", "shape": "STOPPED"}
        recount(control.resume(uid=workflow.uid, now=NOW))
        assert statuses(workflow) == {"fetch": "PENDING", "shape": "WAITING_FOR_DEPENDENCY"}


def test_a_parent_and_its_child_that_waited_are_both_stopped_and_the_parent_goes_on_with_a_new_child(stage: Stage, tmp_path: Path) -> None:
    a_template("child", definition=a_definition(node("long", "delay", config={"seconds": 60})), params_schema={"type": "object"})
    parent = stage.start(Node("call", "sub_workflow", config={"template": "child"}))
    stage.drain()
    moved(tmp_path)
    assert {workflow.status for workflow in Workflow.objects.all()} == {Status.STOPPED}
    control.resume(uid=parent.uid, now=stage.now)
    stage.drain()
    for _ in range(3):
        stage.to_next_timer()
        stage.drain()
    assert Workflow.objects.get(uid=parent.uid).status == Status.COMPLETED
    assert [child.status for child in Workflow.objects.filter(parent__uid=parent.uid).order_by("pk")] == [Status.STOPPED, Status.COMPLETED]


# Going on with what was imported


def test_a_retry_of_a_failed_one_runs_the_failed_step_and_keeps_the_rest(stage: Stage, tmp_path: Path) -> None:
    workflow = stage.run(node("a"), node("b", "flaky", "a", config={"times": 1, "how": "fail"}), node("c", "echo", "b"))
    moved(tmp_path)
    workflow = stage.play(control.retry(uid=workflow.uid, now=stage.now))
    assert (workflow.status, workflow.error) == (Status.COMPLETED, "")
    assert step(workflow, "b").output == 2, "attempts are numbered on"
    recount(workflow)


def test_a_rerun_takes_definition_and_parameters_from_the_archive(stage: Stage, tmp_path: Path) -> None:
    workflow = stage.run(node("a", config={"value": "{{ params.n }}"}), params={"n": 7})
    moved(tmp_path)
    again = stage.play(control.rerun(uid=workflow.uid, now=stage.now))
    assert (again.status, step(again, "a").output, again.parent.uid) == (Status.COMPLETED, 7, workflow.uid)


@pytest.mark.parametrize("verb", ["resume", "retry", "rerun"])
def test_without_its_definition_nothing_can_be_run_again_and_the_reason_is_said(tmp_path: Path, db: None, verb: str) -> None:
    status = {"resume": "RUNNING", "retry": "FAILED", "rerun": "COMPLETED"}[verb]
    put(tmp_path, a_state(a_step_state(status=status), status=status))
    assert not import_all(tmp_path)[UID].is_runnable
    shown = report.workflow(UID)
    assert "_rebuilt" not in shown["metadata"] and (verb != "resume" or "definition.json was not there" in shown["error"])
    with pytest.raises(NotAllowed, match=r"without its definition\.json.*import it with that file"):
        getattr(control, verb)(uid=UID, now=NOW)
    assert report.workflow(UID) == shown and Workflow.objects.count() == 1


# What earlier engines wrote


def test_a_file_of_the_earlier_engine_is_read(tmp_path: Path, db: None) -> None:
    """Times without offset, log lines without level, no word on attempts, params or times of the workflow."""
    first = a_step_state("step_1", startTime="2025-03-01T10:00:00.5", endTime="2025-03-01T10:00:05.5", logs=["Started execution at noon"])
    second = a_step_state("step_2", status="PENDING", startTime=None, endTime=None, outputs=None, logs=None, dependencies=["step_1"])
    put(tmp_path, a_state(first, second, status="FAILED", createdAt="2025-03-01T10:00:00", updatedAt="2025-03-01T10:00:06"))
    import_all(tmp_path)
    shown = report.workflow(UID)
    assert (shown["createdAt"], shown["startTime"]) == ("2025-03-01T10:00:00+00:00", "2025-03-01T10:00:00.500000+00:00")
    assert (shown["endTime"], shown["duration"], shown["progress"]) == ("2025-03-01T10:00:06+00:00", "5 sec", 50)
    assert shown["steps"][0]["logs"] == ["2025-03-01T10:00:00.500000+00:00 INFO Started execution at noon"]
    assert [found["attempts"] for found in shown["steps"]] == [1, 0]
    assert shown["steps"][1]["metadata"] == {"skipped": False, "reason": "it was PENDING when the workflow was exported"}
    recount(Workflow.objects.get())


def test_what_follows_from_the_steps_is_computed_and_not_believed(tmp_path: Path, db: None) -> None:
    steps = [a_step_state(duration="9 hr", attempts=3, waitingFor="x", availableAt=7), a_step_state("b", status="FAILED", error="no")]
    put(tmp_path, a_state(*steps, status="FAILED", progress=100, metrics={"steps": 900}, branches=[{"step": "fetch"}], duration="1 sec"))
    import_all(tmp_path)
    shown = report.workflow(UID)
    assert (shown["progress"], shown["branches"], shown["metrics"]["steps"], shown["duration"]) == (50, [], 2, "5 sec")
    assert (shown["steps"][0]["duration"], shown["steps"][0]["waitingFor"], shown["steps"][0]["attempts"]) == ("5 sec", [], 3)


def test_a_failure_in_a_completed_workflow_was_forgiven(tmp_path: Path, db: None) -> None:
    put(tmp_path, a_state(a_step_state(status="FAILED"), a_step_state("b")))
    assert import_all(tmp_path)[UID].kind == "imported"
    assert report.workflow(UID)["progress"] == 100


def test_one_that_had_done_everything_is_completed(tmp_path: Path, db: None) -> None:
    put(tmp_path, a_state(status="RUNNING"))
    assert import_all(tmp_path)[UID].kind == "imported"
    assert Workflow.objects.get().status == Status.COMPLETED


# Many


@pytest.mark.parametrize("parent_first", [True, False])
def test_a_child_finds_its_parent_whichever_comes_first(tmp_path: Path, db: None, parent_first: bool) -> None:
    parent, child = (UID, OTHER) if parent_first else (OTHER, UID)
    put(tmp_path, a_state(id=parent))
    put(tmp_path, a_state(id=child, parentId=parent))
    put(tmp_path, a_state(id="9" + OTHER[1:], parentId="8" + OTHER[1:]))
    assert {result.kind for result in import_all(tmp_path).values()} == {"imported"}
    assert report.workflow(child)["parentId"] == parent
    assert report.workflow("9" + OTHER[1:])["parentId"] is None, "its parent is nowhere"


def test_a_second_import_leaves_everything_alone(tmp_path: Path, db: None) -> None:
    put(tmp_path, a_state())
    import_all(tmp_path)
    Workflow.objects.update(name="Renamed since")
    (tmp_path / UID / "state.json").write_text("not even read")
    assert import_all(tmp_path)[UID].kind == "existing"
    assert Workflow.objects.get().name == "Renamed since"


def test_other_things_in_the_directory_are_passed_by(tmp_path: Path, db: None) -> None:
    put(tmp_path, a_state(id=OTHER), name="notes")
    put(tmp_path, a_state(id=OTHER), name=OTHER.upper())
    put(tmp_path, a_state(id=OTHER), name="{" + OTHER + "}")
    (tmp_path / "queue-state.json").write_text("[]")
    assert import_all(tmp_path) == {}


def test_of_a_talkative_step_the_latest_lines_are_kept(tmp_path: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MAX_LINES", 3)
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    for number in range(5):
        a_log_line(workflow.steps.first(), f"line {number}")
    export_all(tmp_path)
    forget_all()
    import_all(tmp_path)
    assert log_of(Workflow.objects.get(), "fetch").splitlines() == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize("message", ["two\nlines", " led by a space", "", "2026 INFO nested", "…"])
def test_a_log_line_of_any_form_comes_back(tmp_path: Path, db: None, message: str) -> None:
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    a_log_line(workflow.steps.first(), message, level="WARNING")
    unchanged(tmp_path)
    line = LogLine.objects.get()
    assert (line.message, line.level, line.at) == (message, "WARNING", NOW)
