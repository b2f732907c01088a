"""Every URL of the site, walked as a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories import a_user

pytestmark = pytest.mark.django_db
HEALTH = {"/api/health", "/v1/health"}
OPEN = {*HEALTH, "/login", "/admin/login/"}
COLOURS = "/theme"  # sets a cookie for the login page too
NAMES = ["health", "docs", "static", "login"]


def every_path(patterns: Any, prefix: str = "/") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + getattr(pattern.pattern, "_route", "")
        if isinstance(pattern, URLResolver):
            yield from every_path(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def filled(route: str, name: str) -> str:
    """With every placeholder filled in, once by a word that names something open."""
    while "<" in route:
        before, rest = route.split("<", 1)
        kind, after = rest.split(">", 1)
        value = {"uuid": "9e107d9d-3720-4b1c-8a2e-000000000000", "int": "200"}.get(kind.split(":")[0], name)
        route = before + value + after
    return route


PATHS = sorted({filled(route, name) for route in every_path(get_resolver().url_patterns) for name in NAMES})


def test_there_is_something_to_walk() -> None:
    assert len(PATHS) > 60
    assert {"/workflows", "/workers", "/templates", "/api/workflows", "/admin/", "/v1/workflow", *OPEN} <= set(PATHS)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_gets_a_login_or_nothing(server_mode: None, method: str, path: str) -> None:
    response = getattr(Client(raise_request_exception=False), method)(path)
    if path in OPEN:
        assert response.status_code == (405 if method == "post" and path in HEALTH else 200)
    elif path == COLOURS:
        assert response.status_code in {302, 405}
    elif response.status_code == 302:
        assert response["Location"].startswith(("/login?next=", "/admin/login/?next="))
    else:
        assert response.status_code in {401, 403, 404, 405}


@pytest.mark.parametrize("suffix", ["/", "//", ".json", ";x=health", "?health", "%2f", "/../api/health", "/..;/health", "%00"])
@pytest.mark.parametrize("path", ["/api/workflows", "/workflows", "/admin", "/api/graph/workflows"])
def test_no_spelling_of_a_closed_path_opens_it(server_mode: None, path: str, suffix: str) -> None:
    response = Client(raise_request_exception=False).get(path + suffix)
    assert response.status_code in {301, 302, 401, 404}
    if response.status_code in {301, 302}:
        assert "login" in response["Location"] or response["Location"].split("?")[0].rstrip("/") == path


@pytest.mark.parametrize("path", ["/demo/orders", "/demo/echo"])
def test_the_demo_service_is_there_in_local_mode(path: str) -> None:
    assert Client().get(path).status_code in {200, 405}


def test_logging_in_and_out(server_mode: None) -> None:
    a_user("ana")
    client = Client()
    assert client.get("/workflows")["Location"] == "/login?next=/workflows"
    response = client.post("/login?next=/workflows", {"username": "ana", "password": "correct horse"})
    assert (response.status_code, response["Location"]) == (302, "/workflows")
    assert client.get("/workflows").status_code == 200
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/workflows").status_code == 302


@pytest.mark.parametrize("next_page", ["http://evil.example", "//evil.example", "javascript:alert(1)", "/\\evil.example"])
def test_a_login_leads_nowhere_else(server_mode: None, next_page: str) -> None:
    a_user("ana")
    response = Client().post("/login", {"username": "ana", "password": "correct horse", "next": next_page})
    assert response["Location"] == "/"


def test_the_local_user_cannot_be_logged_in_as(server_mode: None) -> None:
    from workflows_app.access.local_user import local_user

    local_user()
    for password in ("", "local", "!"):
        assert Client().post("/login", {"username": "local", "password": password}).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_old_addresses_of_the_documentation_lead_to_it(path: str) -> None:
    assert Client().get(path)["Location"] == "/api/docs"


@pytest.mark.parametrize("path", ["/api/docs", "/v1/docs"])
def test_swagger_is_served_from_this_machine(path: str) -> None:
    page = Client().get(path).content.decode()
    assert "http://" not in page.replace("http://testserver", "") and "https://" not in page
    assert finders.find("ninja/swagger-ui-bundle.js") and finders.find("ninja/swagger-ui.css")
