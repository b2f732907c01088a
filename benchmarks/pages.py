"""`python -m benchmarks.pages FILE`: what pages and polls cost the server, on one database with a long history, as JSON into the file.

In this process, through the WSGI application with all its middleware, as a user who is logged in; without a web server around it."""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import product

WORKFLOWS, STEPS, LARGE_STEPS, ROUNDS, POLL_ROUNDS = 100_000, 8, 2_000, 40, 200
POLL = {"HTTP_HX_REQUEST": "true", "HTTP_HX_REQUEST_TYPE": "partial"}
PAGE_GOAL, LARGE_GOAL, POLL_GOAL = 50.0, 1_500.0, 2.0


@dataclass(frozen=True)
class Page:
    """`must_show` is a regular expression for what the answer has to say. `rounds` beside the first, which warms up and is told apart."""

    name: str
    url: str
    must_show: str
    goal: float = PAGE_GOAL
    rounds: int = ROUNDS


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str
    milliseconds: float


def main() -> None:
    """DATABASE_URL says which database; empty is SQLite in a directory of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--workflows", type=int, default=WORKFLOWS, help="of history")
    options = parser.parse_args()
    product.settle_environment()
    os.environ["MODE"] = "server"
    import django

    django.setup()
    logging.disable(logging.WARNING)
    options.file.write_text(json.dumps(measure(options.workflows)))


def measure(workflows: int) -> dict[str, Any]:
    """`{name: {p50_ms, p95_ms, first_ms, goal_ms}}`."""
    browser, places = Browser(), _prepare(workflows)
    measured: dict[str, Callable[[], dict[str, float]]] = {page.name: partial(_page, browser, page) for page in _pages(**places)}
    measured |= {f"poll, {name}": partial(_poll, browser, url) for name, url in _polls(**places).items()}
    figures, wrong = {}, list[str]()
    for name, measure_one in measured.items():
        try:
            figures[name] = measure_one()
        except Wrong as error:
            wrong.append(str(error))
    if wrong:
        raise SystemExit("\n".join(wrong))
    return figures


class Wrong(RuntimeError):
    """An answer is not what the page should say."""


class Browser:
    """Somebody who is logged in, with a session in the database."""

    def __init__(self) -> None:
        from django.core.management import call_command
        from django.core.wsgi import get_wsgi_application

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        self._application = get_wsgi_application()
        self._cookie = session_cookie()

    def get(self, url: str, **headers: str) -> Answer:
        from django.test import RequestFactory

        path, _, query = url.partition("?")
        given = {"HTTP_HOST": "127.0.0.1", "HTTP_COOKIE": self._cookie, "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1"}
        environ = RequestFactory(**given, **headers).get(path).environ | {"QUERY_STRING": query}  # type: ignore[arg-type]
        told: list[tuple[str, dict[str, str]]] = []

        def start_response(status: str, sent: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            told.append((status, dict(sent)))
            return bytes

        began = time.perf_counter()
        response = self._application(environ, start_response)
        body = b"".join(response)
        response.close()
        spent = (time.perf_counter() - began) * 1000
        status, sent = told[0]
        return Answer(int(status.split()[0]), sent, body.decode(), spent)


def session_cookie() -> str:
    """Of a new user, who is logged in."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User

    user = User.objects.create_user(f"bench-{uuid.uuid4().hex[:8]}", password=uuid.uuid4().hex, is_staff=True)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def _prepare(workflows: int) -> dict[str, Any]:
    """The history, one failed workflow of it, and one of 2,000 steps that is half done."""
    from django.core.management import call_command

    from workflows_app.catalog import bundled
    from workflows_app.engine.clock import database_now
    from workflows_app.models import Workflow

    bundled.load(now=database_now())
    call_command("make_history", workflows=workflows, steps_per_workflow=STEPS, add=True)
    failed = Workflow.objects.filter(status="FAILED").order_by("-id").first()
    if failed is None:
        raise SystemExit("No workflow of the history failed: make more")
    found = {"failed": failed, "large": _large(), "running": _running()}
    _settle()
    return found


