"""What people and programs see when a view crashes or the database is away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.test import Client

from hybrid_site.failures import is_database_away
from tests.processes.group import shared_database, until

PAGES = ["/workflows", "/templates", "/workers", "/events", "/approvals", "/notifications", "/admin/"]
LISTS = ["/api/workflows", "/api/templates", "/api/workers", "/api/queue", "/api/stats", "/api/events"]
Outage = Callable[[type[Exception]], AbstractContextManager[None]]


def refusing(error: type[Exception]) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise error("connection to 10.1.2.3 refused: user=secret")

    return refuse


@contextmanager
def away(error: type[Exception]) -> Iterator[None]:
    """No statement of the ORM, and none of the engine's, gets through."""
    with ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(refusing(error)))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("workflows_app.engine.sql.transaction.Session.run", refusing(error))
        yield


def client(**more: Any) -> Client:
    return Client(raise_request_exception=False, **more)


def says_nothing_it_should_not(response: HttpResponse) -> bool:
    return not any(word in response.content.decode() for word in ("secret", "10.1.2.3", "Traceback", "Error"))


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_503_in_plain_words_and_asks_again_by_itself(path: str, error: type[Exception]) -> None:
    with away(error):
        response = client().get(path)
    assert response.status_code == 503 and response["Content-Type"].startswith("text/html")
    assert "The database does not answer" in response.content.decode() and 'http-equiv="refresh"' in response.content.decode()
    assert (response["Retry-After"], response["Cache-Control"]) == ("2", "no-store")
    assert says_nothing_it_should_not(response)


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("path", LISTS)
def test_the_api_answers_503_in_json(path: str, error: type[Exception]) -> None:
    with away(error):
        response = client().get(path)
    assert response.status_code == 503
    assert response.json() == {"detail": "The database does not answer. Try again in a moment."}
    assert response["Retry-After"]


@pytest.mark.django_db
def test_a_part_of_a_page_that_is_asked_for_again_and_again_answers_503() -> None:
    with away(OperationalError):
        assert client().get("/workflows", headers={"HX-Request": "true"}).status_code == 503


@pytest.mark.django_db
def test_what_was_sent_is_not_sent_again_by_the_page_that_says_so() -> None:
    with away(OperationalError):
        response = client().post("/events", {"type": "order", "payload": "{}"})
    assert response.status_code == 503 and 'http-equiv="refresh"' not in response.content.decode()
    assert "Whether what you sent was done is not certain" in response.content.decode()


@pytest.mark.django_db
def test_whoever_would_change_something_is_not_told_that_nothing_was_changed() -> None:
    """The connection may have broken after the commit."""
    with away(OperationalError):
        response = client().post(f"/api/workflows/{uuid.uuid4()}/stop")
    assert response.status_code == 503 and "whether this was done is not certain" in response.json()["detail"]
    assert "Retry-After" not in response


@pytest.mark.django_db
def test_what_may_be_sent_again_is_told_when() -> None:
    body = {"name": "x", "definition": {"steps": [{"id": "a", "action": "input"}]}}
    with away(OperationalError):
        headers = {"Idempotency-Key": "once"}
        assert client().post("/api/workflows", body, content_type="application/json", headers=headers)["Retry-After"]
        assert "Retry-After" not in client().post("/events", {"type": "order", "payload": "{}"})


@pytest.mark.django_db
def test_who_is_logged_in_is_not_known_without_the_database_either(server_mode: None) -> None:
    """The session and the user are rows too: middleware asks for them before any view."""
    user = User.objects.create_user("ann", password="x")
    ours = client()
    ours.force_login(user)
    with away(OperationalError):
        assert ours.get("/workflows").status_code == 503
        assert ours.get("/api/workflows").status_code == 503
        assert ours.get("/api/workflows")["Content-Type"].startswith("application/json")
        assert client().get("/api/workflows", headers={"Authorization": "Bearer abc"}).status_code == 503
        assert client().post("/login", {"username": "ann", "password": "x"}).status_code == 503
    assert ours.get("/workflows").status_code == 200


@pytest.mark.django_db
def test_health_says_what_is_unhealthy() -> None:
    with away(OperationalError):
        response = client().get("/api/health")
    assert response.status_code == 503 and response.json()["components"]["database"]["status"] == "unhealthy"


@pytest.mark.django_db
def test_a_workflow_that_cannot_be_kept_is_not_accepted() -> None:
    body = {"name": "x", "definition": {"steps": [{"id": "a", "action": "input"}]}, "dialect": "template"}
    with away(OperationalError):
        assert client().post("/api/workflows", body, content_type="application/json").status_code == 503


@pytest.mark.django_db
def test_a_page_that_crashes_is_a_500_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows_app.engine import report

    monkeypatch.setattr(report, "workers", lambda now: 1 / 0)
    response = client().get("/api/workers")
    assert response.status_code == 500
    assert "ZeroDivision" not in response.content.decode()


def test_an_error_that_came_of_the_databases_absence_is_one() -> None:
    def caught(*chain: type[Exception], plainly: bool = False) -> Exception:
        try:
            try:
                raise chain[0]("first")
            except chain[0] as first:
                raise chain[1]("then") from (None if plainly else first)
        except chain[1] as error:
            return error

    assert is_database_away(caught(OperationalError, ValueError))
    assert is_database_away(caught(InterfaceError, RuntimeError))
    assert not is_database_away(caught(OperationalError, ValueError, plainly=True))
    assert not is_database_away(caught(KeyError, ValueError))
    assert not is_database_away(None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="a file that cannot be opened is SQLite's way to be away")
def test_a_sqlite_file_that_cannot_be_opened_is_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "/nonexistent/place/x.sqlite3")
        assert client().get("/workflows").status_code == 503
        assert client().get("/api/workflows").status_code == 503
        assert client().get("/api/health").status_code == 503
    connection.close()
    assert client().get("/workflows").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="about connections to a server")
@pytest.mark.parametrize("path", ["/workflows", "/api/workflows", "/api/workers", "/api/health"])
def test_a_connection_that_broke_between_two_requests_is_replaced_unnoticed(path: str) -> None:
    ours = client()
    assert ours.get(path).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with psycopg.connect(shared_database()["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        until("it is gone", lambda: not other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone())
    connection.close_if_unusable_or_obsolete()  # what every request begins with
    assert ours.get(path).status_code == 200
