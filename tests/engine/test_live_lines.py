"""Log lines while a step runs: the thread that writes takes them while the action's own goes on, and only so many."""

from __future__ import annotations

from tests.engine.stage import Stage, node, step
from workflows_app.engine import report
from workflows_app.engine.control import retry


def test_how_often_parameters_changed_is_no_metadata_of_the_users(stage: Stage) -> None:
    workflow = stage.run(node("a"), params={"x": 1}, metadata={"team": "blue"})
    retry(uid=workflow.uid, now=stage.now, from_step="a", params={"x": 2})
    stage.play(workflow)
    assert step(workflow, "a").attempt == 2
    assert report.workflow(workflow.uid)["metadata"] == {"team": "blue"}
