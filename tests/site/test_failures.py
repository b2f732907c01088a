"""What people and programs see when a view crashes or the database is away."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db


def refuse(execute: Any, *rest: Any) -> Any:
    raise OperationalError("connection refused")


def test_a_page_answers_503_while_the_database_is_away() -> None:
    with connection.execute_wrapper(refuse):
        response = Client(raise_request_exception=False).get("/workflows")
    assert response.status_code == 503
    assert response["Content-Type"].startswith("text/html")


def test_a_page_that_crashes_is_a_500_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows_app.engine import report

    monkeypatch.setattr(report, "workers", lambda now: 1 / 0)
    response = Client(raise_request_exception=False).get("/api/workers")
    assert response.status_code == 500
    assert "ZeroDivision" not in response.content.decode()
