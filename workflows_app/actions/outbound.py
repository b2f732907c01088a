"""The way out: one HTTP client per event loop, whose connections go only where they may (an SSRF guard)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from weakref import WeakKeyDictionary

import httpcore2
import httpx2

from workflows_app.actions.addresses import AddressRefused, require_allowed

MAX_REDIRECTS = 5
KEPT_CONNECTIONS = 64
KEPT_SECONDS = 5.0

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()


def client() -> httpx2.AsyncClient:
    """The client of the running event loop. No limit on connections: the engine's slots are the limit."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = _new_client()
    return _clients[loop]


async def send(request: httpx2.Request, *, follow_redirects: bool, own_headers: Iterable[str]) -> httpx2.Response:
    """The response, its body not read yet; `history` holds the redirects. `own_headers` are what the author wrote: they may
    hold secrets, so they do not follow a redirect to another origin. Raises httpx2.TooManyRedirects."""
    history: list[httpx2.Response] = []
    while True:
        response = await client().send(request, stream=True, follow_redirects=False)
        response.history = history
        if not follow_redirects or response.next_request is None:
            return response
        await response.aclose()
        if len(history) == MAX_REDIRECTS:
            raise httpx2.TooManyRedirects("too many redirects", request=request)
        history = [*history, response]
        request = _without(own_headers, response.next_request, came_from=request)


def _without(own_headers: Iterable[str], request: httpx2.Request, *, came_from: httpx2.Request) -> httpx2.Request:
    if request.url.origin != came_from.url.origin:
        for name in own_headers:
            request.headers.pop(name, None)
    return request


async def close() -> None:
    """Close the client of the running event loop, if it has one."""
    if found := _clients.pop(asyncio.get_running_loop(), None):
        await found.aclose()


def _new_client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=GuardedTransport(),
        trust_env=False,
        timeout=None,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),  # one workflow's cookies are not another's
        headers={"User-Agent": "hybrid-engine"},
    )


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """A transport that connects through the guard, redirects included; it knows no proxy and no Unix sockets."""

    def __init__(self) -> None:
        context = httpcore2.default_ssl_context()
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=GuardedBackend(),
        )


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves a name once, checks every address it got, and connects to one of those: a name that answers
    differently the second time is not asked a second time. Raises AddressRefused."""

    def __init__(self) -> None:
        self._plain = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        if not 0 < port < 65_536:
            raise AddressRefused(f"{port} is not a port: ports are from 1 to 65535")
        addresses = await resolve(host, port)
        for address in addresses:
            require_allowed(host, address)
        return await self._connect_first(addresses, port, timeout, socket_options)

    async def _connect_first(
        self, addresses: list[str], port: int, timeout: float | None, socket_options: Iterable[Any] | None
    ) -> httpcore2.AsyncNetworkStream:
        last: Exception = httpcore2.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._plain.connect_tcp(address, port, timeout=timeout, socket_options=socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise AddressRefused("a call cannot go to a Unix socket")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the resolver's order. Raises httpcore2.ConnectError when it has none."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(f"the name '{host}' cannot be resolved: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
