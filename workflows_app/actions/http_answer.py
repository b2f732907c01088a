"""Reading what a server answered: at most 5 MB, JSON parsed, text decoded, anything else as base64."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NoReturn

import httpx2

from workflows_app.actions.base import Fail

MAX_BYTES = 5_000_000
MAX_DEPTH = 100
MAX_RETRY_AFTER_SECONDS = 86_400.0
EXCERPT_CHARACTERS = 300

Json = Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `size` counts decoded bytes; `url` is the last one after redirects, without credentials;
    `unparsed` says why a body that is called JSON is a text."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: Json
    size: int
    unparsed: str = ""

    @property
    def reason(self) -> str:
        known = {status.value: status.phrase for status in HTTPStatus}
        return f" {known[self.status]}" if self.status in known else ""

    @property
    def excerpt(self) -> str:
        """The beginning of the body, for an error message."""
        if self.body in (None, ""):
            return ""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
        return f": {text[:EXCERPT_CHARACTERS]}{'…' if len(text) > EXCERPT_CHARACTERS else ''}"


async def read(response: httpx2.Response, *, url: str) -> Answer:
    """Read the body, decompressed, up to MAX_BYTES. Raises Fail when it is larger."""
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_BYTES:
            raise Fail(f"{response.request.method} {url}: the answer is larger than {MAX_BYTES // 1_000_000} MB")
    body, unparsed = parse(bytes(content), response.headers.get("content-type", ""), response.charset_encoding)
    headers = dict(response.headers)
    return Answer(url=url, status=response.status_code, headers=headers, body=body, size=len(content), unparsed=unparsed)


def parse(content: bytes, content_type: str, charset: str | None) -> tuple[Json, str]:
    """The body as JSON data: parsed JSON, else text, else `{"base64": ...}`; `None` for an empty one.
    And why it is not parsed, where it is called JSON."""
    if not content:
        return None, ""
    text = _text(content, charset)
    if text is None:
        return {"base64": base64.b64encode(content).decode()}, ""
    media_type = content_type.partition(";")[0].strip().lower()
    return _json(text) if media_type == "application/json" or media_type.endswith("+json") else (text, "")


def _text(content: bytes, charset: str | None) -> str | None:
    try:
        return content.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return None


def _json(text: str) -> tuple[Json, str]:
    """What a server calls JSON and is not stays a text: the step that reads it will say what is missing."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        _refuse_deep(value)
    except RecursionError:
        return text, f"nested more than {MAX_DEPTH} levels deep"
    except ValueError as error:
        return text, str(error)
    return value, ""


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number


def _refuse_deep(value: Json) -> None:
    """Level by level: what comes in must also go out again."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [part for item in level if isinstance(item, dict | list) for part in (item.values() if isinstance(item, dict) else item)]
        if not level:
            return
    raise RecursionError


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """When to come back as the server asks (RFC 9110, 10.2.3: seconds or a date); a day at most."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    seconds = float(value) if value.isdecimal() else _seconds_until(value)
    return None if seconds is None else min(MAX_RETRY_AFTER_SECONDS, max(0.0, seconds))


def _seconds_until(value: str) -> float | None:
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
