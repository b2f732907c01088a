"""The API object: routers, authentication, errors, documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import re_path
from ninja import NinjaAPI
from ninja.parser import Parser

from workflows_app.api import (
    approvals,
    dags,
    errors,
    events,
    graph,
    graph_executions,
    notifications,
    operations,
    schedules,
    tasks,
    template_texts,
    templates,
    workflows,
)
from workflows_app.api.answers import answer
from workflows_app.api.auth import AUTH, for_callers
from workflows_app.api.strict_json import is_plain

View = Callable[..., HttpResponseBase]
ROUTERS = [
    ("/workflows", workflows.router),
    ("/workflow", tasks.router),
    ("/templates", template_texts.router),
    ("/templates", templates.router),
    ("/graph", graph.router),
    ("/graph", graph_executions.router),
    ("/notifications", notifications.router),
    ("/events", events.router),
    ("/schedules", schedules.router),
    ("", approvals.router),
    ("", operations.router),
]


class StrictQueries(Parser):
    """A database cannot keep NUL, so no query may bring one."""

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> dict[str, Any]:
        for name, values in data.lists():
            if not all(map(is_plain, [name, *values])):
                raise errors.refusal(["query", name.replace("\0", "")], "must not contain the character NUL", "text")
        return super().parse_querydict(data, list_fields, request)


class Site(NinjaAPI):
    """Every view answers JSON also where ninja or Django would say it in HTML, and is left out of the login
    middleware, because authentication is on this object."""

    @property
    def urls(self) -> Any:
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            pattern.callback = _as_json(pattern.callback or _unknown)
        return [*patterns, re_path("", _as_json(_unknown))], app_name, namespace


def _as_json(view: Callable[..., Any]) -> View:
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            with _head_as_get(request):
                response = view(request, *args, **kwargs)
        except Http404:
            return answer({"detail": f"There is nothing at {request.path}"}, status=404)
        return _not_allowed(request, response) if response.status_code == 405 else response

    answered.csrf_exempt = True  # type: ignore[attr-defined]
    answered.login_required = False  # type: ignore[attr-defined]
    return answered


@contextmanager
def _head_as_get(request: HttpRequest) -> Iterator[None]:
    """HEAD is GET without the body (RFC 9110), which the server cuts off; ninja knows only methods that are named."""
    method = request.method
    request.method = "GET" if method == "HEAD" else method
    yield
    request.method = method


def _not_allowed(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    told = answer({"detail": f"{request.method} is not allowed here; allowed: {response['Allow']}"}, status=405)
    told["Allow"] = response["Allow"]
    return told


def _unknown(request: HttpRequest) -> HttpResponseBase:
    raise Http404


def _site(title: str, description: str, *, namespace: str) -> Site:
    site = Site(
        title=title,
        version=settings.VERSION,
        description=description,
        urls_namespace=namespace,
        auth=AUTH,
        docs_decorator=for_callers,
        parser=StrictQueries(),
    )
    errors.install(site)
    return site


ABOUT = 'Workflows, templates and how the system is. Errors are `{"detail": …}`. DAGs have [a page of their own](/v1/docs).'
api = _site("Hybrid Engine", ABOUT, namespace="api")
for prefix, router in ROUTERS:
    api.add_router(prefix, router)

v1 = _site(
    "Hybrid Engine: DAGs",
    "Submit a DAG, trigger it, look at its nodes and results. Everything else is under [/api](/api/docs).",
    namespace="v1",
)
v1.add_router("", dags.router)
