"""Headers that mean something to us."""

from __future__ import annotations

from django.http import HttpRequest

from workflows_app.api.errors import refusal

MAX_KEY_CHARACTERS = 255


def idempotency_key(request: HttpRequest) -> str | None:
    """Raises ValidationError for a key that we could not keep."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS or not (key.isascii() and key.isprintable()):
        message = f"must be 1 to {MAX_KEY_CHARACTERS} printable ASCII characters"
        raise refusal(["header", "Idempotency-Key"], message, "idempotency_key")
    return key


def next_link(request: HttpRequest, cursor: str) -> str:
    """The value of `Link` that leads to the page after (RFC 8288)."""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f'<{request.build_absolute_uri(request.path)}?{query.urlencode()}>; rel="next"'
