"""The real product in a subprocess and a real browser in front of it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright

from tests import tether
from tests.with_postgres import database_of_its_own

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), "")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
WATCH_POLICY = "addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI))"
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a product of our own: fresh data, free port; also for who looks at its rows."""
    own = {"DATA_DIR": str(tmp_path_factory.mktemp("product")), "DATABASE_URL": database_of_its_own(), "PORT": str(_free_port())}
    return {**os.environ, **own, "DJANGO_SETTINGS_MODULE": "hybrid_site.settings"}


@pytest.fixture(scope="session")
def product(surroundings: dict[str, str]) -> Iterator[str]:
    """The address of that product, which runs, with real workers."""
    log = Path(surroundings["DATA_DIR"]) / "log"
    process = tether.popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=log.open("wb"),
        start_new_session=True,
    )
    try:
        yield _address(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """What the ready line says; when the product ends instead, what it wrote."""
    assert process.stdout
    for line in process.stdout:
        words = line.decode().split()
        if "ready" in words:
            return next(word for word in words if word.startswith("http"))
    raise AssertionError(f"the product did not start: {log.read_text()}")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium. Where there is none its tests are left out, but never in CI."""
    if not CHROMIUM and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine: install it, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def contexts(browser: Browser, product: str) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts on the product and closes them."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        made.append(browser.new_context(base_url=product, **options))
        made[-1].add_init_script(WATCH_POLICY)
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the console said that it should not have."""
    return []


@pytest.fixture
def watched(contexts: Callable[..., BrowserContext], complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Makes pages whose console errors and policy violations fail the test."""

    def open_page(**options: Any) -> Page:
        page = contexts(**options).new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    assert complaints == []


@pytest.fixture
def page(watched: Callable[..., Page]) -> Page:
    return watched(viewport={"width": 1280, "height": 860})


def start(page: Page, template: str = "data_processing", **params: Any) -> str:
    """Start a workflow through the API; its id."""
    response = page.request.post(f"/api/workflows/from-template?template_id={template}", data=params)
    assert response.ok, response.text()
    return str(response.json()["id"])


def is_poll(response: Response) -> bool:
    return response.request.headers.get("hx-request") == "true"


def wait_for_polls(page: Page, count: int = 2) -> None:
    for _ in range(count):
        page.wait_for_event("response", predicate=is_poll)
