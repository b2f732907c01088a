"""The keyboard alone: palette, sheet, places, lists, a workflow; and what stays as it is while somebody types."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import start

pytestmark = pytest.mark.e2e
PLACES = {
    "w": "/workflows",
    "t": "/templates",
    "s": "/schedules",
    "a": "/approvals",
    "e": "/events",
    "n": "/notifications",
    "q": "/workers",
}


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


@pytest.mark.parametrize("width", [1280, 400])
def test_the_palette_starts_a_template_by_the_keyboard_alone(watched: Callable[..., Page], width: int) -> None:
    page = watched(viewport={"width": width, "height": 800})
    page.goto("/workers")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("start data")
    option = page.get_by_label("Found").get_by_role("option", name="Data processing data_processing")
    expect(option).to_have_attribute("aria-selected", "true")
    box = option.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= width
    page.keyboard.press("Enter")
    page.wait_for_url("**/templates/data_processing/start")


def test_the_palette_finds_a_workflow_moves_by_arrows_and_gives_the_focus_back(page: Page) -> None:
    uid = start(page, pause=0)
    page.goto("/templates")
    link = page.get_by_role("link", name="Data processing").first
    link.focus()
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Found").get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Found").get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    assert page.get_by_role("combobox").get_attribute("aria-activedescendant") == page.get_by_label("Found").get_by_role("option").nth(
        1
    ).get_attribute("id")
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox")).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type(uid[:8])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/workflows/{uid}")


def test_an_action_of_the_page_is_focused_not_fired(page: Page) -> None:
    page.goto(f"/workflows/{start(page, pause=600)}")
    page.keyboard.press("Control+k")
    page.keyboard.type("stop")
    expect(page.get_by_role("group", name="On this page").get_by_role("option").first).to_have_text(re.compile("Stop"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox")).to_be_hidden()
    assert "Stop" in focused(page)
    expect(page.locator(".page-head .status").first).not_to_contain_text("Stopped")


def test_the_palette_is_a_page_where_there_is_no_script(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts(java_script_enabled=False).new_page()
    page.goto("/workflows")
    page.get_by_role("link", name="Find").click()
    page.get_by_label("A page, a template or a workflow").fill("hot lead")
    page.get_by_role("button", name="Find", exact=True).click()
    page.locator("main").get_by_role("link", name="Hot lead").first.click()
    page.wait_for_url("**/templates/hot_lead/start")


def test_two_keys_lead_to_every_place(page: Page) -> None:
    page.goto("/")
    for key, address in PLACES.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**{address}")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url(re.compile(r":\d+/$"))


def test_the_sheet_lists_what_works_here_and_gives_the_focus_back(page: Page) -> None:
    start(page, pause=0)
    page.goto("/workflows")
    page.locator(".row-link").first.focus()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys on this page")
    for words in ("Next row", "Find a page", "Workers", "Search on this page"):
        expect(sheet.get_by_text(words, exact=False).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator(".row-link").first).to_be_focused()


def test_a_list_is_walked_with_j_and_k_and_opened_with_enter(page: Page) -> None:
    older, newer = start(page, pause=0), start(page, pause=0)
    page.goto("/workflows")
    page.keyboard.press("j")
    expect(page.locator(f'#w-{newer} .row-link, .row-link[href$="{newer}"]').first).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f'#w-{older} .row-link, .row-link[href$="{older}"]').first).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(newer))


def test_on_a_workflow_keys_change_the_view_step_through_it_and_press_nothing(page: Page) -> None:
    steps = [{"id": "load", "action": "delay", "with": {"seconds": "{{ [1] }}"}}, {"id": "after", "action": "output", "needs": ["load"]}]
    older = start(page, pause=0)
    uid = page.request.post("/api/workflows", data={"name": "Breaks", "definition": {"steps": steps}}).json()["id"]
    page.goto(f"/workflows/{uid}")
    expect(page.locator(".page-head .status").first).to_contain_text("Failed")
    page.keyboard.press("3")
    page.wait_for_url("**view=list**")
    page.keyboard.press("j")
    expect(page.locator("#step-after .row-link")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**step=after**")
    page.keyboard.press("k")
    expect(page.locator("#step-load .row-link")).to_be_focused()
    page.keyboard.press("r")
    assert "Retry" in focused(page)
    expect(page.locator(".page-head .status").first).to_contain_text("Failed")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Tried again")
    page.keyboard.press("[")
    page.wait_for_url(f"**/workflows/{older}")
    page.keyboard.press("]")
    page.wait_for_url(f"**/workflows/{uid}")


def test_c_copies_the_curl_line_of_a_workflow_and_says_so(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts(permissions=["clipboard-read", "clipboard-write"]).new_page()
    uid = start(page, pause=0)
    page.goto(f"/workflows/{uid}")
    page.keyboard.press("c")
    expect(page.get_by_role("status").get_by_text("Copied")).to_be_visible()
    assert f"/api/workflows/{uid}" in page.evaluate("navigator.clipboard.readText()")


def test_a_slash_goes_to_the_search_and_letters_typed_there_are_letters(page: Page) -> None:
    page.goto("/workflows")
    page.keyboard.press("/")
    search = page.locator("main input[type=search]").first
    expect(search).to_be_focused()
    page.keyboard.type("g w ? j x n")
    expect(search).to_have_value("g w ? j x n")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith("/workflows")


def test_keys_with_ctrl_or_alt_stay_those_of_the_browser(page: Page) -> None:
    page.goto("/workers")
    for press in ("Alt+n", "Control+g", "Meta+j"):
        page.keyboard.press(press)
    page.keyboard.press("w")
    assert page.url.endswith("/workers")


def test_a_menu_opens_and_closes_by_keyboard(page: Page) -> None:
    page.goto("/workflows")
    account = page.locator("details[data-menu] summary").first
    account.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("banner").get_by_role("link", name="API")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("banner").get_by_role("link", name="API")).to_be_hidden()
    expect(account).to_be_focused()


def test_on_a_narrow_screen_the_places_are_in_a_menu_that_needs_no_script(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts(java_script_enabled=False, viewport={"width": 400, "height": 700}).new_page()
    page.goto("/workflows")
    link = page.get_by_label("Main").get_by_role("link", name="Workers")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    link.click()
    page.wait_for_url("**/workers")


def test_error_pages_say_what_to_do_next(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts().new_page()
    page.goto("/workflows/00000000-0000-4000-8000-000000000000")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    page.get_by_role("main").get_by_role("link", name="All workflows").click()
    page.wait_for_url("**/workflows")
