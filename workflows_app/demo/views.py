"""What the demo service answers: orders in pages, an echo, any status, a slow answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from workflows_app.demo import orders

LATENCY_SECONDS = 0.08
MAX_SECONDS = 30.0
SHOWN_HEADERS = ("Accept", "Content-Type", "Idempotency-Key", "User-Agent")

View = Callable[..., HttpResponse]


def local_only(view: View) -> View:
    """Outside of local mode there is no demo service: 404."""

    @wraps(view)
    def guarded(request: HttpRequest, **captured: Any) -> HttpResponse:
        if not settings.IS_LOCAL:
            return JsonResponse({"detail": "the demo service is there in local mode only"}, status=404)
        return view(request, **captured)

    return csrf_exempt(never_cache(guarded))


@local_only
@require_safe
def order_pages(request: HttpRequest) -> HttpResponse:
    """`?page=1&size=20`."""
    number, size = _whole(request, "page", 1), _whole(request, "size", 20)
    if number is None or size is None or size > orders.MAX_PAGE_SIZE:
        message = f"page and size are whole numbers from 1, size at most {orders.MAX_PAGE_SIZE}"
        return JsonResponse({"detail": message}, status=422)
    time.sleep(LATENCY_SECONDS * (1 + number % 3))
    return JsonResponse(orders.page(number, size))


@local_only
def echo(request: HttpRequest) -> HttpResponse:
    """What arrived: method, query, some headers, body."""
    headers = {name: request.headers[name] for name in SHOWN_HEADERS if name in request.headers}
    return JsonResponse({"method": request.method, "query": request.GET.dict(), "headers": headers, "body": _body(request)})


@local_only
def status(request: HttpRequest, *, code: int) -> HttpResponse:
    """Answers with that status, from 200 to 599; `?retry_after=2` adds the header."""
    if not 200 <= code <= 599:
        return JsonResponse({"detail": "the status is a number from 200 to 599"}, status=422)
    response = HttpResponse(status=code) if code in (204, 304) else JsonResponse({"status": code}, status=code)
    if seconds := _whole(request, "retry_after", 0):
        response["Retry-After"] = str(seconds)
    return response


@local_only
@require_safe
def slow(request: HttpRequest) -> HttpResponse:
    """Answers after `?seconds=1`."""
    try:
        seconds = float(request.GET.get("seconds", "1"))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_SECONDS:
        return JsonResponse({"detail": f"seconds is a number from 0 to {MAX_SECONDS:g}"}, status=422)
    time.sleep(seconds)
    return JsonResponse({"waited_seconds": seconds})


def _whole(request: HttpRequest, name: str, default: int) -> int | None:
    """A whole number from 1 up, `default` without one; `None` when it is something else."""
    text = request.GET.get(name)
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdecimal() and int(text[:9]) > 0 and len(text) < 9 else None


def _body(request: HttpRequest) -> Any:
    text = request.body.decode("utf-8", "replace")
    if request.content_type != "application/json":
        return text or None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
