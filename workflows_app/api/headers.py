"""Headers that mean something to us."""

from __future__ import annotations

from django.http import HttpRequest

from workflows_app.api.errors import refusal

MAX_KEY_CHARACTERS = 255
MAX_CHAIN_DEPTH, MAX_DIGITS = 32_767, 6


def idempotency_key(request: HttpRequest) -> str | None:
    """Raises ValidationError for a key that we could not keep."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS or not (key.isascii() and key.isprintable()):
        message = f"must be 1 to {MAX_KEY_CHARACTERS} printable ASCII characters"
        raise refusal(["header", "Idempotency-Key"], message, "idempotency_key")
    return key


def chain_depth(request: HttpRequest) -> int:
    """How many events led to this request, one causing the next (`Hybrid-Chain-Depth`); 0 without the header. Raises ValidationError."""
    text = request.headers.get("Hybrid-Chain-Depth", "0").strip()
    if not (text.isascii() and text.isdecimal()):
        raise refusal(["header", "Hybrid-Chain-Depth"], "must be a whole number from 0 on", "int_parsing")
    return min(int(text[:MAX_DIGITS]), MAX_CHAIN_DEPTH)


def next_link(request: HttpRequest, cursor: str) -> str:
    """The value of `Link` that leads to the page after (RFC 8288)."""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f'<{request.build_absolute_uri(request.path)}?{query.urlencode()}>; rel="next"'
