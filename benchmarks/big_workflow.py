"""`python -m benchmarks.big_workflow FILE`: workflows of 2,000 steps in a real browser, as JSON into the file.

How long a page needs from the request until it is painted (`open_ms`, the very first time too), and how long the browser needs for a
poll that brings a hundred changes, from the swap until it is painted (`update_ms`). Only the web server runs: no worker touches them."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import product

STEPS, UPDATES, AT_ONCE = 2_000, 7, 50
OPEN_GOAL, UPDATE_GOAL = 1_500, 150
PATIENCE = 150  # fifths of a second
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
WATCH = """() => {
    let at = 0;
    window.updates = [];
    const painted = (then) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = then;
        channel.port2.postMessage(0);
    });
    document.addEventListener("htmx:before:swap", () => (at = performance.now()), true);
    document.addEventListener("htmx:after:swap", () => painted(() => window.updates.push(performance.now() - at)));
    document.addEventListener("DOMContentLoaded", () => painted(() => (window.opened = performance.now())));
}"""
Needs = list[list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    product.settle_environment()
    import django

    django.setup()
    with _served() as address:
        options.file.write_text(json.dumps(measure(address), indent=2) + "\n")


def shapes() -> dict[str, Needs]:
    """One, 1,998 beside each other, one; all in a row; and twenty layers, each step needing two or three of the layer before."""
    width = STEPS // 20
    beside: Needs = [[], *([0] for _ in range(STEPS - 2)), list(range(1, STEPS - 1))]
    row: Needs = [[step - 1] if step else [] for step in range(STEPS)]
    layers: Needs = [
        sorted({(step // width - 1) * width + (step * k + step // 7) % width for k in (1, 3, 11)}) if step >= width else []
        for step in range(STEPS)
    ]
    return {"beside": beside, "row": row, "layers": layers}


def measure(address: str) -> dict[str, Any]:
    """`{name: {open_ms, open_again_ms, update_ms, drawn, goals}}`."""
    found = {}
    with _browser() as browser:
        for name, needs in shapes().items():
            workflow = _half_done(name, needs)
            found[name] = _watch(browser, f"{address}/workflows/{workflow.uid}", workflow)
            group = _first_group(browser, f"{address}/workflows/{workflow.uid}")
            found[f"{name}, a group open"] = _watch(browser, f"{address}/workflows/{workflow.uid}{group}", workflow)
    return found


def show(found: Mapping[str, Mapping[str, Any]], database: str, say: Callable[[str], None] = print) -> None:
    """A line for each, with what is over its goal marked."""
    for name, one in found.items():
        over = "  OVER" if max(one["open_ms"], one["open_again_ms"]) > OPEN_GOAL or one["update_ms"] > UPDATE_GOAL else ""
        opened = f"open {one['open_ms']:,} ms (again {one['open_again_ms']:,})"
        updated = f"update {one['update_ms']} ms (slowest {one['slowest_update_ms']})"
        say(f"{database}: {STEPS:,} steps, {name}: {opened}, {updated}; goal: ≤ {OPEN_GOAL:,} and {UPDATE_GOAL} ms{over}")


@contextmanager
def _served() -> Iterator[str]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    port = int(os.environ["PORT"])
    with subprocess.Popen([sys.executable, "manage.py", "web"], cwd=product.ROOT) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(PATIENCE):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("The web server did not start")


@contextmanager
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's own loop runs in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def _first_group(browser: Any, url: str) -> str:
    """The link that opens the largest closed group: that of most members comes first in each of these."""
    page = browser.new_page()
    page.goto(url)
    link = str(page.locator(".k-group").first.get_attribute("href"))
    page.close()
    return link


def _watch(browser: Any, url: str, workflow: Any) -> dict[str, Any]:
    first, page = _opened(browser, url)
    page.close()
    again, page = _opened(browser, url)
    page.wait_for_function("() => window.updates.length > 0")  # the first poll brings all there is
    for count in range(2, UPDATES + 2):
        _go_on(workflow)
        page.wait_for_function("(count) => window.updates.length >= count", arg=count)
    updates = page.evaluate("() => window.updates")[1:]
    drawn = page.locator(".node").count()
    page.close()
    return {
        "open_ms": round(first), "open_again_ms": round(again), "update_ms": round(statistics.median(updates)),
        "slowest_update_ms": round(max(updates)), "drawn": drawn, "goals": [OPEN_GOAL, UPDATE_GOAL],
    }  # fmt: skip


def _opened(browser: Any, url: str) -> tuple[float, Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(f"({WATCH})()")
    page.goto(url)
    page.wait_for_function("() => window.opened")
    return float(page.evaluate("() => window.opened")), page


def _half_done(name: str, needs: Needs) -> Any:
    """A quarter is done, some run with a lease that outlives this; nothing of it is due, so no worker touches it."""
    from workflows_app.engine import definitions
    from workflows_app.engine.clock import database_now
    from workflows_app.engine.start import Order, start
    from workflows_app.graph.definition import Definition, Node
    from workflows_app.models import Step

    now = database_now()
    graph = Definition(tuple(Node(f"step_{i}", "transform", needs=tuple(f"step_{need}" for need in some)) for i, some in enumerate(needs)))
    workflow = start(order=Order(definitions.store(definition=graph, now=now), name, awaits_trigger=True), now=now)
    Step.objects.filter(workflow=workflow, position__lt=STEPS // 4).update(
        status="COMPLETED", attempt=1, started_at=now, claimed_at=now, ended_at=now + timedelta(seconds=3), available_at=None
    )
    _run(workflow, STEPS // 4, now)
    return workflow


def _run(workflow: Any, first: int, now: Any) -> None:
    from workflows_app.models import Step, Workflow

    Step.objects.filter(workflow=workflow, position__gte=first, position__lt=first + AT_ONCE).update(
        status="RUNNING", attempt=1, started_at=now, claimed_at=now, worker_id="benchmark", lease_expires_at=now + timedelta(hours=1),
        available_at=None,
    )  # fmt: skip
    Workflow.objects.filter(pk=workflow.pk).update(
        status="RUNNING", awaits_trigger=False, started_at=workflow.created_at, done_steps=first, active_steps=AT_ONCE, updated_at=now
    )


def _go_on(workflow: Any) -> None:
    """Those that run are done, the next ones run."""
    from django.db import transaction
    from django.db.models import F

    from workflows_app.engine.clock import database_now
    from workflows_app.models import Step, Workflow

    now = database_now()
    with transaction.atomic():
        steps = Step.objects.filter(workflow=workflow, status="RUNNING")
        steps.update(status="COMPLETED", worker_id="", lease_expires_at=None, ended_at=now)
        done = Step.objects.filter(workflow=workflow, status="COMPLETED").count()
        _run(workflow, done, now)
        Workflow.objects.filter(pk=workflow.pk).update(seq=F("seq") + 1)


if __name__ == "__main__":
    main()
