"""Local mode: requests come from this machine and this site only, and their user is the local one (SECURITY: docs/architecture.md)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.functional import SimpleLazyObject

from workflows_app.access.local_user import local_user

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PROXY_HEADERS = frozenset(
    f"HTTP_{name}"
    for name in (
        "FORWARDED", "VIA", "X_REAL_IP", "CLIENT_IP", "X_CLIENT_IP", "TRUE_CLIENT_IP", "CF_CONNECTING_IP", "FASTLY_CLIENT_IP",
        "X_CLUSTER_CLIENT_IP", "X_ORIGINAL_HOST", "X_ORIGINAL_FOR", "X_ORIGINAL_URL", "X_REWRITE_URL", "X_HOST", "X_PROXYUSER_IP",
    )
)  # fmt: skip
View = Callable[[HttpRequest], HttpResponseBase]


class RefuseForeignRequests:
    """Stands before everything else, static files included."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        why = refusal(request)
        if why is None:
            return self.get_response(request)
        detail = f"Refused in local mode: {why}. To serve others, set MODE=server, which asks for a login."
        return JsonResponse({"detail": detail}, status=403)


class LocalUser(SimpleLazyObject):  # type: ignore[type-arg]  # not generic at run time
    """There always is one: whether somebody is signed in is no reason to read the row."""

    def __bool__(self) -> bool:
        return True


class SignInLocalUser:
    """Sets the request's user without a session; the row is read only when somebody asks who it is."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.user = LocalUser(local_user)  # type: ignore[assignment]
        request.is_local = True  # type: ignore[attr-defined]
        return self.get_response(request)


def refusal(request: HttpRequest) -> str | None:
    """Why this request is refused; None when it is not."""
    return next((why for check in CHECKS if (why := check(request))), None)


def _foreign_address(request: HttpRequest) -> str | None:
    address = request.META.get("REMOTE_ADDR", "")
    return None if _is_loopback(address) else f"the client's address {address or '(none)'} is not this machine"


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _forwarded(request: HttpRequest) -> str | None:
    found = next((name for name in request.META if name in PROXY_HEADERS or name.startswith("HTTP_X_FORWARDED")), None)
    return f"the header {found[5:].replace('_', '-').title()} says that it came through a proxy" if found else None


def _foreign_host(request: HttpRequest) -> str | None:
    try:
        request.get_host()
    except DisallowedHost:
        return "the Host header names another machine; use localhost or 127.0.0.1"
    return None


def _foreign_origin(request: HttpRequest) -> str | None:
    origin = request.headers.get("Origin")
    here = f"{request.scheme}://{request.get_host()}"
    return None if origin is None or origin.lower() == here.lower() else f"it was sent by a page of {origin}"


def _cross_site(request: HttpRequest) -> str | None:
    """Fetch Metadata (https://www.w3.org/TR/fetch-metadata/): browsers say where a request comes from and pages cannot lie about it.
    `same-site` is another port of this machine: its pages may link here, but must not change anything."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin").lower()
    if site in {"same-origin", "none"}:
        return None
    if request.method in SAFE_METHODS and (site == "same-site" or _is_followed_link(request)):
        return None
    return "a page of another site sent it"


def _is_followed_link(request: HttpRequest) -> bool:
    mode, destination = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    return request.method == "GET" and mode == "navigate" and destination == "document"


CHECKS: tuple[Callable[[HttpRequest], str | None], ...] = (_foreign_address, _forwarded, _foreign_host, _foreign_origin, _cross_site)
