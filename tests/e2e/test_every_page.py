"""Every page, narrow and wide, light and dark: no complaint in the console, nothing wider than the screen; all of it without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import start
from tests.e2e.test_states import AXE, FAULTS

pytestmark = pytest.mark.e2e
PAGES = [
    "/",
    "/workflows",
    "/workflows?status=failed",
    "/workflows?q=nothing-like-this",
    "/templates",
    "/templates/data_processing/start",
    "/templates/hot_lead/start",
    "/approvals",
    "/events",
    "/notifications",
    "/workers",
    "/login",
]
ASKS = {"id": "ask", "action": "approval", "with": {"message": "Pay?", "form": {"properties": {"amount": {"type": "integer"}}}}}
BODY = {"action": "delay", "with": {"seconds": "{{ item }}"}}
SPREADS = {"id": "all", "action": "map", "with": {"items": [0, "x"], "failures": "tolerate", "do": BODY}}
TELLS = {"id": "tell", "action": "send_notification", "with": {"title": "Look", "message": "here", "level": "error"}}


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")])
def test_every_page_fits_has_no_accessibility_fault_and_leaves_the_console_silent(
    watched: Callable[..., Page], width: int, theme: str
) -> None:
    """On rows that move. On rows of every kind that stand still: `test_states.py`."""
    page = watched(viewport={"width": width, "height": 800}, color_scheme=theme, reduced_motion="reduce")
    uid = start(page, pause=0)
    people = page.request.post("/api/workflows", data={"name": "For people", "definition": {"steps": [ASKS, SPREADS, TELLS]}}).json()["id"]
    sent = page.request.post("/api/events?source=crm", data={"lead": {"source": "LinkedIn", "score": 90}}).json()["id"]
    places = ["", "?step=ask", "?step=all", "?step=all[1]"]
    more = [f"/events/{sent}", f"/approvals/{people}/ask", *(f"/workflows/{people}{place}" for place in places)]
    for address in [*PAGES, f"/workflows/{uid}", f"/workflows/{uid}?step=fetch_page_1", *more]:
        page.goto(address)
        expect(page.locator("main")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        page.evaluate(AXE)
        assert page.evaluate(FAULTS, "") == [], address
    assert page.evaluate("document.documentElement.classList.contains('dark')") == (theme == "dark")


@pytest.mark.parametrize("width", [1280, 400])
def test_the_start_page_shows_every_step_that_will_run(watched: Callable[..., Page], width: int) -> None:
    page = watched(viewport={"width": width, "height": 800})
    page.goto("/templates/data_processing/start")
    plan = page.locator(".plan")
    expect(plan.locator("li")).to_have_count(12)
    assert plan.evaluate("list => list.scrollHeight - list.clientHeight") == 0


def test_the_theme_changes_at_once_and_is_remembered(page: Page) -> None:
    page.goto("/workflows")
    page.evaluate("window.notReloaded = true")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html.dark")).to_have_count(1)
    assert page.evaluate("window.notReloaded")
    page.goto("/templates")
    expect(page.locator("html.theme-dark.dark")).to_have_count(1)
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_the_keyboard_reaches_the_content_first(page: Page) -> None:
    page.goto("/workflows")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_everything_works_without_scripts(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts(java_script_enabled=False).new_page()
    page.goto("/templates")
    page.get_by_role("link", name="Data processing").click()
    page.get_by_role("link", name="Start…").click()
    page.get_by_label("Seconds to wait for stragglers").fill("600")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="Data processing")).to_be_visible()
    page.get_by_label("Views of this workflow").get_by_role("link", name="List").click()
    page.locator("#step-merge .row-link").click()
    expect(page.locator(".step-detail")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".page-head .status")).to_contain_text("Stopped")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html.dark")).to_have_count(1)
    page.goto("/workflows")
    page.get_by_label("Search", exact=True).fill("no such name")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No workflow matches")).to_be_visible()


def test_a_link_copied_as_curl_is_what_the_page_shows(contexts: Callable[..., BrowserContext]) -> None:
    context = contexts(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"/workflows/{start(page, pause=0)}")
    page.get_by_text("Copy as curl").click()
    page.get_by_role("button", name="Copy", exact=True).first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#call-1").inner_text()
