"""The body of a request as strict JSON or as text (limits in SECURITY of docs/architecture.md)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.errors import HttpError

from workflows_app.graph.strict_json import MAX_DEPTH, Malformed, Refused, is_plain, loads, not_plain

__all__ = ["MAX_DEPTH", "Malformed", "Refused", "is_plain", "loads", "read", "text", "whole"]
Json = Any


def read(request: HttpRequest) -> Json:
    """The body; None when there is none, whatever the content type says. Raises Malformed, Refused, RequestDataTooBig."""
    body = whole(request)
    return loads(body) if body.strip() else None


def text(request: HttpRequest) -> str:
    """The body as text of any kind. Raises Malformed, Refused, RequestDataTooBig."""
    try:
        found = whole(request).decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"This is not text in UTF-8: {error}") from None
    if not is_plain(found):
        raise not_plain()
    return found


def whole(request: HttpRequest) -> bytes:
    """Every byte of the body. Raises Malformed, RequestDataTooBig."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower() and not request.META.get("CONTENT_LENGTH"):
        raise HttpError(411, "Send the body with a Content-Length; chunked bodies are not read.")
    if len(request.body) < int(request.META.get("CONTENT_LENGTH") or 0):
        raise Malformed("The body ended before its Content-Length: it was cut off on the way")
    return request.body
