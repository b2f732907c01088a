"""`http_call` (alias `call_external_service`): one HTTP request; its answer is the output."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
from pydantic import Field, field_validator, model_validator

from workflows_app.actions import outbound
from workflows_app.actions.addresses import AddressRefused
from workflows_app.actions.base import Action, Config, Context, Fail, Json, Retry
from workflows_app.actions.http_answer import Answer, read, retry_after_seconds

BODIES = ("json", "form", "text", "body")
MANAGED = frozenset({"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Scalar = str | int | float | bool


class HttpCallConfig(Config):
    """One request. At most one of `json`, `form`, `text` and `body` (a text is sent as it is, anything else as JSON).

    `ok_statuses` are statuses from 300 up that count as success. `timeout` (seconds) is for the whole call.
    """

    url: str
    method: str = "GET"
    headers: dict[str, Scalar] = {}
    query: dict[str, Scalar | list[Scalar] | None] = {}
    json_body: Json = Field(None, alias="json")
    form: dict[str, Scalar | list[Scalar]] = {}
    text: str = ""
    body: Json = None
    ok_statuses: list[int] = []
    follow_redirects: bool = True
    timeout: float | None = Field(None, gt=0, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _one_body(cls, data: Any) -> Any:
        given = [key for key in BODIES if isinstance(data, dict) and key in data]
        if len(given) > 1:
            raise ValueError(f"give one of {' and '.join(repr(key) for key in given)}, not both")
        return data

    @field_validator("url")
    @classmethod
    def _http_url(cls, url: str) -> str:
        if _CONTROL.search(url) or urlsplit(url).scheme.lower() not in {"http", "https"} or not urlsplit(url).hostname:
            raise ValueError(f"the url must begin with http:// or https:// and name a host, {url[:80]!r} does not")
        return url

    @field_validator("method")
    @classmethod
    def _token_method(cls, method: str) -> str:
        if not _TOKEN.fullmatch(method):
            raise ValueError(f"{method[:40]!r} is not an HTTP method")
        return method.upper()

    @field_validator("headers")
    @classmethod
    def _clean_headers(cls, headers: dict[str, Scalar]) -> dict[str, Scalar]:
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"{name[:40]!r} is not a header name")
            if name.lower() in MANAGED:
                raise ValueError(f"the header '{name}' is set by the engine")
            if _CONTROL.search(str(value)):
                raise ValueError(f"the value of header '{name}' holds a line break or another control character")
        return headers


class HttpCall(Action):
    """Output: `{"status", "headers", "body"}`, the body parsed when it is JSON.

    Connection errors, time-outs, 429 and 5xx are worth another try; any other status from 400 up fails the step.
    """

    name = "http_call"
    config = HttpCallConfig
    timeout_setting = "step_timeout_http_call"

    async def run(self, config: HttpCallConfig, context: Context) -> Json:
        began = time.monotonic()
        answer = await _answer(config, context)
        milliseconds = round((time.monotonic() - began) * 1000)
        context.log(f"{config.method} {answer.url} → {answer.status} in {milliseconds} ms, {_size(answer.size)}")
        if answer.unparsed:
            context.log(f"The body is kept as text, not as JSON: {answer.unparsed}", level="WARNING")
        _judge(config, answer)
        return {"status": answer.status, "headers": answer.headers, "body": answer.body}


async def _answer(config: HttpCallConfig, context: Context) -> Answer:
    """Ask, and turn every way a call can go wrong into Retry or Fail."""
    target = f"{config.method} {_shown(config.url)}"
    deadline = config.timeout or context.timeout_seconds
    try:
        async with asyncio.timeout(deadline):
            return await _ask(config, context)
    except (TimeoutError, httpx2.TimeoutException):
        raise Retry(f"{target}: no complete answer within {deadline:g} s", kind="timeout") from None
    except AddressRefused as error:
        raise Fail(f"{target}: {error}") from None
    except httpx2.TooManyRedirects:
        raise Fail(f"{target}: more than {outbound.MAX_REDIRECTS} redirects") from None
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.DecodingError, httpx2.LocalProtocolError) as error:
        raise Fail(f"{target}: {error}") from None
    except httpx2.TransportError as error:
        raise Retry(f"{target}: {str(error) or type(error).__name__}", kind="connection") from None


async def _ask(config: HttpCallConfig, context: Context) -> Answer:
    response = await outbound.send(_request(config, context), follow_redirects=config.follow_redirects, own_headers=config.headers)
    try:
        for hop in response.history:
            context.log(f"Redirected by {_shown(str(hop.url))} ({hop.status_code})", level="DEBUG")
        return await read(response, url=_shown(str(response.url)))
    finally:
        await response.aclose()


def _request(config: HttpCallConfig, context: Context) -> httpx2.Request:
    body, content_type = _body(config)
    headers = httpx2.Headers({"Idempotency-Key": context.idempotency_key, **content_type})
    headers.update({name: _plain(value) for name, value in config.headers.items()})
    return outbound.client().build_request(config.method, config.url, params=_query(config), headers=headers, **body)


def _query(config: HttpCallConfig) -> httpx2.QueryParams | None:
    """The query of the url and `query` together; null values are left out."""
    given = {key: value for key, value in config.query.items() if value is not None}
    return httpx2.URL(config.url).params.merge(given) if given else None


def _plain(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(config: HttpCallConfig) -> tuple[dict[str, Any], dict[str, str]]:
    """What the client is to send, and the content type it goes with."""
    given = config.model_fields_set
    if "form" in given:
        return {"data": config.form}, {}
    if "text" in given:
        return {"content": config.text.encode()}, {"Content-Type": "text/plain; charset=utf-8"}
    if isinstance(config.body, str):
        return {"content": config.body.encode()}, {}
    if "json_body" in given or config.body is not None:
        value = config.json_body if "json_body" in given else config.body
        return {"content": json.dumps(value, separators=(",", ":")).encode()}, {"Content-Type": "application/json"}
    return {}, {}


def _judge(config: HttpCallConfig, answer: Answer) -> None:
    status = answer.status
    if status < 400 or status in config.ok_statuses:
        return
    said = f"{config.method} {answer.url} answered {status}{answer.reason}{answer.excerpt}"
    if status == 429 or status >= 500:
        raise Retry(said, kind=str(status), after_seconds=retry_after_seconds(answer.headers))
    raise Fail(f"{said}. If that is fine, add {status} to ok_statuses")


def _shown(url: str) -> str:
    """The url without a user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _size(count: int) -> str:
    return f"{count} B" if count < 1000 else f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
