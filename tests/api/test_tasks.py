"""Sequential and parallel tasks over the API (CONTRACT.md section 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.calls import detail, fields, get, post
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage, statuses
from tests.factories import a_token, a_workflow
from workflows_app.models import Step, Workflow

SAMPLE: dict[str, Any] = {
    "name": "sample_workflow",
    "steps": [
        {
            "execution_type": "sequential",
            "tasks": [{"name": "task_a", "params": {"timeout": 30}}, {"name": "task_b", "params": {"retry_count": 3}}],
        },
        {"execution_type": "parallel", "tasks": [{"name": "task_c", "params": {"priority": "high"}}]},
    ],
}


def of(*steps: tuple[str, list[str]]) -> dict[str, Any]:
    return {"name": "x", "steps": [{"execution_type": kind, "tasks": [{"name": name} for name in names]} for kind, names in steps]}


def with_step(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "steps": [{"execution_type": "parallel", "tasks": [{"name": "task_a"}], **changes}]}


def test_the_sample_runs_to_its_end(stage: Stage) -> None:
    """CONTRACT.md section 4: `task_a`, `task_b`, `task_c` exist; a client changes the base URL only."""
    response = post("/api/workflow", SAMPLE)
    assert response.status_code == 200
    started = response.json()
    assert (started["workflow_id"], started["name"], started["status"]) == (started["id"], "sample_workflow", "PENDING")
    stage.play(Workflow.objects.get(uid=started["workflow_id"]))
    ended = get(f"/api/workflow/{started['workflow_id']}").json()
    assert (ended["status"], ended["progress"]) == ("COMPLETED", 100)
    assert [(step["id"], step["dependencies"]) for step in ended["steps"]] == [
        ("task_a", []), ("task_b", ["task_a"]), ("task_c", ["task_b"]),
    ]  # fmt: skip
    assert ended["steps"][0]["outputs"] == {"task": "task_a", "params": {"timeout": 30}}


@pytest.mark.django_db
def test_timeout_retry_count_and_priority_are_policies_too() -> None:
    """CONTRACT.md section 4: `timeout` (seconds), `retry_count` and `priority` are also the step's policy."""
    uid = post("/api/workflow", SAMPLE).json()["workflow_id"]
    nodes = Workflow.objects.get(uid=uid).definition.compiled().by_id
    assert (nodes["task_a"].timeout_seconds, nodes["task_b"].retry.retries, nodes["task_c"].priority) == (30, 3, 0)
    assert Step.objects.get(node_id="task_c").priority == 0


@pytest.mark.django_db
def test_steps_run_one_after_another_and_the_next_waits_for_all_tasks() -> None:
    """CONTRACT.md section 4: the next step starts when all its tasks are done."""
    body = of(("parallel", ["task_a", "task_b"]), ("sequential", ["task_c", "task_a"]), ("parallel", ["task_b"]))
    steps = post("/api/workflow", body).json()["steps"]
    assert {step["id"]: step["dependencies"] for step in steps} == {
        "task_a": [], "task_b": [], "task_c": ["task_a", "task_b"], "task_a_2": ["task_c"], "task_b_2": ["task_a_2"],
    }  # fmt: skip


@pytest.mark.django_db
def test_an_unknown_task_is_refused_and_the_known_ones_are_listed() -> None:
    """CONTRACT.md section 4: an unknown task name is 422 and lists the known ones."""
    response = post("/api/workflow", of(("sequential", ["task_a", "task_x"])))
    assert response.status_code == 422
    (found,) = detail(response)
    assert (found["loc"], found["node"]) == (["body", "steps", 0, "tasks", 1, "name"], "task_x")
    assert all(name in found["msg"] for name in ("task_a", "task_b", "task_c"))
    assert not Workflow.objects.exists()


@pytest.mark.django_db
def test_the_same_key_and_tasks_answer_with_the_same_workflow_and_other_tasks_are_a_conflict() -> None:
    first, again = (post("/api/workflow", SAMPLE, Idempotency_Key="k").json()["workflow_id"] for _ in range(2))
    assert first == again
    assert post("/api/workflow", of(("parallel", ["task_a"])), Idempotency_Key="k").status_code == 409
    assert Workflow.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"body.name", "body.steps"}),
        ([], {"body"}),
        ({"name": "x", "steps": []}, {"body.steps"}),
        ({"name": 7, "steps": "x"}, {"body.name", "body.steps"}),
        ({"name": "x", "steps": [7]}, {"body.steps.0"}),
        (with_step(execution_type="sometimes"), {"body.steps.0.execution_type"}),
        (with_step(tasks=[]), {"body.steps.0.tasks"}),
        (with_step(tasks={}), {"body.steps.0.tasks"}),
        (with_step(tasks=[{"name": None}]), {"body.steps.0.tasks.0.name"}),
        (with_step(tasks=[{"name": "task_a", "params": 7}]), {"body.steps.0.tasks.0.params"}),
        ({**SAMPLE, "stpes": 1}, {"body.stpes"}),
    ],
)
def test_wrong_types_are_refused_by_field(body: Any, named: set[str]) -> None:
    assert fields(post("/api/workflow", body)) == named


@pytest.mark.django_db
def test_a_workflow_of_any_door_can_be_looked_at_and_an_unknown_one_is_not_found() -> None:
    workflow = a_workflow()
    shown = get(f"/api/workflow/{workflow.uid}").json()
    assert shown == {**get(f"/api/workflows/{workflow.uid}").json(), "workflow_id": str(workflow.uid)}
    response = get("/api/workflow/YOUR_WORKFLOW_ID")
    assert (response.status_code, detail(response)) == (404, "Workflow with ID YOUR_WORKFLOW_ID not found")


def test_a_client_with_a_token_needs_nothing_else(stage: Stage, server_mode: None) -> None:
    a_token(secret="s")
    response = post("/api/workflow", json.dumps(SAMPLE), Authorization="Bearer s")
    workflow = stage.play(Workflow.objects.get(uid=response.json()["workflow_id"]))
    assert set(statuses(workflow).values()) == {"COMPLETED"}
    assert [row["name"] for row in get("/api/workflows", Authorization="Bearer s").json()] == ["sample_workflow"]
