"""The graph and the timeline in a browser: by mouse, by keyboard only, without JavaScript, and through polls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import start, wait_for_polls

pytestmark = pytest.mark.e2e
FAILING = {"name": "Breaks", "steps": [
    {"execution_type": "parallel", "tasks": [{"name": "task_a"}, {"name": "task_b", "params": {"seconds": 600}}]},
]}  # fmt: skip
PLACE = """() => {
    const pane = document.querySelector(".graph-pane"), svg = pane.querySelector("svg");
    return [pane.scrollLeft, svg.getAttribute("width"), document.activeElement.getAttribute("href"), pane.isSameNode(window.kept)];
}"""


def waiting(page: Page) -> str:
    """A workflow that waits for minutes; its id."""
    return start(page, pause=600)


def node(page: Page, name: str) -> Any:
    return page.locator(".graph-pane .node", has_text=name)


def test_a_step_is_selected_by_mouse_and_the_drawing_stays(page: Page) -> None:
    page.goto(f"/workflows/{waiting(page)}")
    expect(node(page, "wait_for_straggl")).to_have_class(re.compile("n-waiting"))
    page.evaluate("() => { window.kept = document.querySelector('.graph-pane') }")
    node(page, "wait_for_straggl").click()
    expect(page).to_have_url(re.compile(r"step=wait_for_stragglers"))
    expect(page.locator("#step-panel")).to_contain_text("wait_for_stragglers")
    expect(page.locator(".node.is-selected")).to_have_attribute("aria-current", "true")
    assert page.evaluate("() => window.kept.isConnected")
    page.go_back()
    expect(page.locator(".node.is-selected")).to_have_count(0)


def test_a_step_is_selected_by_keyboard_only(page: Page) -> None:
    page.goto(f"/workflows/{waiting(page)}")
    page.locator(".graph-pane").focus()
    page.keyboard.press("Tab")
    expect(page.locator(".node").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".node").first).to_have_class(re.compile("is-selected"))
    expect(page.locator(".node").first).to_be_focused()
    page.keyboard.press("+")
    assert float(page.locator(".graph-svg").get_attribute("width") or 0) > 0


def test_without_javascript_the_graph_is_there_and_its_steps_are_links(watched: Callable[..., Page]) -> None:
    page = watched(java_script_enabled=False)
    page.goto(f"/workflows/{waiting(page)}")
    expect(page.locator("#graph-tools")).to_be_hidden()
    node(page, "wait_for_straggl").click()
    expect(page.locator(".node.is-selected")).to_contain_text("wait_for_straggl")
    page.locator("#graph").get_by_role("link", name="↓ Down").click()
    expect(page).to_have_url(re.compile("dir=TB"))
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator(".timeline-grid tbody tr").first).to_be_visible()


def test_place_zoom_and_focus_stay_through_five_polls(page: Page) -> None:
    workflow = page.request.post("/api/workflow", data=FAILING).json()["workflow_id"]
    page.set_viewport_size({"width": 420, "height": 800})
    page.goto(f"/workflows/{workflow}?dir=LR")
    for _ in range(4):
        page.get_by_role("button", name="Larger").click()
    page.evaluate("() => { const pane = document.querySelector('.graph-pane'); window.kept = pane; pane.scrollLeft = 37 }")
    node(page, "task_b").evaluate("(link) => link.focus({preventScroll: true})")
    before = page.evaluate(PLACE)
    wait_for_polls(page, 5)
    assert page.evaluate(PLACE) == before
    assert before[3]


def test_the_mouse_drags_the_graph_without_choosing_a_step_and_the_wheel_zooms(page: Page) -> None:
    page.set_viewport_size({"width": 420, "height": 800})
    page.goto(f"/workflows/{waiting(page)}")
    page.get_by_role("button", name="1:1").click()
    page.evaluate("() => { document.querySelector('.graph-pane').scrollLeft = 0 }")
    box = page.locator(".graph-pane .node").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 10, box["y"] + 20, steps=4)
    page.mouse.up()
    assert page.evaluate("() => document.querySelector('.graph-pane').scrollLeft") == 50
    expect(page.locator(".node.is-selected")).to_have_count(0)
    width = page.locator(".graph-svg").get_attribute("width")
    page.keyboard.down("Control")
    page.mouse.wheel(0, 200)
    page.keyboard.up("Control")
    expect(page.locator(".graph-svg")).not_to_have_attribute("width", width or "")
    page.get_by_role("button", name="Fit").click()
    assert page.evaluate("() => { const pane = document.querySelector('.graph-pane'); return pane.scrollWidth <= pane.clientWidth + 1 }")


def test_a_node_changes_where_it_stands_while_its_workflow_goes_on(page: Page) -> None:
    page.goto(f"/workflows/{waiting(page)}")
    page.evaluate("() => { window.kept = document.querySelector('.node') }")
    expect(node(page, "wait_for_straggl")).to_have_class(re.compile("n-waiting"))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(node(page, "wait_for_straggl")).to_have_class(re.compile("n-stopped"))


def test_following_is_remembered(page: Page) -> None:
    workflow = waiting(page)
    page.goto(f"/workflows/{workflow}")
    page.get_by_label("Follow running").check()
    wait_for_polls(page, 1)
    expect(page.get_by_label("Follow running")).to_be_checked()
    page.reload()
    expect(page.get_by_label("Follow running")).to_be_checked()


def test_the_timeline_shows_an_attempt_for_each_step_and_keeps_the_selection(page: Page) -> None:
    page.goto(f"/workflows/{start(page, pause=0)}")
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    page.get_by_role("link", name="Timeline").click()
    rows = page.locator(".timeline-grid tbody tr")
    expect(rows.first.locator(".t-bar")).to_have_count(1)
    rows.first.get_by_role("link").click()
    expect(rows.first).to_have_class("is-selected")
    expect(page).to_have_url(re.compile("view=timeline.*step="))
    page.get_by_role("link", name="Graph").click()
    expect(page.locator(".node.is-selected")).to_have_count(1)


def test_the_page_of_a_template_leads_to_the_log_of_a_cell(page: Page) -> None:
    workflow = start(page, pause=0)
    page.goto("/templates/data_processing")
    page.locator(f'.runs-grid td a[href^="/workflows/{workflow}"]').first.click()
    expect(page.locator("#step-panel")).to_be_visible()


def test_next_failed_walks_from_one_failure_to_the_next_by_key_and_by_mouse(page: Page) -> None:
    broken = [
        {"id": id, "action": "delay", "needs": ["first"], "on_failure": "continue", "with": {"seconds": "{{ first.output.wait }}"}}
        for id in ("load", "send")
    ]
    steps = [{"id": "first", "action": "transform", "with": {"value": {"wait": "much"}}}, *broken]
    workflow = page.request.post("/api/workflows", data={"name": "Breaks twice", "definition": {"steps": steps}}).json()["id"]
    page.goto(f"/workflows/{workflow}?step=first")
    expect(page.locator("#graph-next-failed")).to_contain_text("2")
    page.keyboard.press("f")
    expect(page.locator(".node.is-selected")).to_contain_text("load")
    page.locator("#graph-next-failed").click()
    expect(page.locator(".node.is-selected")).to_contain_text("send")
    page.keyboard.press("f")
    expect(page.locator(".node.is-selected")).to_contain_text("load")
