"""DAGs under /v1 (CONTRACT.md section 6)."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest

from tests.api.calls import detail, fields, get, post
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage, node, outcomes
from tests.factories import a_template, a_token, a_workflow
from workflows_app.graph.statuses import Status
from workflows_app.models import Definition, Workflow

ZERO = "00000000-0000-0000-0000-000000000007"


def dag(*nodes: dict[str, Any], name: str = "A DAG") -> dict[str, Any]:
    return {"name": name, "dag": {"nodes": list(nodes)}}


def one(id: str, handler: str = "call_external_service", *needs: str, **config: Any) -> dict[str, Any]:
    return {"id": id, "handler": handler, "dependencies": list(needs), **({"config": config} if config else {})}


def fetcher(url: str) -> dict[str, Any]:
    """Two fetches at once between an input and an output."""
    return dag(
        one("input", "input"),
        one("get_user", "call_external_service", "input", url=f"{url}/demo/echo?user={{{{ input.user_id }}}}"),
        one("get_posts", "call_external_service", "input", url=f"{url}/demo/orders"),
        one("output", "output", "get_user", "get_posts"),
        name="Parallel API Fetcher",
    )


def submitted(body: dict[str, Any]) -> dict[str, str]:
    response = post("/v1/workflow", body)
    assert response.status_code == 200, response.content
    return response.json()


def trigger(execution: str, body: Any = None) -> Any:
    return post(f"/v1/workflow/trigger/{execution}", {} if body is None else body)


def played(stage: Stage, execution: str) -> dict[str, Any]:
    """The results after everything has run."""
    stage.play(Workflow.objects.get(uid=execution))
    return get(f"/v1/workflows/{execution}/results").json()


@pytest.mark.django_db
def test_submitting_checks_and_keeps_and_does_not_start() -> None:
    """CONTRACT.md section 6: validates, stores and answers three keys, the execution PENDING and not started."""
    answer = submitted(fetcher("http://127.0.0.1"))
    assert set(answer) == {"workflow_definition_id", "execution_id", "message"}
    assert UUID(answer["workflow_definition_id"]) and UUID(answer["execution_id"])
    assert get(f"/v1/workflows/{answer['execution_id']}").json() == {
        "id": answer["execution_id"],
        "state": "PENDING",
        "started_at": None,
        "node_states": {"input": "PENDING", "get_user": "PENDING", "get_posts": "PENDING", "output": "PENDING"},
    }


def test_what_was_submitted_does_not_run_until_it_is_triggered(stage: Stage) -> None:
    execution = submitted(dag(one("a", "input")))["execution_id"]
    stage.drain()
    assert get(f"/v1/workflows/{execution}").json()["state"] == "PENDING"
    assert get(f"/api/workflows/{execution}").json()["steps"][0]["waitingFor"][0]["kind"] == "trigger"


@pytest.mark.django_db
def test_the_definition_id_is_that_of_the_content() -> None:
    first, same, other = (submitted(dag(one("a", "input"), name=name)) for name in ("x", "y", "z"))
    assert first["workflow_definition_id"] == same["workflow_definition_id"] == other["workflow_definition_id"]
    assert submitted(dag(one("b", "input")))["workflow_definition_id"] != first["workflow_definition_id"]
    assert first["execution_id"] != same["execution_id"]
    assert Definition.objects.first().digest.startswith(first["workflow_definition_id"].replace("-", "")[:8])  # type: ignore[union-attr]


def test_submit_trigger_status_and_results_as_an_earlier_client_asks_for_them(stage: Stage, live_server: Any) -> None:
    """CONTRACT.md section 6: the parallel fetcher, with `{{ input.name }}` and its type kept."""
    execution = submitted(fetcher(live_server.url))["execution_id"]
    response = trigger(execution, {"input_params": {"user_id": 123}})
    assert (response.status_code, response.json()["execution_id"]) == (200, execution)
    found = played(stage, execution)
    assert (found["id"], found["execution_id"], found["state"]) == (execution, execution, "COMPLETED")
    assert found["results"]["input"] == {"user_id": 123}
    assert found["results"]["get_user"]["body"]["query"] == {"user": "123"}
    assert found["output"] == found["results"]["output"]
    shown = get(f"/v1/workflows/{execution}").json()
    assert set(shown["node_states"].values()) == {"COMPLETED"} and re.match(r"\d{4}-\d\d-\d\dT.*\+00:00$", shown["started_at"])


def test_a_chain_runs_in_order_and_hands_its_data_on(stage: Stage, live_server: Any) -> None:
    body = dag(one("input", "input"), one("process", "call_external_service", "input", url=f"{live_server.url}/demo/echo"),
               one("output", "output", "process"), name="Linear Processing")  # fmt: skip
    execution = submitted(body)["execution_id"]
    trigger(execution)
    assert played(stage, execution)["output"]["process"]["status"] == 200


def test_fan_in_starts_exactly_once(stage: Stage, live_server: Any) -> None:
    """CONTRACT.md section 6: a node with several dependencies starts exactly once."""
    tasks = [one(f"task_{x}", "call_external_service", "input", url=f"{live_server.url}/demo/echo") for x in "bcd"]
    body = dag(one("input", "input"), *tasks, one("output", "output", "task_b", "task_c", "task_d"), name="Parallel Processing")
    execution = submitted(body)["execution_id"]
    trigger(execution)
    assert set(played(stage, execution)["output"]) == {"task_b", "task_c", "task_d"}
    assert outcomes(Workflow.objects.get(uid=execution), "output") == ["completed"]


def test_the_llm_example_runs_without_a_provider(stage: Stage, live_server: Any) -> None:
    """CONTRACT.md section 7: with none configured the demo provider answers; `{{ node.output.response }}` is the answer of a call."""
    analyze = {"prompt": "Analyze this data: {{ fetch_data.output.response }}", "model": "gpt-4", "temperature": 0.7, "max_tokens": 1000}
    body = dag(
        one("input", "input"),
        one("fetch_data", "call_external_service", "input", url=f"{live_server.url}/demo/orders", method="GET"),
        one("analyze", "llm_service", "fetch_data", **analyze),
        one("output", "output", "analyze"),
        name="LLM Analysis",
    )
    execution = submitted(body)["execution_id"]
    trigger(execution)
    found = played(stage, execution)
    assert (found["state"], found["results"]["analyze"]["provider"]) == ("COMPLETED", "demo")


def test_a_final_one_starts_again_as_a_new_execution_of_the_same_definition(stage: Stage) -> None:
    """CONTRACT.md section 6: again with other parameters once it is final; the answer has the new execution's id."""
    execution = submitted(dag(one("a", "input")))["execution_id"]
    trigger(execution, {"input_params": {"n": 1}})
    played(stage, execution)
    answer = trigger(execution, {"input_params": {"n": 2}}).json()
    again = answer["execution_id"]
    assert again != execution and answer["message"] == "The workflow was started again, as a new execution"
    assert (played(stage, again)["output"], played(stage, execution)["output"]) == ({"n": 2}, {"n": 1})
    assert get(f"/api/workflows/{again}").json()["parentId"] == execution
    once_more = trigger(again).json()["execution_id"]
    assert played(stage, once_more)["output"] == {"n": 2}
    assert len({row.definition_id for row in Workflow.objects.all()}) == 1


