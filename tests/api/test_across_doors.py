"""A workflow started through one door is visible and operable through every other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.calls import call, get, post
from tests.api.templates_for_tests import a_published
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage
from workflows_app.models import Workflow

FROM_TASKS = {"name": "x", "steps": [{"execution_type": "sequential", "tasks": [{"name": "task_a"}, {"name": "task_c"}]}]}


def by_template() -> str:
    a_published()
    return str(post("/api/workflows/from-template?template_id=data_processing").json()["id"])


def by_inline_definition() -> str:
    nodes = [{"id": "a", "handler": "input"}, {"id": "b", "handler": "output", "dependencies": ["a"]}]
    body = {"name": "x", "dialect": "dag", "definition": {"name": "x", "dag": {"nodes": nodes}}, "params": {"n": 1}}
    return str(post("/api/workflows", body).json()["id"])


def by_tasks() -> str:
    return str(post("/api/workflow", FROM_TASKS).json()["workflow_id"])


def by_event() -> str:
    nodes = [{"id": "a", "type": "start"}, {"id": "b", "type": "output"}]
    post("/api/graph/workflows", {"name": "x", "trigger": True, "nodes": nodes, "edges": [{"source": "a", "target": "b"}]})
    return str(post("/api/graph/events", {"n": 1}).json()["executions"][0]["id"])


def by_dag() -> str:
    nodes = [{"id": "a", "handler": "input"}, {"id": "b", "handler": "output", "dependencies": ["a"]}]
    uid = post("/v1/workflow", {"name": "x", "dag": {"nodes": nodes}}).json()["execution_id"]
    post(f"/v1/workflow/trigger/{uid}", {"input_params": {"n": 1}})
    return str(uid)


DOORS = [by_template, by_inline_definition, by_tasks, by_event, by_dag]


@pytest.fixture(params=DOORS, ids=[door.__name__ for door in DOORS])
def started(request: pytest.FixtureRequest, stage: Stage) -> str:
    door: Callable[[], str] = request.param
    return door()


def end(stage: Stage, uid: str) -> Workflow:
    return stage.play(Workflow.objects.get(uid=uid))


def seen(uid: str) -> set[str]:
    """Its status as each door tells it."""
    return {
        get(f"/api/workflows/{uid}").json()["status"],
        get(f"/api/workflow/{uid}").json()["status"],
        get(f"/api/graph/executions/{uid}").json()["status"],
        get(f"/v1/workflows/{uid}").json()["state"],
        get(f"/v1/workflows/{uid}/results").json()["state"],
    }


def test_every_door_shows_it_and_tells_the_same(stage: Stage, started: str) -> None:
    assert seen(started) == {"PENDING"}
    end(stage, started)
    assert seen(started) == {"COMPLETED"}
    steps = get(f"/api/workflows/{started}").json()["steps"]
    assert [step["id"] for step in get(f"/api/graph/executions/{started}/steps").json()] == [step["id"] for step in steps]
    assert get(f"/v1/workflows/{started}").json()["node_states"] == {step["id"]: "COMPLETED" for step in steps}
    assert get(f"/v1/workflows/{started}/results").json()["results"] == {step["id"]: step["outputs"] for step in steps}


def test_it_is_in_every_list(stage: Stage, started: str) -> None:
    assert started in [row["id"] for row in get("/api/workflows").json()]
    assert started in [row["id"] for row in get("/api/graph/executions").json()]


def test_it_can_be_stopped_resumed_rerun_and_deleted(stage: Stage, started: str) -> None:
    path = f"/api/workflows/{started}"
    assert post(f"{path}/stop").json()["status"] == "STOPPED"
    assert seen(started) == {"STOPPED"}
    assert post(f"{path}/resume").status_code == 200
    end(stage, started)
    again = post(f"{path}/rerun").json()
    assert (again["parentId"], again["params"]) == (started, get(path).json()["params"])
    end(stage, again["id"])
    assert seen(again["id"]) == {"COMPLETED"}
    assert call("DELETE", path).status_code == 204
    assert get(f"/v1/workflows/{started}").status_code == get(f"/api/graph/executions/{started}").status_code == 404


def test_one_step_and_all_below_it_can_run_again(stage: Stage, started: str) -> None:
    end(stage, started)
    first = get(f"/api/workflows/{started}").json()["steps"][0]["id"]
    assert post(f"/api/workflows/{started}/retry", {"fromStep": first}).status_code == 200
    end(stage, started)
    assert [step["attempts"] for step in get(f"/api/graph/executions/{started}/steps").json()] == [2, 2]


def test_one_that_ended_is_triggered_again_at_the_door_of_dags(stage: Stage, started: str) -> None:
    end(stage, started)
    answer = post(f"/v1/workflow/trigger/{started}").json()
    end(stage, answer["execution_id"])
    assert answer["execution_id"] != started and seen(answer["execution_id"]) == {"COMPLETED"}


def test_what_failed_at_one_door_is_retried_at_another(stage: Stage) -> None:
    nodes = [{"id": "a", "handler": "flaky", "config": {"times": 1}, "retries": 0}]
    uid = post("/v1/workflow", {"name": "x", "dag": {"nodes": nodes}}).json()["execution_id"]
    post(f"/v1/workflow/trigger/{uid}")
    end(stage, uid)
    assert seen(uid) == {"FAILED"}
    post(f"/api/workflows/{uid}/retry")
    end(stage, uid)
    assert seen(uid) == {"COMPLETED"}


def test_what_was_submitted_and_stopped_before_it_began_starts_as_a_new_execution(stage: Stage) -> None:
    uid = post("/v1/workflow", {"name": "x", "dag": {"nodes": [{"id": "a", "handler": "input"}]}}).json()["execution_id"]
    assert post(f"/api/workflows/{uid}/stop").status_code == 200
    again = post(f"/v1/workflow/trigger/{uid}").json()["execution_id"]
    end(stage, again)
    assert (again != uid, seen(uid), seen(again)) == (True, {"STOPPED"}, {"COMPLETED"})


def shown_as_step(uid: str, id: str) -> dict[str, Any]:
    return next(step for step in get(f"/api/graph/executions/{uid}/steps").json() if step["id"] == id)


def test_what_a_branch_ruled_out_is_skipped_at_every_door(stage: Stage) -> None:
    """CONTRACT.md section 2: reported as STOPPED with `metadata.skipped`; it counts as done."""
    cases = {"cases": [{"condition": {"==": [{"var": "n"}, 1]}, "next": "yes"}, {"else": True, "next": "no"}]}
    nodes = [{"id": "pick", "type": "branch", "data": cases}, {"id": "yes", "type": "output"}, {"id": "no", "type": "output"}]
    post("/api/graph/workflows", {"name": "x", "trigger": True, "nodes": nodes})
    uid = post("/api/graph/events", {"n": 1}).json()["executions"][0]["id"]
    end(stage, uid)
    assert (shown_as_step(uid, "no")["status"], shown_as_step(uid, "no")["skipped"]) == ("STOPPED", True)
    assert (shown_as_step(uid, "yes")["skipped"], get(f"/api/workflow/{uid}").json()["progress"]) == (False, 100)
    assert get(f"/v1/workflows/{uid}").json()["node_states"] == {"pick": "COMPLETED", "yes": "COMPLETED", "no": "STOPPED"}
    assert get(f"/v1/workflows/{uid}/results").json()["output"] == {"yes": get(f"/v1/workflows/{uid}/results").json()["results"]["yes"]}
