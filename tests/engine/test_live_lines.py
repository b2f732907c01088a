"""Log lines while a step runs: the thread that writes takes them while the action's own goes on."""

from __future__ import annotations

from tests.engine.stage import Stage, node, step
from workflows_app.engine import report
from workflows_app.engine.control import retry
from workflows_app.engine.runner import Run


def test_a_line_said_just_as_the_lines_are_taken_comes_with_the_next() -> None:
    run = Run.__new__(Run)
    run.lines = [{"message": "first"}]
    about_to_say = run.lines.append
    assert run.take_lines() == [{"message": "first"}]
    about_to_say({"message": "second"})
    assert run.take_lines() == [{"message": "second"}]
    assert run.take_lines() == []


def test_how_often_parameters_changed_is_no_metadata_of_the_users(stage: Stage) -> None:
    workflow = stage.run(node("a"), params={"x": 1}, metadata={"team": "blue"})
    retry(uid=workflow.uid, now=stage.now, from_step="a", params={"x": 2})
    stage.play(workflow)
    assert step(workflow, "a").attempt == 2
    assert report.workflow(workflow.uid)["metadata"] == {"team": "blue"}
