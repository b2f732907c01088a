"""Tests of `http_call` against a real server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import ValidationError

from tests.actions.contexts import Log, a_context
from tests.actions.web_server import plain, web_server
from workflows_app.actions import outbound
from workflows_app.actions.base import Fail, Retry
from workflows_app.actions.http_answer import MAX_BYTES, parse, retry_after_seconds
from workflows_app.actions.http_call import CallExternalService, HttpCall, HttpCallConfig
from workflows_app.engine.outcomes import encode

JSON = {"content_type": "application/json"}


async def ask(server, path: str = "/x", *, log: Log | None = None, key: str = "w:s", timeout_seconds: float = 5.0, **config: Any):
    context = a_context(sink=Log() if log is None else log, idempotency_key=key, timeout_seconds=timeout_seconds)
    try:
        return await HttpCall().run(HttpCallConfig.model_validate({"url": f"{server.url}{path}", **config}), context)
    finally:
        await outbound.close()


def exchange(answer=None, path: str = "/x", **config: Any):
    """One call: its output and what the server was asked."""

    async def run():
        async with web_server(answer) as server:
            return await ask(server, path, **config), server.asked

    return asyncio.run(run())


def output(answer=None, path: str = "/x", **config: Any):
    return exchange(answer, path, **config)[0]


def asked(**config: Any):
    return exchange(**config)[1][0]


def failure(kind, answer=None, path: str = "/x", **config: Any):
    with pytest.raises(kind) as caught:
        exchange(answer, path, **config)
    return caught.value


def test_the_output_is_status_headers_and_parsed_body():
    found = output(plain(201, b'{"rows": [1, 2.0]}', content_type="application/json; charset=utf-8", x_kind="a"))
    assert found["status"] == 201
    assert found["headers"]["x-kind"] == "a"
    assert found["body"] == {"rows": [1, 2.0]}


@pytest.mark.parametrize("method", ["GET", "post", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_any_method_can_be_used(method):
    assert asked(method=method).method == method.upper()


def test_head_has_no_body():
    assert output(plain(200), method="HEAD")["body"] is None


@pytest.mark.parametrize(
    ("config", "content_type", "body"),
    [
        ({"json": {"a": [1, None]}}, "application/json", b'{"a":[1,null]}'),
        ({"json": None}, "application/json", b"null"),
        ({"form": {"a": "x y", "b": [1, 2]}}, "application/x-www-form-urlencoded", b"a=x+y&b=1&b=2"),
        ({"text": "hällo"}, "text/plain; charset=utf-8", "hällo".encode()),
        ({"body": "as it is"}, None, b"as it is"),
        ({"body": {"a": 1}}, "application/json", b'{"a":1}'),
        ({"body": [1]}, "application/json", b"[1]"),
        ({"body": None}, None, b""),
        ({}, None, b""),
    ],
)
def test_the_body_goes_out_as_json_form_or_text(config, content_type, body):
    found = asked(method="POST", **config)
    assert found.headers.get("content-type") == content_type
    assert found.body == body


def test_an_authors_content_type_stays():
    found = asked(method="POST", headers={"content-type": "application/vnd.x+json"}, json={})
    assert found.headers["content-type"] == "application/vnd.x+json"


def test_headers_and_query_are_sent():
    found = exchange(None, "/x?a=1", headers={"X-One": "1", "X-Two": 2, "X-True": True}, query={"b": "ä b", "c": [1, 2], "d": None})[1][0]
    assert found.target == "/x?a=1&b=%C3%A4+b&c=1&c=2" or found.target == "/x?a=1&b=%C3%A4%20b&c=1&c=2"
    assert [found.headers[name] for name in ("x-one", "x-two", "x-true")] == ["1", "2", "true"]


def test_the_idempotency_key_is_the_steps_and_the_same_for_every_attempt():
    assert asked(key="w:fetch").headers["idempotency-key"] == "w:fetch"
    assert asked(key="w:fetch").headers["idempotency-key"] == "w:fetch"
    assert asked(key="w:fetch", headers={"Idempotency-Key": "mine"}).headers["idempotency-key"] == "mine"


def test_every_request_says_how_long_the_chain_of_events_is():
    async def run():
        async with web_server() as server:
            config = HttpCallConfig.model_validate({"url": server.url})
            for depth in (0, 7):
                await HttpCall().run(config, a_context(chain_depth=depth))
            await outbound.close()
            return [asked.headers["hybrid-chain-depth"] for asked in server.asked]

    assert asyncio.run(run()) == ["1", "8"]


def test_an_author_cannot_shorten_the_chain():
    with pytest.raises(ValidationError, match="the header 'hybrid-Chain-Depth' is set by the engine"):
        asked(headers={"hybrid-Chain-Depth": "0"})


def test_call_external_service_also_calls_the_body_response():
    """CONTRACT.md section 6: `call_external_service` (`url, method, headers, body, timeout`)."""

    async def run():
        async with web_server(plain(200, b'{"rows": [1]}', content_type="application/json")) as server:
            given = {"url": server.url, "method": "POST", "headers": {"X-A": "1"}, "body": {"n": 1}, "timeout": 5}
            output = await CallExternalService().run(HttpCallConfig.model_validate(given), a_context())
            await outbound.close()
            return output, server.asked[0]

    output, sent = asyncio.run(run())
    assert (output["response"], output["body"], output["status"]) == ({"rows": [1]}, {"rows": [1]}, 200)
    assert (sent.method, sent.headers["x-a"], sent.body) == ("POST", "1", b'{"n":1}')
    assert CallExternalService().timeout_setting == HttpCall().timeout_setting == "step_timeout_http_call"


def test_the_log_says_what_was_asked_and_what_came_back():
    log = Log()
    output(plain(200, b"x" * 3100), log=log, query={"page": 1})
    (line,) = log.text.splitlines()
    assert line.startswith("GET http://127.0.0.1:")
    assert "/x?page=1 → 200 in " in line
    assert line.endswith(" ms, 3.1 KB")


def test_a_password_in_the_url_is_not_logged():
    async def run(answer):
        async with web_server(answer) as server:
            log = Log()
            url = f"http://user:s3cret@127.0.0.1:{server.port}/x"
            try:
                await ask(server, log=log, url=url)
            except Fail as error:
                log.append(("ERROR", str(error)))
            return log.text, server.asked[0].headers["authorization"]

    for answer in (plain(), plain(403)):
        text, sent = asyncio.run(run(answer))
        assert "s3cret" not in text
        assert sent.startswith("Basic ")


@pytest.mark.parametrize("status", [500, 502, 503, 599, 429])
def test_server_errors_and_429_are_worth_another_try(status):
    error = failure(Retry, plain(status, b"busy"))
    assert error.kind == str(status)
    assert error.after_seconds is None
    assert f"answered {status}" in str(error)
    assert str(error).endswith(": busy")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 451])
def test_other_errors_fail_with_the_body_and_a_way_out(status):
    message = str(failure(Fail, plain(status, b'{"detail": "no such order"}', **JSON)))
    assert f"answered {status}" in message
    assert "no such order" in message
    assert f"add {status} to ok_statuses" in message


def test_a_long_body_is_shortened_in_the_message():
    assert len(str(failure(Fail, plain(404, b"x" * 5000)))) < 600


@pytest.mark.parametrize("status", [404, 503, 429])
def test_an_expected_status_is_a_success(status):
    assert output(plain(status), ok_statuses=[status])["status"] == status


@pytest.mark.parametrize(("value", "seconds"), [("7", 7), ("0", 0), ("999999999", 86_400), ("soon", None), ("-3", None), ("1.5", None)])
def test_retry_after_in_seconds_is_honoured(value, seconds):
    assert failure(Retry, plain(429, retry_after=value)).after_seconds == seconds


def test_retry_after_as_a_date_is_honoured():
    date = datetime.now(UTC) + timedelta(seconds=30)
    assert 25 < retry_after_seconds({"retry-after": format_datetime(date, usegmt=True)}) <= 30
    assert retry_after_seconds({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after_seconds({}) is None


def test_a_refused_connection_is_worth_another_try():
    async def run():
        async with web_server() as server:
            pass
        await ask(server)

    with pytest.raises(Retry) as caught:
        asyncio.run(run())
    assert caught.value.kind == "connection"


def test_a_connection_that_breaks_off_is_worth_another_try():
    async def hang_up(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    async def silence(request, writer):
        writer.close()

    for answer in (hang_up, silence):
        assert failure(Retry, answer).kind == "connection"


def test_an_unknown_name_is_worth_another_try():
    error = failure(Retry, url="http://no-such-host.invalid/")
    assert error.kind == "connection"
    assert "no-such-host.invalid" in str(error)


async def _never(request, writer):
    await asyncio.Event().wait()


async def _dripping(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("answer", [_never, _dripping])
@pytest.mark.parametrize("config", [{"timeout": 0.15}, {"timeout_seconds": 0.15}])
def test_the_deadline_is_for_the_whole_call(answer, config):
    error = failure(Retry, answer, **config)
    assert error.kind == "timeout"
    assert "no complete answer within 0.15 s" in str(error)


def test_a_body_over_the_limit_is_refused():
    assert "larger than 5 MB" in str(failure(Fail, plain(200, b"x" * (MAX_BYTES + 1))))
    assert len(output(plain(200, b"x" * MAX_BYTES))["body"]) == MAX_BYTES


def test_a_small_body_that_unpacks_to_a_large_one_is_refused():
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    assert "larger than 5 MB" in str(failure(Fail, plain(200, bomb, content_encoding="gzip")))


def test_a_compressed_body_is_unpacked():
    assert output(plain(200, gzip.compress(b'{"a": 1}'), content_encoding="gzip", **JSON))["body"] == {"a": 1}


def test_a_body_that_is_not_what_it_says_fails():
    assert failure(Fail, plain(200, b"not gzip", content_encoding="gzip"))


@pytest.mark.parametrize(
    ("content", "content_type", "charset", "expected"),
    [
        (b"", "application/json", None, None),
        (b'{"a": 1}', "application/json", None, {"a": 1}),
        (b'{"a": 1}', "application/problem+json", None, {"a": 1}),
        (b'{"a": 1}', "text/plain", None, '{"a": 1}'),
        (b"{broken", "application/json", None, "{broken"),
        (b'{"a": NaN}', "application/json", None, '{"a": NaN}'),
        (b'{"a": [1e999]}', "application/json", None, '{"a": [1e999]}'),
        (b"-Infinity", "application/json", None, "-Infinity"),
        (b"[" * 100_000, "application/json", None, "[" * 100_000),
        (b"[" * 500 + b"]" * 500, "application/json", None, "[" * 500 + "]" * 500),
        ("ä".encode("latin-1"), "text/plain; charset=latin-1", "latin-1", "ä"),
        (b"x", "text/plain; charset=nonsense", "nonsense", {"base64": "eA=="}),
        (b"\xff\xfe\x00", "image/png", None, {"base64": "//4A"}),
    ],
)
def test_a_body_becomes_json_text_or_base64(content, content_type, charset, expected):
    assert parse(content, content_type, charset)[0] == expected


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"a": 1e999}', "the number 1e999 is too large"),
        (b'{"a": Infinity}', "Infinity is not a JSON number"),
        (b"[" * 500 + b"]" * 500, "nested more than 100 levels deep"),
        (b"{broken", "Expecting property name"),
    ],
)
def test_a_body_that_is_not_the_json_it_claims_to_be_stays_a_text_and_the_log_says_why(content, why):
    log = Log()
    found = output(plain(200, content, **JSON), log=log)
    assert found["body"] == content.decode()
    assert ("WARNING", why) in [(level, why if why in message else message) for level, message in log]


@pytest.mark.parametrize(
    "content", [b'{"a": "\\ud800"}', b'{"a\\u0000": "\\u0000"}', b'{"a": 1e999}', b"[NaN, 1]", b"[" * 500 + b"]" * 500]
)
def test_every_output_can_be_kept(content):
    assert encode(output(plain(200, content, **JSON)))


@pytest.mark.parametrize("port", [99999, 65536, -1])
def test_a_port_that_is_none_fails_with_its_number(port):
    assert f"{port} is not a port" in str(failure(Fail, url=f"http://127.0.0.1:{port}/"))


def test_a_redirect_to_a_port_that_is_none_fails_too():
    assert "99999 is not a port" in str(failure(Fail, plain(302, b"", location="http://127.0.0.1:99999/")))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "a\r\nX-B: b"}, {"X-A": "a\nb"}, {"X-A": "a\rb"}, {"X-A": "a\0b"}, {"X-A": "\x7f"}, {"X-A": "\x0b"},
        {"X-A\r\nX-B": "b"}, {"X A": "b"}, {"X:A": "b"}, {"": "b"}, {"Ä": "b"}, {"X-A\0": "b"}, {"X-A\n": "b"}, {"(X)": "b"},
        {"Host": "evil"}, {"host": "evil"}, {"Content-Length": "0"}, {"Transfer-Encoding": "chunked"}, {"Connection": "close"},
        {"Upgrade": "h2c"}, {"TE": "trailers"}, {"X-A": ["a"]}, {"X-A": {"a": 1}}, {"X-A": None},
    ],
)  # fmt: skip
def test_header_injection_is_refused(headers):
    with pytest.raises(ValidationError):
        HttpCallConfig.model_validate({"url": "http://example.com/", "headers": headers})


@pytest.mark.parametrize("method", ["GET /x HTTP/1.1\r\nX: y", "G T", "", "GET\n", "GÄT"])
def test_a_method_is_one_word(method):
    with pytest.raises(ValidationError, match="is not an HTTP method"):
        HttpCallConfig.model_validate({"url": "http://example.com/", "method": method})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "//host/",
        "ftp://host/",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "gopher://h/",
        "http://h/\r\nX: y",
        "http://h/\0",
        "javascript:1",
    ],
)
def test_a_url_is_http_and_names_a_host(url):
    with pytest.raises(ValidationError, match="must begin with http"):
        HttpCallConfig.model_validate({"url": url})


def test_only_one_kind_of_body_can_be_given():
    with pytest.raises(ValidationError, match="give one of 'json' and 'form', not both"):
        HttpCallConfig.model_validate({"url": "http://h/", "json": 1, "form": {}})


def test_cookies_of_one_call_are_not_sent_with_the_next():
    async def run():
        async with web_server(plain(200, set_cookie="session=1; Path=/")) as server:
            for _ in range(2):
                action, context = HttpCall(), a_context()
                await action.run(HttpCallConfig(url=server.url), context)
            await outbound.close()
            return server.asked

    assert "cookie" not in asyncio.run(run())[1].headers


def test_the_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    assert output(plain(200, b"direct"))["body"] == "direct"


def test_two_hundred_slow_calls_run_side_by_side():
    async def slow(request, writer):
        await asyncio.sleep(0.5)
        await plain(200, json.dumps({}).encode())(request, writer)

    async def run():
        async with web_server(slow) as server:
            config = HttpCallConfig(url=server.url)
            began = time.monotonic()
            found = await asyncio.gather(*(HttpCall().run(config, a_context()) for _ in range(200)))
            await outbound.close()
            return time.monotonic() - began, found

    seconds, found = asyncio.run(run())
    assert len(found) == 200
    assert seconds < 5


def test_connections_are_used_again():
    async def run():
        connections = set()

        async def note(request, writer):
            connections.add(writer.get_extra_info("peername"))
            await plain()(request, writer)

        async with web_server(note) as server:
            for _ in range(3):
                await HttpCall().run(HttpCallConfig(url=server.url), a_context())
            await outbound.close()
        return connections

    assert len(asyncio.run(run())) == 1
