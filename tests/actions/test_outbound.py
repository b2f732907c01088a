"""Tests of the guard on the way out: names, redirects, rebinding, with a canary that must not be reached."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.actions.contexts import a_context
from tests.actions.web_server import plain, web_server
from workflows_app.actions import outbound
from workflows_app.actions.base import Fail, Retry
from workflows_app.actions.http_call import HttpCall, HttpCallConfig


async def call(url: str, **config):
    try:
        return await HttpCall().run(HttpCallConfig(url=url, **config), a_context(timeout_seconds=3))
    finally:
        await outbound.close()


@pytest.fixture
def resolver(monkeypatch):
    """Names answer as the test says, one list of addresses after the other."""
    answers: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *rest, **named):
        if host not in answers:
            return real(host, port, *rest, **named)
        addresses = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers


PORT = "{port}"
LOOPBACK_SPELLINGS = [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/",
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0x7f.1:{port}/", "http://0177.0.0.1:{port}/", "http://017700000001:{port}/",
    "http://0:{port}/", "http://0.0.0.0:{port}/", "http://127.127.127.127:{port}/", "http://[::1]:{port}/", "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/", "http://user@127.0.0.1:{port}/", "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/#@example.com", "http://127.0.0.1:{port}?@example.com", "http://127。0。0。1:{port}/", "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127.0.0.1.:{port}/", "http://localhost.:{port}/",
]  # fmt: skip


@pytest.mark.parametrize("url", LOOPBACK_SPELLINGS)
def test_in_server_mode_no_spelling_of_loopback_reaches_the_canary(settings, url):
    settings.IS_LOCAL = False

    async def run():
        async with web_server() as canary:
            with pytest.raises((Fail, Retry)):
                await call(url.replace(PORT, str(canary.port)))
            return canary.asked

    assert asyncio.run(run()) == []


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/", "http://[::ffff:169.254.169.254]/", "http://2852039166/", "http://0xa9fea9fe/", "http://[fd00:ec2::254]/"],
)
def test_metadata_addresses_fail_for_good(url):
    with pytest.raises(Fail, match="never reach"):
        asyncio.run(call(url))


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://192.168.1.1/", "https://172.16.0.1/", "http://[fc00::1]/", "http://100.64.0.1/"]
)
def test_private_addresses_fail_and_say_what_would_allow_them(url):
    with pytest.raises(Fail, match="OUTBOUND_ALLOW"):
        asyncio.run(call(url))


def test_local_mode_reaches_loopback_by_name_and_number():
    async def run():
        async with web_server(plain(200, b"here")) as server:
            return [(await call(f"http://{host}:{server.port}/"))["body"] for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]")]

    assert asyncio.run(run()) == ["here"] * 3


def test_a_name_with_one_private_address_among_public_ones_is_refused(resolver):
    resolver["mixed.example"] = [["93.184.216.34", "10.0.0.1"]]
    with pytest.raises(Fail, match=r"'mixed.example' \(10.0.0.1\)"):
        asyncio.run(call("http://mixed.example/"))


def test_a_name_that_answers_differently_the_second_time_is_asked_once(resolver, settings):
    """Rebinding: the address that was checked is the one that is connected to."""
    resolver["rebinding.example"] = [["127.0.0.1"], ["169.254.169.254"]]

    async def run():
        async with web_server(plain(200, b"checked")) as server:
            return (await call(f"http://rebinding.example:{server.port}/"))["body"]

    assert asyncio.run(run()) == "checked"


def test_the_host_header_stays_the_name_although_the_address_is_pinned(resolver):
    resolver["shop.example"] = [["127.0.0.1"]]

    async def run():
        async with web_server() as server:
            await call(f"http://shop.example:{server.port}/")
            return server.asked[0].headers["host"], server.port

    host, port = asyncio.run(run())
    assert host == f"shop.example:{port}"


def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer(resolver):
    resolver["two.example"] = [["127.0.0.2", "127.0.0.1"]]

    async def run():
        async with web_server(plain(200, b"second")) as server:
            return (await call(f"http://two.example:{server.port}/"))["body"]

    assert asyncio.run(run()) == "second"


def test_a_redirect_goes_through_the_guard(resolver):
    for location in ("http://169.254.169.254/latest", "http://10.0.0.1/", "http://metadata.example/"):
        resolver["metadata.example"] = [["169.254.169.254"]]

        async def run(location=location):
            async with web_server(plain(302, location=location)) as server:
                await call(server.url)

        with pytest.raises(Fail, match=r"not a public address|never reach"):
            asyncio.run(run())


def test_a_redirect_to_a_file_or_another_scheme_fails():
    for location in ("file:///etc/passwd", "ftp://example.com/", "gopher://127.0.0.1/"):

        async def run(location=location):
            async with web_server(plain(302, location=location)) as server:
                await call(server.url)

        with pytest.raises(Fail):
            asyncio.run(run())


def test_redirects_are_followed_but_not_for_ever_and_not_when_unwanted():
    async def run(**config):
        async def answer(request, writer):
            hops = int(request.target.rpartition("/")[2])
            await (plain(302, location=f"/{hops - 1}") if hops else plain(200, b"arrived"))(request, writer)

        async with web_server(answer) as server:
            return await call(f"{server.url}/{config.pop('hops')}", **config)

    assert asyncio.run(run(hops=outbound.MAX_REDIRECTS))["body"] == "arrived"
    with pytest.raises(Fail, match="more than 5 redirects"):
        asyncio.run(run(hops=outbound.MAX_REDIRECTS + 1))
    assert asyncio.run(run(hops=1, follow_redirects=False))["status"] == 302


def test_credentials_do_not_follow_a_redirect_to_another_origin(resolver):
    resolver["other.example"] = [["127.0.0.1"]]

    async def run():
        async with web_server() as other, web_server(plain(302, location=f"http://other.example:{other.port}/")) as server:
            await call(server.url, headers={"Authorization": "Bearer s3cret", "Cookie": "a=b", "X-Api-Key": "s3cret"})
            return other.asked[0].headers

    headers = asyncio.run(run())
    assert "s3cret" not in str(headers)
    assert "cookie" not in headers


def test_headers_stay_on_a_redirect_within_the_origin():
    async def run():
        async def answer(request, writer):
            await (plain(307, location="/there") if request.target == "/" else plain())(request, writer)

        async with web_server(answer) as server:
            await call(server.url, headers={"X-Api-Key": "s3cret"}, method="POST", json={"a": 1})
            return server.asked[1]

    asked = asyncio.run(run())
    assert (asked.method, asked.target, asked.body) == ("POST", "/there", b'{"a":1}')
    assert asked.headers["x-api-key"] == "s3cret"


def test_unix_sockets_are_refused():
    with pytest.raises(outbound.AddressRefused):
        asyncio.run(outbound.GuardedBackend().connect_unix_socket("/run/docker.sock"))


def test_every_loop_has_a_client_of_its_own():
    async def mine():
        found = outbound.client()
        assert outbound.client() is found
        await outbound.close()
        return found

    assert asyncio.run(mine()) is not asyncio.run(mine())
