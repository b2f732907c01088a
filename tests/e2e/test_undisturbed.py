"""Five polls with changing content, and nothing that the reader does is lost: typed, ticked, opened, scrolled, focused, selected."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Page, Response

from tests.e2e.conftest import is_poll, start

pytestmark = pytest.mark.e2e
POLLS = 5
SHORT = {"width": 1000, "height": 420}
BODY = {"action": "delay", "with": {"seconds": 0.4}}
MOVES = {"id": "moves", "action": "map", "with": {"items": list(range(60)), "limit": 2, "do": BODY}}
FORM = {"properties": {"amount": {"type": "integer", "title": "Amount"}, "sure": {"type": "boolean", "title": "Sure"}}}
ASKS = {"id": "ask", "action": "approval", "with": {"message": "Shall we?", "form": FORM}}
APPEND = "document.getElementById('live').append(gone)"
WATCH = "() => { window.watched = document.elementFromPoint(innerWidth / 3, innerHeight / 2); }"
STATE = """() => ({
    place: window.watched.isConnected && Math.round(window.watched.getBoundingClientRect().top),
    focus: document.activeElement === document.body ? '' : document.activeElement.id || document.activeElement.textContent.trim(),
    caret: document.activeElement.selectionStart ?? null,
    selected: String(getSelection()),
    open: [...document.querySelectorAll('main details')].filter((one) => one.open).length,
    ticked: [...document.querySelectorAll('main input:checked')].map((box) => box.value || box.id).sort(),
    typed: [...document.querySelectorAll('main input:not([type=checkbox]):not([type=hidden]), main textarea')].map((field) => field.value),
    chosen: [...document.querySelectorAll('main select')].map((field) => field.value),
})"""


def through_polls(page: Page, disturb: Any) -> None:
    """Until five answers with content have come; `disturb` makes the next one differ."""
    for number in range(POLLS):
        with page.expect_event("response", predicate=_has_news, timeout=20_000):
            disturb(number)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _has_news(response: Response) -> bool:
    return is_poll(response) and response.status == 200


def a_list_that_moves(page: Page) -> None:
    """One workflow waits, so that the list asks often."""
    page.set_viewport_size(SHORT)
    start(page, pause=600)
    for _ in range(8):
        start(page, "test")
    page.goto("/workflows")


def selected(page: Page, selector: str) -> None:
    page.locator(selector).first.evaluate("(element) => getSelection().selectAllChildren(element)")


def unchanged(page: Page, disturb: Any) -> None:
    """What stands in the middle of the window stays there, whatever grows above it."""
    page.evaluate(WATCH)
    before = page.evaluate(STATE)
    through_polls(page, disturb)
    assert page.evaluate(STATE) == before


def test_a_list_that_moves_leaves_ticks_and_typed_words_and_the_place_alone(page: Page) -> None:
    a_list_that_moves(page)
    page.locator("main tbody input[type=checkbox]").nth(3).check()
    page.locator("main input[type=search]").first.fill("half a wo")
    page.keyboard.press("ArrowLeft")
    page.evaluate("scrollTo(0, 160)")
    unchanged(page, lambda number: start(page, "test"))


def test_a_list_that_moves_leaves_the_focus_and_the_selected_text_alone(page: Page) -> None:
    a_list_that_moves(page)
    page.locator(".row-link").nth(4).focus()
    selected(page, "main tbody .row-link >> nth=5")
    unchanged(page, lambda number: start(page, "test"))


def test_a_workflow_that_runs_leaves_a_form_half_filled_and_open_boxes_open(page: Page) -> None:
    page.set_viewport_size(SHORT)
    answer = page.request.post("/api/workflows", data={"name": "Moves", "definition": {"steps": [ASKS, MOVES]}})
    page.goto(f"/workflows/{answer.json()['id']}?view=list&step=ask")
    amount = page.get_by_label("Amount")
    for summary in page.locator("main details:not([open]) > summary").all()[:3]:
        summary.evaluate("(element) => element.click()")
    page.locator("#live input[type=checkbox], #live select").first.evaluate(
        "(e) => e.type === 'checkbox' ? e.click() : (e.selectedIndex = 1)"
    )
    amount.fill("123")
    amount.evaluate("(field) => field.scrollIntoView({block: 'center'})")
    amount.press("ArrowLeft")
    unchanged(page, lambda number: None)


def test_a_workflow_that_runs_leaves_the_selected_text_alone(page: Page) -> None:
    page.set_viewport_size(SHORT)
    answer = page.request.post("/api/workflows", data={"name": "Moves", "definition": {"steps": [ASKS, MOVES]}})
    page.goto(f"/workflows/{answer.json()['id']}?view=list")
    page.evaluate("scrollTo(0, 80)")
    selected(page, "main h1")
    unchanged(page, lambda number: None)


def test_the_workers_page_leaves_scroll_focus_and_selection_alone(page: Page) -> None:
    page.set_viewport_size(SHORT)
    page.goto("/workers")
    page.evaluate("scrollTo(0, 120)")
    page.locator("main a, main summary, main button:not(#live-pause)").first.evaluate("(element) => element.focus({preventScroll: true})")
    selected(page, "main .workers-grid code")
    unchanged(page, lambda number: start(page, "test"))


def test_an_open_window_stays_open_while_the_page_behind_it_moves(page: Page) -> None:
    a_list_that_moves(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("dat")
    page.get_by_label("Found").get_by_role("option").first.wait_for()
    through_polls(page, lambda number: start(page, "test"))
    assert page.evaluate("document.getElementById('palette').open")
    assert page.evaluate("document.activeElement.id") == "palette-input"
    assert page.locator("#palette-input").input_value() == "dat"


def test_a_reader_whose_element_goes_away_is_not_thrown_to_the_top(page: Page) -> None:
    page.set_viewport_size(SHORT)
    page.goto("/workers")
    page.evaluate("scrollTo(0, 100)")
    place = page.evaluate("scrollY")
    page.evaluate(f"const gone = document.createElement('button'); {APPEND}; gone.focus({{preventScroll: true}})")
    through_polls(page, lambda number: start(page, "test"))
    assert page.evaluate("document.activeElement.id") == "content"
    assert page.evaluate("scrollY") == place


def test_times_go_on_between_polls_without_a_request(page: Page) -> None:
    start(page, "test")
    page.goto("/workflows")
    page.get_by_role("button", name="Pause").click()
    shown = page.locator("time[data-ago]").first
    before, began = shown.inner_text(), time.monotonic()
    page.wait_for_function("(before) => document.querySelector('time[data-ago]').textContent !== before", arg=before, timeout=70_000)
    assert time.monotonic() > began
