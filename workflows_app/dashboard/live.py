"""Live pages: the same URL answers a page to a browser and its live region to the poll (`static/live.js`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

# How often a region asks again: a running workflow, a list with something active, a quiet page, a page that will not change.
BUSY_MILLISECONDS, LIST_MILLISECONDS, IDLE_MILLISECONDS, NEVER = 500, 1_500, 15_000, 0


def respond(request: HttpRequest, *, page: str, region: str, context: Mapping[str, Any]) -> TemplateResponse:
    """The region alone when htmx asks for it, else the page that includes it."""
    is_region = wants_region(request)
    response = TemplateResponse(request, region if is_region else page, {**context, "region": region, "is_region": is_region})
    patch_vary_headers(response, ["HX-Request", "HX-Request-Type"])
    patch_cache_control(response, private=True, no_cache=True)
    return response


def wants_region(request: HttpRequest) -> bool:
    """htmx 4 asks for `full` when it restores history: only `partial` gets the region."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") == "partial"
