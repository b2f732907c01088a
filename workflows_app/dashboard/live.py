"""Live pages: the same URL answers a page to a browser and its live region to the poll (`static/live.js`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django_htmx.http import ptag

from workflows_app.dashboard import attention
from workflows_app.engine.report.pulse import one_pulse

# How often a region asks again: a running workflow, a list with something active, a quiet page, a page that will not change.
BUSY_MILLISECONDS, LIST_MILLISECONDS, IDLE_MILLISECONDS, NEVER = 500, 1_500, 15_000, 0
REGION = "region.html"


def respond(request: HttpRequest, *, page: str, region: str, context: Mapping[str, Any], status: int = 200) -> TemplateResponse:
    """The region alone when htmx asks for it (with the counts of the header beside it), else the page that includes it."""
    is_region = wants_region(request)
    names = {**context, "region": region, "is_region": is_region}
    response = TemplateResponse(request, REGION if is_region else page, names, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Request-Type"])
    patch_cache_control(response, private=True, no_cache=True)
    return response


def tagged(tag: Callable[..., str | None]) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """The poll is answered 304 until `tag(request, …)` changes, or a count in the header may have. No tag: always in full."""

    def whole(request: HttpRequest, **path: Any) -> str | None:
        with one_pulse():
            own = tag(request, **path)
            return own and f"{own}-{attention.tag()}"

    return ptag(whole)


def wants_region(request: HttpRequest) -> bool:
    """htmx 4 asks for `full` when it restores history: only `partial` gets the region."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") == "partial"
