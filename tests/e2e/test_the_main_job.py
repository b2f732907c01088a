"""The main job in a real browser: start a workflow from the form and watch it run."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import start, wait_for_polls

pytestmark = pytest.mark.e2e


def test_a_workflow_started_from_the_form_runs_to_the_end_before_the_readers_eyes(page: Page) -> None:
    page.goto("/templates/data_processing/start")
    page.get_by_label("Seconds to wait for stragglers").fill("3")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/workflows/*")
    page.evaluate("window.notReloaded = true")
    page.get_by_label("Views of this workflow").get_by_role("link", name="List").click()
    status, progress = page.locator(".page-head .status"), page.get_by_role("progressbar", name="Progress")
    expect(status).to_contain_text("Running")
    expect(page.locator("#step-wait_for_stragglers .status")).to_contain_text("Waiting")
    expect(page.locator("#step-start .status")).to_contain_text("Completed")
    expect(progress).to_have_attribute("value", "100")
    expect(status).to_contain_text("Completed")
    expect(page.locator("#live-state")).to_contain_text("Up to date")
    assert page.evaluate("window.notReloaded")
    assert "✓" in page.title()


def test_a_double_click_starts_one_workflow(page: Page) -> None:
    before = len(page.request.get("/api/workflows?template=test&limit=200").json())
    page.goto("/templates/test/start")
    page.get_by_role("button", name="Start", exact=True).dblclick()
    page.wait_for_url("**/workflows/*")
    assert len(page.request.get("/api/workflows?template=test&limit=200").json()) == before + 1


def test_a_double_click_on_run_again_makes_one_more_workflow(page: Page) -> None:
    uid = start(page, pause=0)
    page.goto(f"/workflows/{uid}")
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    page.get_by_role("button", name="Run again").dblclick()
    expect(page.get_by_role("status")).to_contain_text("This is a new workflow")
    assert len(page.request.get(f"/api/workflows?parentId={uid}").json()) == 1


def test_a_wrong_value_is_told_at_its_field_and_mended_there(page: Page, complaints: list[str]) -> None:
    page.goto("/templates/data_processing/start")
    page.get_by_label("Orders per page").fill("99")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".has-error")).to_contain_text("99 is greater than the maximum of 20")
    page.get_by_label("Orders per page").fill("5")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/workflows/*")
    assert [said for said in complaints if "422" not in said] == []
    complaints.clear()


def test_stop_stops_and_resume_goes_on(page: Page) -> None:
    page.goto(f"/workflows/{start(page, pause=600)}?view=list")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".page-head .status")).to_contain_text("Stopped")
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.locator("#step-wait_for_stragglers .status")).to_contain_text("Waiting")
    expect(page.locator(".page-head .status")).not_to_contain_text("Stopped")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".page-head .status")).to_contain_text("Stopped")


def test_selecting_a_step_shows_its_log_and_is_a_place_in_history(page: Page) -> None:
    uid = start(page, pause=0)
    page.goto(f"/workflows/{uid}?view=list")
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    page.evaluate("window.notReloaded = true")
    page.get_by_role("link", name="fetch_page_1").click()
    expect(page.get_by_role("log")).to_contain_text("GET")
    expect(page).to_have_url(f"{page.url.split('?')[0]}?view=list&step=fetch_page_1")
    page.go_back()
    expect(page.get_by_role("log")).to_have_count(0)
    assert page.evaluate("window.notReloaded")
    page.go_forward()
    expect(page.get_by_role("log")).to_be_visible()
    page.reload()
    expect(page.get_by_role("log")).to_be_visible()


def test_the_list_moves_by_itself_and_keeps_what_the_reader_typed(page: Page) -> None:
    page.goto("/workflows")
    uid = start(page, pause=2)
    row = page.locator(f"#w-{uid}")
    search = page.get_by_label("Search", exact=True)
    search.fill("half a na")
    search.press("ArrowLeft")
    expect(page.locator(".news-link").or_(row)).to_be_visible(timeout=20_000)
    expect(search).to_be_focused()
    assert search.input_value() == "half a na"
    assert page.evaluate("document.activeElement.selectionStart") == 8
    if page.locator(".news-link").count():
        page.locator(".news-link").click()
    expect(row.locator(".status")).to_contain_text("Completed", timeout=20_000)
    assert search.input_value() == "half a na"


def test_what_is_open_and_scrolled_stays_so_while_the_page_moves(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 500})
    page.goto(f"/workflows/{start(page, pause=600)}?view=list")
    expect(page.locator("#step-wait_for_stragglers .status")).to_contain_text("Waiting")
    expect(page.locator("#step-note_slow_day .status")).to_contain_text("Skipped")
    page.get_by_text("Copy as curl").click()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("scrollY") > 0
    place = page.locator("#call-1").bounding_box()
    wait_for_polls(page)
    expect(page.locator("#call-1")).to_be_visible()
    assert page.locator("#call-1").bounding_box() == place
    page.get_by_text("Copy as curl").click()
    page.get_by_role("button", name="Stop", exact=True).click()


def test_filters_survive_the_way_there_and_back(page: Page) -> None:
    start(page, pause=0)
    page.goto("/workflows?q=Data")
    page.get_by_label("By status").get_by_role("link", name="completed").click()
    expect(page).to_have_url("/workflows?status=completed&q=Data")
    page.locator(".workflows-grid .row-link").first.click()
    page.wait_for_url("**/workflows/*")
    page.go_back()
    expect(page).to_have_url("/workflows?status=completed&q=Data")
    assert page.get_by_label("Search", exact=True).input_value() == "Data"


def test_a_workflow_of_2000_steps_opens_and_shows_its_steps_by_pages(page: Page) -> None:
    middle = [{"id": f"n{i}", "action": "transform", "needs": ["first"], "with": {"value": i}} for i in range(1_998)]
    last = {"id": "last", "action": "output", "needs": [step["id"] for step in middle], "with": {"value": "done"}}
    definition = {"steps": [{"id": "first", "action": "input"}, *middle, last]}
    answer = page.request.post("/api/workflows", data={"name": "Wide", "definition": definition})
    assert answer.ok, answer.text()
    page.goto(f"/workflows/{answer.json()['id']}?view=list")
    expect(page.locator(".page-head .status")).to_contain_text("Completed", timeout=60_000)
    expect(page.locator(".range").first).to_contain_text("1–200 of 2,000")
    page.get_by_role("link", name="Later").first.click()
    expect(page.locator(".range").first).to_contain_text("201–400 of 2,000")
