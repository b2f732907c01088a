"""The poll: only while someone looks, only while something can change, and honest when the server is away."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import is_poll, start, wait_for_polls

pytestmark = pytest.mark.e2e
ONE_MINUTE = 60_000


def count_polls(page: Page) -> list[int]:
    """Grows with every poll answered."""
    seen: list[int] = []
    page.on("response", lambda response: seen.append(response.status) if is_poll(response) else None)
    return seen


HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_page_that_waits_is_answered_304(page: Page) -> None:
    page.goto(f"/workflows/{start(page, pause=600)}?view=list")
    expect(page.locator("#step-wait_for_stragglers .status")).to_contain_text("Waiting")
    page.wait_for_event("response", predicate=lambda response: is_poll(response) and response.status == 304)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".page-head .status")).to_contain_text("Stopped")


def test_a_final_workflow_is_not_asked_about_again(page: Page) -> None:
    uid = start(page, pause=0)
    page.goto(f"/workflows/{uid}")
    expect(page.locator("#live-state")).to_contain_text("Up to date")
    page.clock.install()
    page.reload()
    expect(page.locator("#live-state")).to_contain_text("Up to date")
    polls = count_polls(page)
    page.clock.run_for(ONE_MINUTE)
    assert polls == []


def test_a_hidden_tab_does_not_ask_and_catches_up_when_it_is_seen_again(page: Page) -> None:
    page.clock.install()
    page.goto("/workers")
    page.evaluate(HIDE, True)
    polls = count_polls(page)
    page.clock.run_for(ONE_MINUTE)
    assert polls == []
    with page.expect_response(is_poll):
        page.evaluate(HIDE, False)
        page.clock.run_for(100)


def test_pause_holds_the_page_still(page: Page) -> None:
    page.clock.install()
    page.goto("/workers")
    page.get_by_role("button", name="Pause").click()
    polls = count_polls(page)
    page.clock.run_for(ONE_MINUTE)
    assert polls == []
    expect(page.locator("#live-state")).to_contain_text("Paused")


def test_a_server_that_is_away_is_told_and_found_again(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts().new_page()
    page.goto("/workers")
    expect(page.locator("#live-state")).to_contain_text("Live")
    page.route("**/workers", lambda route: route.abort())
    expect(page.locator("#live-state")).to_contain_text("Reconnecting in")
    page.unroute("**/workers")
    expect(page.locator("#live-state")).to_contain_text("Live")


def test_a_server_that_fails_does_not_replace_what_is_on_the_page(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts().new_page()
    page.goto("/workers")
    page.route("**/workers", lambda route: route.fulfill(status=500, body="<h1>broken</h1>", content_type="text/html"))
    expect(page.locator("#live-state")).to_contain_text("Reconnecting in")
    expect(page.get_by_role("heading", name="Workers", exact=True)).to_be_visible()
    expect(page.get_by_text("broken")).to_have_count(0)


def test_a_click_that_is_not_answered_is_told_and_the_page_finds_the_server_again(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts().new_page()
    page.goto(f"/workflows/{start(page, pause=600)}?view=list")
    expect(page.locator("#live-state")).to_contain_text("Live")
    page.route(lambda url: "step=" in url, lambda route: route.fulfill(status=503, body="away", content_type="text/html"))
    page.locator(".row-link").first.click()
    expect(page.locator("#live-state")).to_contain_text("Reconnecting in")
    expect(page.get_by_text("away", exact=True)).to_have_count(0)
    page.unroute_all()
    expect(page.locator("#live-state")).to_contain_text("Live")


def test_a_reader_who_was_logged_out_meanwhile_sees_the_whole_login_page(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts().new_page()
    page.goto("/workers")
    page.route("**/workers", lambda route: route.fulfill(status=302, headers={"Location": "/login"}))
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(page.locator("#live")).to_have_count(0)


def test_the_workers_page_shows_its_workers(page: Page) -> None:
    page.goto("/workers")
    expect(page.get_by_text("Healthy:")).to_be_visible()
    wait_for_polls(page, 1)
    assert page.locator(".workers-grid tbody tr").count() >= 1


def test_how_far_a_custom_task_is_moves_on_its_step_while_it_runs(page: Page) -> None:
    """From `context.progress(...)` in a worker process to the bar in the row, without a reload."""
    steps = [{"execution_type": "sequential", "tasks": [{"name": "task_b", "params": {"seconds": 8}}]}]
    workflow = page.request.post("/api/workflow", data={"name": "Slow", "steps": steps}).json()
    page.goto(f"/workflows/{workflow['workflow_id']}?view=list")
    bar = page.locator("#step-task_b progress")
    expect(bar).to_have_attribute("value", re.compile(r"0\.\d+"), timeout=10_000)
    first = bar.get_attribute("value") or ""
    expect(bar).not_to_have_attribute("value", first, timeout=10_000)
    expect(page.locator("#step-task_b .status")).to_contain_text("Completed", timeout=15_000)
    expect(bar).to_have_count(0)
