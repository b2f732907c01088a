"""Workers and queue in a real browser: pause and resume, drain and undo, by mouse, by keyboard alone, and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import start, wait_for_polls

pytestmark = pytest.mark.e2e
NO_SCRIPTS = {"java_script_enabled": False}


@pytest.fixture(autouse=True)
def _as_it_was(contexts: Callable[..., BrowserContext]) -> Iterator[None]:
    """The tests of this package share one product: leave it neither paused nor drained."""
    yield
    page = contexts(**NO_SCRIPTS).new_page()
    page.request.post("/api/queue/resume")
    page.goto("/workers")
    while page.get_by_role("button", name="Undo drain").count():
        page.get_by_role("button", name="Undo drain").first.click()


def has_begun(page: Page, uid: str) -> bool:
    return any(
        step["status"] != "PENDING" for step in page.request.get(f"/api/workflows/{uid}").json()["steps"] if not step["dependencies"]
    )


def test_the_queue_is_paused_with_a_reason_and_says_so_where_one_looks(page: Page) -> None:
    page.goto("/workers")
    page.get_by_text("Pause queue…").click()
    why = page.get_by_label("Why")
    why.fill("the warehouse moves")
    wait_for_polls(page, 2)
    expect(why).to_have_value("the warehouse moves")
    page.get_by_role("button", name="Pause queue", exact=True).click()
    story = page.get_by_label("Health")
    expect(story).to_contain_text("Paused by local")
    expect(story).to_contain_text("the warehouse moves")
    uid = start(page, "test", name="Ana")
    page.goto(f"/workflows/{uid}")
    expect(page.locator(".story")).to_contain_text("waits for the queue, which is paused by local since")
    assert not has_begun(page, uid)
    page.goto("/workers")
    page.get_by_role("button", name="Resume queue").click()
    expect(page.locator("#messages")).to_contain_text("The queue goes on")
    page.goto(f"/workflows/{uid}")
    expect(page.locator(".page-head .status")).to_contain_text("Completed")


def test_the_page_tells_by_itself_that_somebody_paused(page: Page) -> None:
    page.goto("/workers")
    expect(page.get_by_label("Health")).not_to_contain_text("Paused")
    page.request.post("/api/queue/pause", data={"reason": "from elsewhere"})
    expect(page.get_by_label("Health")).to_contain_text("from elsewhere")
    page.request.post("/api/queue/resume")
    expect(page.get_by_label("Health")).not_to_contain_text("from elsewhere")


def test_a_worker_is_drained_and_let_work_again(page: Page) -> None:
    page.goto("/workers")
    row = page.locator(".workers-grid tbody tr").last
    row.get_by_text("Drain…").click()
    expect(row).to_contain_text("takes no more until this is undone")
    wait_for_polls(page, 2)
    row.get_by_role("button", name="Drain").click()
    expect(page.locator("#messages")).to_contain_text("and takes no more")
    drained = page.locator(".workers-grid tbody tr", has_text="Draining")
    expect(drained).to_have_count(1)
    drained.get_by_role("button", name="Undo drain").click()
    expect(page.locator("#messages")).to_contain_text("takes steps again")
    expect(drained).to_have_count(0)


def test_pause_and_drain_by_keyboard_alone(page: Page) -> None:
    page.goto("/workers")
    page.locator("summary", has_text="Pause queue…").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Why")).to_be_visible()  # in the same frame Chromium would tab past it
    page.keyboard.press("Tab")
    expect(page.get_by_label("Why")).to_be_focused()
    page.keyboard.type("by hand")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Health")).to_contain_text("by hand")
    page.get_by_role("button", name="Resume queue").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("The queue goes on")
    summary = page.locator(".workers-grid summary").last
    button = page.locator(".workers-grid .confirm-box button").last
    summary.focus()
    page.keyboard.press("Space")
    expect(button).to_be_visible()
    page.keyboard.press("Escape")
    expect(button).to_be_hidden()
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    expect(button).to_be_visible()
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".workers-grid")).to_contain_text("Draining")


def test_pause_and_drain_without_scripts(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts(**NO_SCRIPTS).new_page()
    page.goto("/workers")
    page.get_by_text("Pause queue…").click()
    page.get_by_label("Why").fill("no scripts")
    page.get_by_role("button", name="Pause queue", exact=True).click()
    expect(page.get_by_label("Health")).to_contain_text("no scripts")
    page.get_by_role("button", name="Resume queue").click()
    expect(page.get_by_text("The queue goes on")).to_be_visible()
    row = page.locator(".workers-grid tbody tr").last
    row.get_by_text("Drain…").click()
    row.get_by_role("button", name="Drain").click()
    expect(page.locator(".workers-grid")).to_contain_text("Draining")
    page.get_by_role("button", name="Undo drain").click()
    expect(page.locator(".workers-grid")).not_to_contain_text("Draining")


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_fits_and_a_question_can_be_read(watched: Callable[..., Page], width: int) -> None:
    page = watched(viewport={"width": width, "height": 760})
    page.goto("/workers")
    page.locator(".workers-grid summary").last.click()
    box = page.locator(".confirm[open] .confirm-box")
    expect(box.get_by_role("button")).to_be_visible()
    place = box.bounding_box()
    assert place and place["x"] >= 0 and place["x"] + place["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
