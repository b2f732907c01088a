"""Every place in every state: few and many, failed, running, waiting, nothing yet, filtered, not there, with what opens over it open.
Nothing serious for those who do not see or use a mouse, nothing wider than the screen, nothing in the console."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e import places
from tests.e2e.conftest import WATCH_POLICY
from tests.e2e.still import Still, still
from tests.e2e.test_every_page import AXE, FAULTS
from tests.e2e.test_payloads import filled

pytestmark = pytest.mark.e2e
LOOKS = [("light", 1280), ("dark", 400)]
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


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    theme, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 860}, color_scheme=theme, reduced_motion="reduce")
    context.add_init_script(WATCH_POLICY)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [text for text in complaints if not re.search(r"status of 40[45]", text)] == []


def faults(page: Page, where: str) -> list[str]:
    page.evaluate(AXE)
    found = [f"{where}: {fault}" for fault in page.evaluate(FAULTS)]
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
