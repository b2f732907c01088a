"""Calling the API as curl does."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

NOTHING = object()


def call(method: str, path: str, body: Any = NOTHING, *, client: Client | None = None, **headers: str) -> Any:
    """The response. `body` is sent as JSON; bytes and strings as they are; without one only the content type is sent."""
    sent = "" if body is NOTHING else body if isinstance(body, bytes | str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    client = client or Client(raise_request_exception=False)
    return client.generic(method, path, sent, content_type="application/json", headers=named)


def get(path: str, **options: Any) -> Any:
    return call("GET", path, **options)


def post(path: str, body: Any = NOTHING, **options: Any) -> Any:
    return call("POST", path, body, **options)


def detail(response: HttpResponse) -> Any:
    """What an error says; every error must have it."""
    assert response["Content-Type"].startswith("application/json"), response["Content-Type"]
    return json.loads(response.content)["detail"]


def fields(response: HttpResponse) -> set[str]:
    """The fields that a 422 names."""
    assert response.status_code == 422, response.content
    return {".".join(map(str, found["loc"])) for found in detail(response)}
