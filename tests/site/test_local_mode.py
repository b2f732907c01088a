"""Local mode: what is refused, and who is signed in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from hybrid_site.local_mode import PROXY_HEADERS, RefuseForeignRequests, SignInLocalUser, refusal


def a_request(method: str = "GET", *, host: str = "127.0.0.1:8000", address: str = "127.0.0.1", **headers: str) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestFactory().generic(method, "/workflows", headers=named, REMOTE_ADDR=address, HTTP_HOST=host)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_served(address: str) -> None:
    assert refusal(a_request(address=address)) is None


@pytest.mark.parametrize(
    "address", ["", "unix:", "10.0.0.1", "192.168.1.7", "8.8.8.8", "::", "0.0.0.0", "fe80::1", "::ffff:10.0.0.1", "127.0.0.1, 8.8.8.8"]
)
def test_other_machines_are_refused(address: str) -> None:
    assert "address" in str(refusal(a_request(address=address)))


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000"])
def test_the_names_of_this_machine_are_served(host: str) -> None:
    assert refusal(a_request(host=host)) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "", "127.0.0.1@evil.example", "0.0.0.0"]
)
def test_a_foreign_host_is_refused_because_a_name_may_be_bound_to_this_machine(host: str) -> None:
    assert "Host" in str(refusal(a_request(host=host)))


@pytest.mark.parametrize("header", [*sorted(PROXY_HEADERS), "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED"])
def test_what_came_through_a_proxy_is_refused(header: str) -> None:
    request = a_request()
    request.META[header] = ""
    assert "proxy" in str(refusal(request))


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "HTTP://127.0.0.1:8000"])
def test_our_own_pages_may_send(method: str, origin: str) -> None:
    assert refusal(a_request(method, Origin=origin, Sec_Fetch_Site="same-origin")) is None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1:3000",
        "https://127.0.0.1:8000",
        "http://localhost:8000",
        "http://127.0.0.1:8000.x.y",
    ],
)
def test_pages_of_another_origin_are_refused(method: str, origin: str) -> None:
    assert refusal(a_request(method, Origin=origin)) is not None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_is_changed_by_a_page_of_another_site(method: str, site: str) -> None:
    assert refusal(a_request(method, Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")) is not None


def test_a_link_from_another_site_may_be_followed() -> None:
    assert refusal(a_request(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")) is None


@pytest.mark.parametrize(("mode", "destination"), [("no-cors", "image"), ("navigate", "iframe"), ("cors", "empty"), ("", "")])
def test_another_site_may_not_fetch_or_frame_us(mode: str, destination: str) -> None:
    assert refusal(a_request(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode=mode, Sec_Fetch_Dest=destination)) is not None


def test_the_address_bar_and_programs_are_served() -> None:
    assert refusal(a_request(Sec_Fetch_Site="none", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")) is None
    assert refusal(a_request("POST")) is None


def test_a_refusal_is_a_403_that_says_why_and_what_to_do() -> None:
    def unreachable(request: HttpRequest) -> HttpResponse:
        raise AssertionError("the view was reached")

    response = RefuseForeignRequests(unreachable)(a_request(address="10.0.0.1"))
    assert response.status_code == 403
    detail = json.loads(response.content)["detail"]  # type: ignore[attr-defined]
    assert "10.0.0.1" in detail and "MODE=server" in detail


@pytest.mark.django_db
def test_the_local_user_is_signed_in_without_a_session() -> None:
    seen: dict[str, Any] = {}

    def view(request: HttpRequest) -> HttpResponse:
        seen["name"] = request.user.get_username()
        return HttpResponse()

    request = a_request()
    request.session = SessionStore()
    SignInLocalUser(view)(request)
    assert seen["name"] == "local"
    assert not request.session.modified


def test_nobody_is_looked_up_until_somebody_asks() -> None:
    assert SignInLocalUser(lambda request: HttpResponse())(a_request()).status_code == 200
