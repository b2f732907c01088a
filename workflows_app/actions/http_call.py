"""`http_call` (alias `call_external_service`): one HTTP request; its answer is the output."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx2
from pydantic import Field, field_validator, model_validator

from workflows_app.actions.base import Action, Config, Context, Json
from workflows_app.actions.http_answer import Answer
from workflows_app.actions.http_exchange import CHAIN_HEADER, CONTROL, Call, HttpUrl, ask, refuse

BODIES = ("json", "form", "text", "body")
MANAGED = frozenset(
    {CHAIN_HEADER.lower(), "connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

Scalar = str | int | float | bool


class HttpCallConfig(Config):
    """One request. At most one of `json`, `form`, `text` and `body`."""

    url: HttpUrl = Field(description="where to; `http://` or `https://`")
    method: str = Field("GET", description="any HTTP method")
    headers: dict[str, Scalar] = Field({}, description="headers by name")
    query: dict[str, Scalar | list[Scalar] | None] = Field(
        {}, description="added to the query of the url; a list repeats the name, null leaves it out"
    )
    json_body: Json = Field(None, alias="json", description="a body sent as JSON")
    form: dict[str, Scalar | list[Scalar]] = Field({}, description="a body sent as a form")
    text: str = Field("", description="a body sent as plain text")
    body: Json = Field(None, description="a text is sent as it is, anything else as JSON")
    ok_statuses: list[int] = Field([], description="statuses from 300 up that count as success")
    follow_redirects: bool = Field(True, description="whether to follow redirects, five at most")
    timeout: float | None = Field(None, gt=0, allow_inf_nan=False, description="seconds for the whole call; else the step's timeout")

    @model_validator(mode="before")
    @classmethod
    def _one_body(cls, data: Any) -> Any:
        given = [key for key in BODIES if isinstance(data, dict) and key in data]
        if len(given) > 1:
            raise ValueError(f"give one of {' and '.join(repr(key) for key in given)}, not both")
        return data

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
            if CONTROL.search(str(value)):
                raise ValueError(f"the value of header '{name}' holds a line break or another control character")
        return headers


class HttpCall(Action):
    """Output: `{"status", "headers", "body"}`, the body parsed when it is JSON.

    Connection errors, time-outs, 429 and 5xx are worth another try; any other status from 400 up fails the step.
    """

    name = "http_call"
    config = HttpCallConfig
    takes_secrets = True
    timeout_setting = "step_timeout_http_call"

    async def run(self, config: HttpCallConfig, context: Context) -> Json:
        began = time.monotonic()
        call = _call(config, context)
        answer = await ask(call, context)
        milliseconds = round((time.monotonic() - began) * 1000)
        context.log(f"{config.method} {answer.url} → {answer.status} in {milliseconds} ms, {_size(answer.size)}")
        if answer.unparsed:
            context.log(f"The body is kept as text, not as JSON: {answer.unparsed}", level="WARNING")
        if answer.status >= 400 and answer.status not in config.ok_statuses:
            refuse(call, answer, answer.excerpt, f". If that is fine, add {answer.status} to ok_statuses")
        return self._output(answer)

    def _output(self, answer: Answer) -> Json:
        return {"status": answer.status, "headers": answer.headers, "body": answer.body}


class CallExternalService(HttpCall):
    """`http_call` under its other name; the body is also the output's `response` (CONTRACT.md section 6)."""

    name = "call_external_service"

    def _output(self, answer: Answer) -> Json:
        return {**super()._output(answer), "response": answer.body}


def _call(config: HttpCallConfig, context: Context) -> Call:
    sent, content_type = _body(config)
    return Call(
        method=config.method,
        url=config.url,
        headers={name: _plain(value) for name, value in config.headers.items()},
        query=_query(config),
        sent=sent,
        content_type=content_type,
        deadline_seconds=config.timeout or context.timeout_seconds,
        follow_redirects=config.follow_redirects,
    )


def _query(config: HttpCallConfig) -> httpx2.QueryParams | None:
    """The query of the url and `query` together; null values are left out."""
    given = {key: value for key, value in config.query.items() if value is not None}
    return httpx2.URL(config.url).params.merge(given) if given else None


def _plain(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(config: HttpCallConfig) -> tuple[dict[str, Any], str]:
    """What the client is to send, and the content type it needs besides."""
    given = config.model_fields_set
    if "form" in given:
        return {"data": config.form}, ""
    if "text" in given:
        return {"content": config.text.encode()}, "text/plain; charset=utf-8"
    if isinstance(config.body, str):
        return {"content": config.body.encode()}, ""
    if "json_body" in given or config.body is not None:
        value = config.json_body if "json_body" in given else config.body
        return {"content": json.dumps(value, separators=(",", ":")).encode()}, "application/json"
    return {}, ""


def _size(count: int) -> str:
    return f"{count} B" if count < 1000 else f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
