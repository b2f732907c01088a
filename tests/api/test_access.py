"""Who may call the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.api.calls import call, detail, get, post
from tests.api.templates_for_tests import SOURCE, a_published
from tests.factories import a_token, a_user, a_workflow, later
from workflows_app.api import api, v1
from workflows_app.models import ApiToken, Workflow

pytestmark = pytest.mark.django_db
START = "/api/workflows/from-template?template_id=data_processing"


ZERO = "00000000-0000-0000-0000-000000000007"
IDS = dict.fromkeys(("workflow_id", "execution_id", "notification_id", "event_id", "schedule_id"), ZERO)
FILL = {**IDS, "step_id": "a", "slug": "one", "graph_id": "one", "source": "shop"}


def every_operation() -> list[tuple[str, str]]:
    """Method and path of each, with ids filled in."""
    paths = api.get_openapi_schema()["paths"] | v1.get_openapi_schema()["paths"]
    return [(method.upper(), path.format(**FILL)) for path, methods in paths.items() for method in methods]


OPERATIONS = every_operation()
HEALTH = [("GET", "/api/health"), ("GET", "/v1/health")]
SIGNED = [("POST", "/api/events/webhooks/shop")]  # its signature stands for a login
CLOSED = [operation for operation in OPERATIONS if operation not in HEALTH + SIGNED]
WITHOUT_ROWS = [("POST", "/api/templates/one/validate"), ("GET", "/api/schedules/preview")]
TASKS = {"name": "x", "steps": [{"execution_type": "parallel", "tasks": [{"name": "task_a"}]}]}
GOOD_BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/api/workflows"): {"definition": SOURCE},
    ("POST", "/api/workflows/from-template"): {"template_id": "one"},
    ("POST", "/api/workflow"): TASKS,
    ("POST", "/api/schedules"): {"name": "x", "template": "one", "cron": "* * * * *"},
    ("POST", "/api/templates"): {"slug": "one", "source": SOURCE},
    ("POST", "/api/templates/import"): {"source": SOURCE},
    ("PUT", "/api/templates/one"): {"source": SOURCE},
    ("POST", "/api/graph/workflows"): {"nodes": [{"id": "a", "type": "start"}]},
    ("PUT", "/api/graph/workflows/one"): {"nodes": [{"id": "a", "type": "start"}]},
    ("POST", "/v1/workflow"): {"name": "x", "dag": {"nodes": [{"id": "a", "handler": "input"}]}},
}
UNSAFE = [(method, path) for method, path in CLOSED if method != "GET"]


def a_session() -> Client:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(a_user())
    return client


def test_there_is_something_to_walk() -> None:
    assert len(CLOSED) >= 48 and len(UNSAFE) >= 24
    assert {*HEALTH, *SIGNED} < set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_strangers_get_nothing(server_mode: None, method: str, path: str) -> None:
    response = call(method, path, {})
    assert response.status_code == 401
    assert "API token" in detail(response)
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), SIGNED)
def test_what_has_no_signature_gets_nothing(server_mode: None, method: str, path: str) -> None:
    response = call(method, path, {})
    assert response.status_code == 401 and "signature" in detail(response)


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "bearer", "Basic bG9jYWw6", "Token s", "s", "Bearer \u00e9"])
def test_what_is_no_good_token_gets_nothing(server_mode: None, header: str) -> None:
    a_token(secret="s")
    assert get("/api/workflows", Authorization=header).status_code == 401


def test_a_good_token_may_read_and_start_without_csrf(server_mode: None) -> None:
    a_published()
    a_token(secret="s")
    client = Client(enforce_csrf_checks=True)
    assert get("/api/workflows", client=client, Authorization="Bearer s").status_code == 200
    assert post(START, client=client, Authorization="Bearer s").status_code == 200
    assert post(START, client=client, Authorization="bearer s").status_code == 200


def test_an_expired_token_gets_nothing(server_mode: None) -> None:
    a_token(secret="s", expires_at=later(-1_000_000))
    response = get("/api/workflows", Authorization="Bearer s")
    assert response.status_code == 401
    assert "expired" in detail(response)


def test_a_bad_token_is_not_made_good_by_a_session_or_by_local_mode(client: Client) -> None:
    client.force_login(a_user())
    assert get("/api/workflows", client=client, Authorization="Bearer wrong").status_code == 401


def test_a_token_in_the_query_is_nothing(server_mode: None) -> None:
    a_token(secret="s")
    assert get("/api/workflows?token=s&access_token=s&key=s").status_code == 401


def test_a_session_may_read(server_mode: None) -> None:
    assert get("/api/workflows", client=a_session()).status_code == 200


@pytest.mark.parametrize(("method", "path"), UNSAFE)
def test_a_session_without_a_csrf_token_changes_nothing(server_mode: None, method: str, path: str) -> None:
    response = call(method, path, {}, client=a_session())
    assert response.status_code == 403
    assert "CSRF" in detail(response)


def test_a_session_with_a_csrf_token_may_change(server_mode: None) -> None:
    a_published()
    client = a_session()
    client.cookies["csrftoken"] = "x" * 32
    assert post(START, client=client, X_CSRFToken="x" * 32).status_code == 200


def test_the_session_of_a_user_who_left_is_nothing(server_mode: None) -> None:
    user = a_user()
    client = Client()
    client.force_login(user)
    user.is_active = False
    user.save()
    assert get("/api/workflows", client=client).status_code == 401


def test_in_local_mode_curl_needs_neither_token_nor_csrf() -> None:
    a_published()
    client = Client(enforce_csrf_checks=True)
    assert post(START, client=client).status_code == 200
    assert ApiToken.objects.count() == 0


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"X-Forwarded-For": "8.8.8.8"}, {"Sec-Fetch-Site": "cross-site"}])
def test_in_local_mode_another_site_starts_nothing(headers: dict[str, str]) -> None:
    a_published()
    response = post(START, **{name.replace("-", "_"): value for name, value in headers.items()})
    assert response.status_code == 403
    assert "local mode" in detail(response)
    assert not Workflow.objects.exists()


def test_in_local_mode_a_foreign_host_or_address_starts_nothing(client: Client) -> None:
    a_published()
    assert client.post(START, content_type="application/json", HTTP_HOST="evil.example").status_code == 403
    assert client.post(START, content_type="application/json", REMOTE_ADDR="10.0.0.7").status_code == 403
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("path", ["/api/docs", "/api/openapi.json", "/v1/docs", "/v1/openapi.json", "/docs", "/redoc"])
def test_the_documentation_is_for_callers(server_mode: None, path: str) -> None:
    stranger = get(path)
    assert (stranger.status_code, stranger["Location"]) == (302, f"/login?next={path}")
    assert get(path, client=a_session()).status_code in {200, 302}


def test_a_program_may_read_the_openapi_document_with_its_token(server_mode: None) -> None:
    a_token(secret="s")
    assert get("/api/openapi.json", Authorization="Bearer s").json()["openapi"].startswith("3.")


@pytest.mark.parametrize(
    "path", ["/api/", "/api/nothing", "/api/workflows/", "/api/workflows/x/y/z", "/api/health/x", "/api/static/docs", "/v1/", "/v1/x"]
)
def test_where_nothing_is_strangers_learn_nothing_and_get_json(server_mode: None, path: str) -> None:
    response = get(path)
    assert response.status_code == 404
    assert detail(response)


def test_a_wrong_method_is_told_the_right_ones() -> None:
    response = call("PUT", "/api/workflows")
    assert response.status_code == 405
    assert "POST" in response["Allow"] and "PUT is not allowed" in detail(response)


@pytest.mark.parametrize(("method", "path"), [operation for operation in OPERATIONS if operation not in WITHOUT_ROWS])
def test_while_the_database_is_away_the_answer_is_503(method: str, path: str) -> None:
    def refuse(execute: Any, *rest: Any) -> Any:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(refuse):
        response = call(method, path, GOOD_BODIES.get((method, path), {}))
    assert response.status_code == 503
    if (method, path) not in HEALTH:
        assert "database" in detail(response)


def test_while_the_database_is_away_tokens_get_503_and_not_401(server_mode: None) -> None:
    def refuse(execute: Any, *rest: Any) -> Any:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(refuse):
        assert get("/api/workflows", Authorization="Bearer s").status_code == 503


def test_what_nobody_expected_is_a_500_in_json_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows_app.engine import report

    def crash(uid: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(report, "workflow", crash)
    response = get(f"/api/workflows/{a_workflow().uid}")
    assert response.status_code == 500
    assert "secret" not in response.content.decode()
    assert "log" in detail(response)


def test_monitors_may_ask_for_the_head_alone(server_mode: None) -> None:
    response = call("HEAD", "/api/health")
    assert (response.status_code, response.content) == (200, b"")
    assert call("HEAD", "/api/workflows").status_code == 401