def test_while_it_runs_it_cannot_be_triggered(stage: Stage) -> None:
    execution = submitted(dag(one("a", "input")))["execution_id"]
    trigger(execution)
    response = trigger(execution)
    assert response.status_code == 409 and "PENDING" in detail(response)
    stage.play(Workflow.objects.get(uid=execution))
    assert Workflow.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["", "{}", '{"input_params": {}}', '{"input_params": null}', "null"])
def test_the_body_of_a_trigger_may_be_left_out(body: str) -> None:
    assert trigger(submitted(dag(one("a", "input")))["execution_id"], body).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ([], "body"),
        ({"input_params": []}, "body.input_params"),
        ({"input_params": "x"}, "body.input_params"),
        ({"params": {}}, "body.params"),
    ],
)
def test_a_wrong_trigger_names_its_field_and_starts_nothing(body: Any, named: str) -> None:
    execution = submitted(dag(one("a", "input")))["execution_id"]
    assert fields(trigger(execution, body)) == {named}
    assert Workflow.objects.get(uid=execution).awaits_trigger


@pytest.mark.django_db
def test_inputs_that_do_not_fit_the_schema_of_a_template_are_named() -> None:
    schema = {"type": "object", "properties": {"day": {"type": "string"}}, "additionalProperties": False}
    done = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
    workflow = a_workflow(template=a_template(params_schema=schema), statuses=done)
    assert fields(trigger(str(workflow.uid), {"input_params": {"day": 7, "n": 1}})) == {"body.input_params.day", "body.input_params.n"}


