"""The workflow list in a real browser: search and keep a view, act on many, and nothing that jumps."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import wait_for_polls

pytestmark = pytest.mark.e2e
WAITS = {"id": "wait", "action": "delay", "with": {"seconds": 600}}
BREAKS = {"id": "load", "action": "delay", "with": {"seconds": "{{ [1, 2] }}"}}


def a_name() -> str:
    return f"batch {uuid.uuid4().hex[:6]}"


def run(page: Page, name: str, step: dict[str, Any] = WAITS) -> str:
    answer = page.request.post("/api/workflows", data={"name": name, "definition": {"steps": [step]}})
    assert answer.ok, answer.text()
    return str(answer.json()["id"])


def status_of(page: Page, uid: str) -> str:
    return str(page.request.get(f"/api/workflows/{uid}").json()["status"])


def clean_up(page: Page, *uids: str) -> None:
    for uid in uids:
        page.request.post(f"/api/workflows/{uid}/stop")


def ticks(page: Page) -> list[bool]:
    return page.locator('#bulk input[name="workflow"]').evaluate_all("boxes => boxes.map(box => box.checked)")


def test_a_search_is_saved_as_a_view_found_again_and_deleted(page: Page) -> None:
    name, view = a_name(), f"View {uuid.uuid4().hex[:6]}"
    uid = run(page, name)
    page.goto("/workflows")
    page.get_by_label("Search", exact=True).fill(f'"{name}" is:waiting')
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#bulk tbody tr")).to_have_count(1)
    page.get_by_text("Save view").click()
    page.get_by_label("Name of the view").fill(view)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#messages")).to_contain_text(f"Saved as “{view}”")
    page.goto("/workflows?status=completed")
    page.get_by_label("Views").get_by_role("link", name=view).click()
    expect(page.locator("#bulk tbody tr")).to_have_count(1)
    expect(page.get_by_label("Search", exact=True)).to_have_value(f'"{name}" is:waiting')
    page.get_by_text("Edit view").click()
    page.get_by_role("button", name="Delete this view").click()
    expect(page.get_by_label("Views").get_by_role("link", name=view)).to_have_count(0)
    clean_up(page, uid)


def test_back_from_a_workflow_keeps_the_filters_and_the_place(page: Page) -> None:
    name = a_name()
    uids = [run(page, name) for _ in range(2)]
    page.goto(f"/workflows?status=running,pending&q=%22{name}%22")
    page.locator("#bulk .row-link").first.click()
    page.wait_for_url("**/workflows/*-*")
    page.go_back()
    expect(page).to_have_url(re.compile(r"status=running,pending&q="))
    expect(page.get_by_label("Search", exact=True)).to_have_value(f'"{name}"')
    expect(page.locator("#bulk tbody tr")).to_have_count(2)
    clean_up(page, *uids)


def test_new_rows_wait_to_be_shown_and_nothing_jumps(page: Page) -> None:
    name = a_name()
    uids = [run(page, name) for _ in range(2)]
    page.goto(f"/workflows?q=%22{name}%22")
    first = page.locator("#bulk tbody tr").first
    page.locator('#bulk input[name="workflow"]').nth(1).check()
    place = first.evaluate("row => row.id")
    uids += [run(page, name), run(page, name)]
    expect(page.locator(".news-link")).to_contain_text("2 new — show", timeout=20_000)
    page.request.post(f"/api/workflows/{uids[0]}/stop")
    expect(page.locator(f"#w-{uids[0]} .status")).to_contain_text("Stopped", timeout=20_000)
    assert first.evaluate("row => row.id") == place
    assert ticks(page) == [False, True]
    page.evaluate("window.notReloaded = true")
    page.locator(".news-link").click()
    expect(page.locator("#bulk tbody tr")).to_have_count(4)
    expect(page.locator(".news-link")).to_have_count(0)
    assert page.evaluate("window.notReloaded")
    wait_for_polls(page, 1)
    expect(page.locator("#bulk tbody tr")).to_have_count(4)
    clean_up(page, *uids)


def test_ticked_ones_are_stopped_by_mouse_and_ticks_outlive_polls(page: Page) -> None:
    name = a_name()
    uids = [run(page, name) for _ in range(3)]
    page.goto(f"/workflows?q=%22{name}%22")
    page.get_by_label("Tick all on this page").check()
    expect(page.locator("[data-ticked]")).to_have_text("3 selected")
    page.locator(f"#tick-{uids[0]}").uncheck()
    expect(page.locator("[data-ticked]")).to_have_text("2 selected")
    run_more = run(page, name)
    expect(page.locator(".news-link")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-ticked]")).to_have_text("2 selected")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("Stopped: 2 workflows.")
    assert [status_of(page, uid) for uid in uids] == ["RUNNING", "STOPPED", "STOPPED"]
    clean_up(page, uids[0], run_more)


def test_all_that_match_are_stopped_by_keyboard_alone_after_their_number_was_typed(page: Page) -> None:
    name = a_name()
    uids = [run(page, name) for _ in range(11)]
    page.goto(f"/workflows?q=%22{name}%22")
    page.locator("#tick-matching").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Stop 11 workflows?")).to_be_visible()
    expect(page.get_by_label("Type 11 to confirm")).to_be_focused()
    page.keyboard.type("11")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Stopped: 11 workflows.")
    assert {status_of(page, uid) for uid in uids} == {"STOPPED"}


def test_without_scripts_failed_ones_are_found_by_their_error_and_deleted(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts(java_script_enabled=False).new_page()
    name = a_name()
    uids = [run(page, name, BREAKS) for _ in range(2)]
    page.goto(f"/workflows?q=%22{name}%22+status:failed")
    while {status_of(page, uid) for uid in uids} != {"FAILED"}:
        page.reload()
    page.reload()
    href = page.locator(f"#w-{uids[0]} a.reason").get_attribute("href")
    assert href == f"/workflows/{uids[0]}?step=load#error"
    page.get_by_role("link", name=re.compile("more with the same error")).first.click()
    expect(page.locator(f"#w-{uids[0]}")).to_be_visible()
    page.goto(f"/workflows?q=%22{name}%22")
    page.get_by_label("all 2 that match").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    page.get_by_role("button", name="Delete 2 workflows").click()
    expect(page.get_by_text("Deleted: 2 workflows.")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^No workflow"))).to_be_visible()


def test_a_failure_is_tried_again_from_its_row(page: Page) -> None:
    uid = run(page, a_name(), {"id": "load", "action": "delay", "with": {"seconds": "{{ [1, 2] }}"}, "retries": 0})
    while status_of(page, uid) != "FAILED":
        page.wait_for_function("document.readyState === 'complete'")
    page.goto(f"/workflows?q={uid[:8]}")
    page.locator(f"#w-{uid}").get_by_role("button", name="Retry").click()
    expect(page).to_have_url(re.compile(f"/workflows/{uid}"))
    expect(page.locator("#messages")).to_contain_text("Tried again")


def test_a_bar_of_the_last_day_narrows_the_list_to_its_time(page: Page) -> None:
    uid = run(page, a_name())
    page.goto("/workflows")
    page.locator("[data-bars] a").last.click()
    expect(page).to_have_url(re.compile(r"from=.*&to="))
    expect(page.locator(f"#w-{uid}")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(page).to_have_url(re.compile("/workflows$"))
    clean_up(page, uid)


def test_the_overview_moves_by_itself_and_leads_to_what_runs(page: Page) -> None:
    name = a_name()
    page.goto("/")
    uid = run(page, name)
    row = page.locator(f"#o-{uid}")
    expect(row).to_be_visible(timeout=20_000)
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    clean_up(page, uid)


def test_a_range_is_drawn_from_one_bar_to_another(page: Page) -> None:
    page.goto("/workflows")
    bars = page.locator("[data-bars]")
    bars.evaluate(
        """svg => {
            const link = (from, to, x) => {
                const a = document.createElementNS(svg.namespaceURI, "a");
                a.setAttribute("href", `/workflows?from=${from}&to=${to}`);
                a.innerHTML = `<rect x="${x}" y="0" width="10" height="46"/>`;
                svg.append(a);
            };
            link("2026-01-01T10:00", "2026-01-01T10:15", 300);
            link("2026-01-01T12:00", "2026-01-01T12:15", 500);
        }"""
    )
    first, last = page.locator('[href*="T10:00"] rect'), page.locator('[href*="T12:00"] rect')
    page.get_by_role("button", name="Pause").click()
    last.hover()
    page.mouse.down()
    first.hover()
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=2026-01-01T10%3A00&to=2026-01-01T12%3A15"))
