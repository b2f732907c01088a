"""Every place in every state: few and many, failed, running, waiting, nothing yet, filtered, not there, with what opens over it open.
Nothing serious for those who do not see or use a mouse, nothing wider than the screen, nothing in the console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e import places
from tests.e2e.conftest import WATCH_POLICY
from tests.e2e.still import Still, still
from tests.e2e.test_payloads import filled

pytestmark = pytest.mark.e2e
AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text()
FAULTS = """async (rule) => (await axe.run({resultTypes: ["violations"], ...(rule && {runOnly: [rule]})})).violations
    .filter((fault) => ["serious", "critical"].includes(fault.impact)).map((fault) => `${fault.id} ${fault.nodes[0].html}`)"""
WIDTHS = [1280, 400]
THEMES: tuple[tuple[Literal["light", "dark"], str], ...] = (("light", ""), ("dark", "color-contrast"))
ALSO = ("/workflows/{running}", "/workflows/{running}?step=load_warehouse", "/workflows/{running}?view=timeline", "/workflows/{ask}")
PARTS = {"schedule-preview", "workflow-log-rows"}
EVERYWHERE = [address for name, addresses in places.PAGES.items() if name not in PARTS for address in addresses]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    with still(tmp_path_factory.mktemp("day"), "tests.still_lives") as running:
        yield running


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    with still(tmp_path_factory.mktemp("nothing")) as running:
        yield running


@pytest.fixture(params=WIDTHS)
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 860}, reduced_motion="reduce")
    context.add_init_script(WATCH_POLICY)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [text for text in complaints if not re.search(r"status of 40[45]", text)] == []


def faults(page: Page, where: str) -> list[str]:
    """In both themes, between which only colours differ."""
    page.evaluate(AXE)
    found = []
    for theme, rule in THEMES:
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("dark => document.documentElement.classList.contains('dark') === dark", arg=theme == "dark")
        found += [f"{where} ({theme}): {fault}" for fault in page.evaluate(FAULTS, rule)]
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found + ([f"{where}: {width} px wider than the screen"] if width > 0 else [])


def faults_of(page: Page, running: Still, addresses: list[str]) -> list[str]:
    found: list[str] = []
    for address in addresses:
        where = filled(address, running.found, 0) if running.found else address
        page.goto(running.url + where)
        found += faults(page, address)
    return found


def test_an_ordinary_day(page: Page, day: Still) -> None:
    assert faults_of(page, day, [*EVERYWHERE, *ALSO]) == []


def test_the_first_day(page: Page, nothing: Still) -> None:
    assert faults_of(page, nothing, [address for address in EVERYWHERE if "{" not in address]) == []


def test_what_is_not_there(page: Page, day: Still) -> None:
    assert faults_of(page, day, [*places.ERRORS, "/login"]) == []


def test_what_opens_over_a_page(page: Page, day: Still) -> None:
    found = []
    for address, keys in (("/workflows", "Control+k"), ("/workflows", "?"), ("/", "Control+k"), (f"/workflows/{day.found['failed']}", "?")):
        page.goto(day.url + address)
        page.keyboard.press(keys)
        page.locator("dialog[open]").first.wait_for(state="attached")
        found += faults(page, f"{address} and {keys}")
    assert found == []
