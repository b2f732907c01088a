"""One request through the guard and its answer: what every action that calls out shares."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import httpx2
from pydantic import AfterValidator

from workflows_app.actions import outbound
from workflows_app.actions.addresses import AddressRefused
from workflows_app.actions.base import Context, Fail, Retry
from workflows_app.actions.http_answer import Answer, read, retry_after_seconds

CHAIN_HEADER = "Hybrid-Chain-Depth"
KEY_HEADER = "Idempotency-Key"
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def http_url(url: str) -> str:
    """The url itself. Raises ValueError for one that no call can go to."""
    if CONTROL.search(url) or urlsplit(url).scheme.lower() not in {"http", "https"} or not urlsplit(url).hostname:
        raise ValueError(f"the url must begin with http:// or https:// and name a host, {url[:80]!r} does not")
    return url


HttpUrl = Annotated[str, AfterValidator(http_url)]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `headers` are the author's: they may hold secrets, so they follow no redirect to another origin.
    `sent` is the body as the client takes it. Messages say `target` where the address itself is a secret."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: httpx2.QueryParams | None = None
    sent: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = ""
    deadline_seconds: float | None = None
    follow_redirects: bool = False
    target: str = ""

    @property
    def title(self) -> str:
        return f"{self.method} {self.target or shown(self.url)}"


async def ask(call: Call, context: Context) -> Answer:
    """The complete answer. Raises Retry or Fail for every way in which a call can come to none."""
    try:
        async with asyncio.timeout(call.deadline_seconds):
            return await _exchange(call, context)
    except (TimeoutError, httpx2.TimeoutException):
        raise Retry(f"{call.title}: no complete answer within {call.deadline_seconds:g} s", kind="timeout") from None
    except AddressRefused as error:
        raise Fail(f"{call.title}: {error}") from None
    except httpx2.TooManyRedirects:
        raise Fail(f"{call.title}: more than {outbound.MAX_REDIRECTS} redirects") from None
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.DecodingError, httpx2.LocalProtocolError) as error:
        raise Fail(f"{call.title}: {error}") from None
    except httpx2.TransportError as error:
        raise Retry(f"{call.title}: {str(error) or type(error).__name__}", kind="connection") from None


async def _exchange(call: Call, context: Context) -> Answer:
    response = await outbound.send(_request(call, context), follow_redirects=call.follow_redirects, own_headers=call.headers)
    try:
        for hop in response.history:
            context.log(f"Redirected by {shown(str(hop.url))} ({hop.status_code})", level="DEBUG")
        return await read(response, url=call.target or shown(str(response.url)))
    finally:
        await response.aclose()


def _request(call: Call, context: Context) -> httpx2.Request:
    """With the headers that every call carries: a key that is the same for every attempt, which the author may replace, and
    how long the chain of events is that led here, so that workflows which call each other come to an end."""
    headers = httpx2.Headers({KEY_HEADER: context.idempotency_key})
    if call.content_type:
        headers["Content-Type"] = call.content_type
    headers.update(call.headers)
    headers[CHAIN_HEADER] = str(context.chain_depth + 1)
    return outbound.client().build_request(call.method, call.url, params=call.query, headers=headers, **call.sent)


def refuse(call: Call, answer: Answer, said: str, hint: str = "") -> NoReturn:
    """The server said no: 429 and 5xx are worth another try (after what Retry-After says), anything else is not."""
    message = f"{call.method} {answer.url} answered {answer.status}{answer.reason}{said}"
    if answer.status == 429 or answer.status >= 500:
        raise Retry(message, kind=str(answer.status), after_seconds=retry_after_seconds(answer.headers))
    raise Fail(f"{message}{hint}")


def shown(url: str) -> str:
    """The url without a user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def origin(url: str) -> str:
    """Scheme, host and port: what may be shown of an address whose path is a secret."""
    parts = urlsplit(shown(url))
    return f"{parts.scheme}://{parts.netloc}"


def shortest(*seconds: float | None) -> float | None:
    """The earliest of several deadlines."""
    given: Sequence[float] = [value for value in seconds if value is not None]
    return min(given) if given else None