@pytest.mark.django_db
def test_the_same_key_submits_once() -> None:
    body = dag(one("a", "input"))
    first, again = (post("/v1/workflow", body, Idempotency_Key="k").json()["execution_id"] for _ in range(2))
    assert first == again and Workflow.objects.count() == 1
    assert post("/v1/workflow", dag(one("b", "input")), Idempotency_Key="k").status_code == 409


def test_results_are_there_as_far_as_it_came(stage: Stage) -> None:
    execution = submitted(dag(one("a", "input"), one("b", "approval", "a", message="ok?"), one("c", "output", "b")))["execution_id"]
    trigger(execution, {"input_params": {"n": 1}})
    stage.drain()
    found = get(f"/v1/workflows/{execution}/results").json()
    assert (found["state"], found["results"], found["output"]) == ("RUNNING", {"a": {"n": 1}}, None)
    states = get(f"/v1/workflows/{execution}").json()["node_states"]
    assert states == {"a": "COMPLETED", "b": "WAITING_FOR_DEPENDENCY", "c": "PENDING"}


def test_of_several_ends_the_output_has_each_by_its_id(stage: Stage) -> None:
    workflow = stage.run(node("a", "input"), node("b", "input", "a"), node("c", "input", "a"), node("d", "nope", "a"), params={"n": 1})
    assert set(get(f"/v1/workflows/{workflow.uid}/results").json()["output"]) == {"b", "c"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["workflows/{}", "workflows/{}/results"])
@pytest.mark.parametrize("execution", [ZERO, "7", "%00", "..%2f"])
def test_an_unknown_execution_is_not_found(path: str, execution: str) -> None:
    assert get(f"/v1/{path.format(execution)}").status_code == 404
    assert trigger(execution).status_code == 404


@pytest.mark.django_db
def test_health_is_open_and_tells_strangers_words_only(server_mode: None) -> None:
    """CONTRACT.md section 6: `GET /v1/health`."""
    health = get("/v1/health")
    assert health.status_code == 200 and health.json()["components"]["queue"] == {"status": "healthy"}
    a_token(secret="s")
    assert "due" in get("/v1/health", Authorization="Bearer s").json()["components"]["queue"]


def test_a_client_with_a_token_needs_nothing_else(stage: Stage, server_mode: None) -> None:
    a_token(secret="s")
    options = {"Authorization": "Bearer s"}
    execution = post("/v1/workflow", json.dumps(dag(one("a", "input"))), **options).json()["execution_id"]
    assert post(f"/v1/workflow/trigger/{execution}", {"input_params": {"n": 1}}, **options).status_code == 200
    stage.play(Workflow.objects.get(uid=execution))
    assert get(f"/v1/workflows/{execution}/results", **options).json()["output"] == {"n": 1}


def test_an_expression_alone_keeps_the_type_of_its_value(stage: Stage) -> None:
    """CONTRACT.md section 6: `{{ node_id.output }}`, `{{ node_id.output.a.b }}`, `{{ input.name }}`, each with its type; in a
    longer string they are text."""
    value = {"n": "{{ input.n }}", "deep": "{{ a.output.x.y }}", "all": "{{ a.output.x }}", "text": "n is {{ input.n }}"}
    execution = submitted(dag(one("a", "input"), one("out", "output", "a", value=value)))["execution_id"]
    trigger(execution, {"input_params": {"n": 7, "x": {"y": [1, None, 2.5]}}})
    assert played(stage, execution)["output"] == {"n": 7, "deep": [1, None, 2.5], "all": {"y": [1, None, 2.5]}, "text": "n is 7"}


def test_nodes_that_need_nothing_of_each_other_run_at_once(stage: Stage, live_server: Any) -> None:
    execution = submitted(fetcher(live_server.url))["execution_id"]
    trigger(execution, {"input_params": {"user_id": 1}})
    played(stage, execution)
    first, second = Workflow.objects.get(uid=execution).steps.filter(node_id__startswith="get_")
    assert max(first.started_at, second.started_at) < min(first.ended_at, second.ended_at)  # type: ignore[type-var]