def _settle() -> None:
    """As a database is whose history is old: PostgreSQL would else clean it up while it is measured."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")


def _large() -> Any:
    """2,000 steps in 40 layers; the first 20 are done, the next one runs."""
    from workflows_app.graph.definition import Definition, Node

    width = 50
    nodes = [Node(f"s{i}", "transform", needs=(f"s{i - width}", f"s{i - width + 1 - width * ((i + 1) % width == 0)}") if i >= width else ())
             for i in range(LARGE_STEPS)]  # fmt: skip
    return _half_done(Definition(tuple(nodes)), "Large", done=LARGE_STEPS // 2, running=width)


def _running() -> Any:
    from workflows_app.graph.definition import Definition, Node

    nodes = tuple(Node(f"s{i}", "transform", needs=(f"s{i - 1}",) if i else ()) for i in range(STEPS))
    return _half_done(Definition(nodes), "Running", done=3, running=1)


def _half_done(graph: Any, name: str, *, done: int, running: int) -> Any:
    """As if workers were at it: written, not run."""
    from workflows_app.engine import definitions
    from workflows_app.engine.clock import database_now
    from workflows_app.engine.start import Order, start
    from workflows_app.models import Step, Workflow

    now = database_now()
    workflow = start(order=Order(definitions.store(definition=graph, now=now), name), now=now)
    steps = Step.objects.filter(workflow=workflow)
    steps.filter(position__lt=done).update(status="COMPLETED", attempt=1, started_at=now, ended_at=now, claimed_at=now, available_at=None)
    steps.filter(position__gte=done, position__lt=done + running).update(
        status="RUNNING", attempt=1, started_at=now, claimed_at=now, worker_id="benchmark", lease_expires_at=now, available_at=None
    )
    Workflow.objects.filter(pk=workflow.pk).update(status="RUNNING", started_at=now, done_steps=done, active_steps=running)
    return workflow


def _pages(*, failed: Any, large: Any, running: Any) -> list[Page]:
    rows, title = r'id="w-', r'<div id="live"'
    name = failed.name.split()[0]
    filters = {
        "status": "status=failed", "since": "since=24h", "template": "template=history-1", "tag": "tag=night", "name": f"q={name}",
        "id": f"q={str(failed.uid)[:8]}", "error": "q=error%3Arefused", "step": "q=step%3Astep3",
        "several": "status=failed&tag=etl&since=30d",
    }  # fmt: skip
    uid, many = failed.uid, large.uid
    return [
        Page("list", "/workflows", rows),
        *(Page(f"list, {name}", f"/workflows?{query}", rows) for name, query in filters.items()),
        Page("list, nothing found", "/workflows?q=nothing-is-named-so", "No workflow|matches"),
        Page("overview", "/", "<h1"),
        Page("workflow, failed", f"/workflows/{uid}", re.escape(failed.name)),
        *(Page(f"workflow, {view}", f"/workflows/{uid}?view={view}", title) for view in ("graph", "timeline", "list", "events", "json")),
        Page("workflow, a step", f"/workflows/{uid}?step=step0", title),
        Page("workflow, running", f"/workflows/{running.uid}", "Running"),
        *(
            Page(f"2,000 steps, {view}", f"/workflows/{many}?view={view}", title, LARGE_GOAL, rounds=5)
            for view in ("graph", "timeline", "list")
        ),
        Page("workers", "/workers", title),
        Page("template", "/templates/history-1", "<h1"),
        Page("templates", "/templates", "history-1"),
        Page("start form", "/templates/history-1/start", "<form"),
        Page("schedules", "/schedules", "<h1"),
        Page("events", "/events", "<h1"),
        Page("notifications", "/notifications", "<h1"),
        Page("approvals", "/approvals", "<h1"),
        Page("palette, typed", f"/palette?part=list&q={name}", "option"),
    ]


def _polls(*, failed: Any, large: Any, running: Any) -> dict[str, str]:
    return {
        "list": "/workflows", "list, failed": "/workflows?status=failed", "overview": "/", "workflow, ended": f"/workflows/{failed.uid}",
        "workflow, running": f"/workflows/{running.uid}", "2,000 steps": f"/workflows/{large.uid}", "workers": "/workers",
        "approvals": "/approvals", "notifications": "/notifications", "events": "/events",
    }  # fmt: skip


def _page(browser: Browser, page: Page) -> dict[str, float]:
    """Raises Wrong: a figure for a wrong answer says nothing."""
    answers = [browser.get(page.url) for _ in range(page.rounds + 1)]
    for answer in answers:
        if answer.status != 200 or not re.search(page.must_show, answer.body):
            raise Wrong(f"{page.name}: {page.url} was answered {answer.status} and does not show {page.must_show!r}")
    first, *others = [answer.milliseconds for answer in answers]
    return _figures(others, page.goal) | {"first_ms": round(first, 1)}


def _poll(browser: Browser, url: str) -> dict[str, float]:
    """A poll that finds nothing new. With what a page may keep for a second (as it is), and p50 without (`bare_ms`)."""
    from workflows_app.dashboard import kept

    as_it_is = _unchanged(browser, url)
    seconds, kept.SECONDS = kept.SECONDS, 0.0
    bare = _unchanged(browser, url)
    kept.SECONDS = seconds
    return _figures(as_it_is, POLL_GOAL) | {"bare_ms": _figures(bare, POLL_GOAL)["p50_ms"]}


def _unchanged(browser: Browser, url: str) -> list[float]:
    """Milliseconds of polls that were answered 304. Where nothing happens, a page may still age now and then; a tenth is too much."""
    tag, found = "", list[float]()
    for _ in range(POLL_ROUNDS):
        answer = browser.get(url, HTTP_HX_PTAG=tag, **POLL)
        tag = answer.headers.get("HX-PTag", "")
        if answer.status == 304 and not answer.body:
            found.append(answer.milliseconds)
    if len(found) < 0.9 * POLL_ROUNDS:
        raise Wrong(
            f"Of {POLL_ROUNDS} polls of {url} only {len(found)} were answered 304 though nothing had changed; the last tag is {tag}"
        )
    return found


def _figures(milliseconds: list[float], goal: float) -> dict[str, float]:
    from benchmarks.workloads import percentile

    return {"p50_ms": round(percentile(milliseconds, 0.5), 2), "p95_ms": round(percentile(milliseconds, 0.95), 2), "goal_ms": goal}


def show(found: dict[str, dict[str, float]], database: str, say: Callable[[str], None] = print) -> None:
    """The table, with what is over its goal marked. `other` is the first answer, which warms up; of a poll, one that kept nothing."""
    say(f"\n{database}: {'page':32} {'p50 ms':>8} {'p95 ms':>8} {'other':>8}  goal")
    for name, figure in found.items():
        over = "  OVER" if figure["p50_ms"] > figure["goal_ms"] or figure.get("bare_ms", 0) > figure["goal_ms"] else ""
        first = figure.get("first_ms", figure.get("bare_ms", 0))
        say(
            f"{'':{len(database) + 2}}{name:32} {figure['p50_ms']:8.2f} {figure['p95_ms']:8.2f} {first:8.2f}  ≤ {figure['goal_ms']:g}{over}"
        )


if __name__ == "__main__":
    random.seed(0)
    main()
