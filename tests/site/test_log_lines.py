"""What requests leave in the log."""

from __future__ import annotations

import logging
from io import StringIO
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from workflows_app.engine import report

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the log's own handler writes."""
    (handler,) = (found for found in logging.getLogger().handlers if type(found) is logging.StreamHandler)
    stream = StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    return stream


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/api/workflows/nope", 404),
        ("PUT", "/api/workflows", 405),
        ("POST", "/api/workflows", 422),
    ],
)
def test_a_refused_request_leaves_nothing(log: StringIO, method: str, path: str, status: int) -> None:
    assert Client().generic(method, path, "{}", content_type="application/json").status_code == status
    assert log.getvalue() == ""


def test_a_foreign_host_leaves_one_line_that_names_it(log: StringIO, server_mode: None, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["engine.example.org"]
    assert Client().get("/login", headers={"Host": "evil.example.com"}).status_code == 400
    (line,) = log.getvalue().splitlines()
    assert "evil.example.com" in line


def test_a_crash_leaves_its_traceback(log: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "workers", lambda now: 1 / 0)
    assert Client(raise_request_exception=False).get("/api/workers").status_code == 500
    assert "Traceback" in log.getvalue()
    assert "ZeroDivisionError" in log.getvalue()


class SaidByTheDriver(Exception):
    """As psycopg's errors: with the server's code, or none when there was no server."""

    def __init__(self, words: str, sqlstate: str | None) -> None:
        super().__init__(words)
        self.sqlstate = sqlstate


def fail_with(sqlstate: str | None) -> None:
    try:
        raise OperationalError("it failed\nfor a reason") from SaidByTheDriver("it failed", sqlstate)
    except OperationalError:
        logging.getLogger("workflows_app.engine.loop").exception("The database did not answer; trying again in %s s", 1.0)


@pytest.mark.parametrize("sqlstate", [None, "08006", "57P01"])
def test_an_outage_leaves_one_line_with_the_reason(log: StringIO, sqlstate: str | None) -> None:
    fail_with(sqlstate)
    (line,) = log.getvalue().splitlines()
    assert line.endswith("The database did not answer; trying again in 1.0 s: it failed for a reason")


def test_a_statement_that_took_too_long_leaves_its_traceback(log: StringIO) -> None:
    fail_with("57014")
    assert "Traceback" in log.getvalue()
