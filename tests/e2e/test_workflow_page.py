"""The page of one workflow in a real browser: from the failure to its line, and from there to the step running again."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.conftest import is_poll, start, wait_for_polls

pytestmark = pytest.mark.e2e
LINES_AT_ONCE = 2_000
SAY = """INSERT INTO workflows_app_logline (step_id, attempt, at, level, message)
    SELECT s.id, 1, '2026-11-21 12:00:00', 'INFO', %s
    FROM workflows_app_step s JOIN workflows_app_workflow w ON w.id = s.workflow_id WHERE w.uid = %s AND s.node_id = %s"""


@pytest.fixture
def say(product: str, surroundings: dict[str, str]) -> Callable[..., None]:
    """Lets a step of the product say lines, as if its worker had written them."""

    def write(uid: str, step: str, *lines: str) -> None:
        rows = [(line, uid.replace("-", ""), step) for line in lines]
        if surroundings["DATABASE_URL"]:
            with psycopg.connect(surroundings["DATABASE_URL"]) as server:
                server.cursor().executemany(SAY, rows)
            return
        connection = sqlite3.connect(f"{surroundings['DATA_DIR']}/hybrid.sqlite3", timeout=20)
        with connection:
            connection.executemany(SAY.replace("%s", "?"), rows)
        connection.close()

    return write


def run(page: Page, name: str, *steps: dict[str, Any]) -> str:
    answer = page.request.post("/api/workflows", data={"name": name, "definition": {"steps": list(steps)}})
    assert answer.ok, answer.text()
    return str(answer.json()["id"])


def failing(page: Page, name: str = "Night load") -> str:
    """A workflow whose second step fails, and the third did not run because of it."""
    broken = {"id": "load", "action": "delay", "needs": ["first"], "with": {"seconds": "{{ first.output.wait }}"}}
    uid = run(
        page,
        name,
        {"id": "first", "action": "transform", "with": {"value": {"wait": "much"}}},
        broken,
        {"id": "report", "action": "output", "needs": ["load"]},
    )
    page.goto(f"/workflows/{uid}")
    expect(page.locator(".page-head .status")).to_contain_text("Failed")
    return uid


def talking(page: Page) -> str:
    """A workflow whose step runs for a while and says nothing."""
    steps = [{"execution_type": "sequential", "tasks": [{"name": "task_b", "params": {"seconds": 60}}]}]
    uid = str(page.request.post("/api/workflow", data={"name": "Talks", "steps": steps}).json()["workflow_id"])
    page.goto(f"/workflows/{uid}?step=task_b")
    expect(page.locator(".page-head .status")).to_contain_text("Running")
    return uid


# Beside two thousand lines Playwright's searches by role, and the picture of the page that every unmet `expect` takes, hold the page up
# for seconds: there things are found by their place and waited for by selector.
def holds(page: Page, count: int) -> None:
    page.wait_for_function("(count) => document.querySelectorAll('.log p[id^=L]').length === count", arg=count)


def lines(page: Page) -> Locator:
    return page.locator(".log p[id^=L]")


def sees(page: Page, row: str) -> None:
    """The log is scrolled to this row, wherever the log itself is on the page."""
    script = """(row) => {
        const a = document.querySelector(row)?.getBoundingClientRect(), b = document.querySelector(".log").getBoundingClientRect();
        return a && a.bottom > b.top && a.top < b.bottom;
    }"""
    page.wait_for_function(script, arg=row)


def test_one_click_leads_to_the_line_that_explains_and_one_more_runs_the_step_again(page: Page) -> None:
    failing(page)
    page.get_by_role("link", name="See the line that explains it").click()
    explained = page.locator(".log .is-error")
    expect(explained).to_contain_text("much")
    expect(explained).to_be_in_viewport()
    again = page.get_by_role("button", name="Retry this step and those below")
    expect(again).to_be_in_viewport()
    again.click()
    expect(page.get_by_role("status").filter(has_text="Tried again")).to_be_visible()
    expect(page.locator(".step-head")).to_contain_text("2")


def test_the_same_by_keyboard_only(page: Page) -> None:
    uid = failing(page, "Keyboard")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile("#error$"))
    page.keyboard.press("l")
    expect(page.locator(".log")).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_role("button", name="Retry load and 1 below")).to_be_focused()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert len(page.request.get(f"/api/workflows/{uid}/steps/load").json()["attemptHistory"]) >= 1
    expect(page.locator(".step-head")).to_contain_text("2")


def test_the_same_without_scripts(contexts: Callable[..., BrowserContext], page: Page) -> None:
    uid = failing(page, "No scripts")
    plain = contexts(java_script_enabled=False, viewport={"width": 1280, "height": 860}).new_page()
    plain.goto(f"/workflows/{uid}")
    plain.get_by_role("link", name="See the line that explains it").click()
    expect(plain.locator(".log .is-error")).to_be_in_viewport()
    plain.get_by_label("Search in the whole log").fill("seconds")
    plain.get_by_role("button", name="Show").click()
    expect(plain.locator(".log mark").first).to_be_visible()
    plain.get_by_role("button", name="Retry this step and those below").click()
    expect(plain.get_by_role("status").filter(has_text="Tried again")).to_be_visible()


def test_one_selection_goes_through_all_views_and_back(page: Page) -> None:
    page.goto(f"/workflows/{start(page, pause=0)}?view=list")
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    page.evaluate("window.notReloaded = true")
    page.get_by_role("link", name="merge", exact=True).click()
    expect(page.locator("#detail-merge")).to_be_visible()
    views = page.get_by_label("Views of this workflow")
    for name in ("Graph", "Timeline", "Parameters", "Outputs", "Events", "JSON"):
        views.get_by_role("link", name=name).click()
        expect(views.locator("[aria-current]")).to_have_text(name)
        expect(page.get_by_role("region", name="Step merge")).to_be_visible()
        expect(lines(page).first).to_be_attached()
    page.go_back()
    expect(views.locator("[aria-current]")).to_have_text("Events")
    expect(page.get_by_role("region", name="Step merge")).to_be_visible()
    page.keyboard.press("3")
    expect(page.locator("#detail-merge")).to_be_visible()
    assert page.evaluate("window.notReloaded")


def test_new_lines_are_followed_until_the_reader_scrolls_up(page: Page, say: Callable[..., None]) -> None:
    uid = talking(page)
    say(uid, "task_b", *(f"line {n}" for n in range(1, 101)))
    expect(lines(page)).to_have_count(100)
    sees(page, "#L100")
    page.evaluate("document.querySelector('.log').scrollTop = 0")
    place = page.evaluate("document.querySelector('#L1').getBoundingClientRect().top")
    say(uid, "task_b", "one more", "and one more")
    expect(page.get_by_role("button", name="2 new lines")).to_be_visible()
    assert page.evaluate("document.querySelector('#L1').getBoundingClientRect().top") == place
    page.get_by_role("button", name="2 new lines").click()
    sees(page, "#L102")
    page.locator(".deeds .btn").click()


def test_a_poll_brings_new_lines_only(page: Page, say: Callable[..., None]) -> None:
    uid = talking(page)
    say(uid, "task_b", *(f"old {n}" for n in range(500)))
    expect(lines(page)).to_have_count(500)
    with page.expect_response(lambda answer: is_poll(answer) and answer.status == 200 and "fresh" in answer.text()) as found:
        say(uid, "task_b", "fresh")
    assert "old 499" not in found.value.text()
    expect(lines(page)).to_have_count(501)
    page.locator(".deeds .btn").click()


def test_a_long_log_opens_at_its_end_and_goes_back_to_its_beginning(page: Page, say: Callable[..., None]) -> None:
    uid = talking(page)
    say(uid, "task_b", *(f"line {n}" for n in range(1, 4_501)))
    page.reload()
    holds(page, LINES_AT_ONCE)
    sees(page, "#L4500")
    page.evaluate("document.querySelector('.log').scrollTop = 0")
    page.locator(".log-above a").click()
    holds(page, 2 * LINES_AT_ONCE)
    sees(page, "#L2501")
    page.evaluate("document.querySelector('.log').scrollTop = 0")
    page.locator(".log-above a").click()
    page.wait_for_selector("#L1", state="attached")
    page.wait_for_selector(".log-above", state="detached")
    page.locator(".deeds .btn").click()


def test_a_link_to_a_line_far_back_opens_there(page: Page, say: Callable[..., None]) -> None:
    uid = talking(page)
    say(uid, "task_b", *(f"line {n}" for n in range(1, 4_501)))
    page.goto(f"/workflows/{uid}?step=task_b#L77")
    sees(page, "#L77")
    page.wait_for_url(re.compile("line=77#L77$"))
    page.locator(".log-box + p a").click()
    page.wait_for_selector("#L4500", state="attached")
    page.locator(".deeds .btn").click()


def test_a_search_goes_from_match_to_match_and_what_is_typed_stays(page: Page, say: Callable[..., None]) -> None:
    uid = talking(page)
    say(uid, "task_b", *(f"row {n} {'needle' if n in (5, 3_000) else 'hay'}" for n in range(1, 3_501)))
    page.reload()
    search = page.locator("#find")
    search.fill("need")
    wait_for_polls(page)
    assert search.input_value() == "need"
    search.fill("needle")
    search.press("Enter")
    page.wait_for_selector(".log-search:has-text('match 1 of 2')")
    page.wait_for_selector(".log .is-match:has-text('row 5 needle')")
    sees(page, ".log .is-match")
    page.locator(".log-search [data-key=n]").click()
    page.wait_for_selector(".log .is-match:has-text('row 3000 needle')")
    page.wait_for_url(re.compile(r"\?step=task_b&find=needle&match=2"))
    page.locator("#level").select_option("ERROR")
    page.wait_for_selector(".log-none")
    page.locator(".deeds .btn").click()


def test_a_retry_with_other_parameters_runs_with_them(page: Page) -> None:
    uid = start(page, pause=0)
    page.goto(f"/workflows/{uid}?step=report")
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    page.get_by_role("link", name="…with other parameters").click()
    expect(page.get_by_role("heading", name="Retry from report")).to_be_visible()
    expect(page.locator("#again-title + .count")).to_have_text("1 step")
    page.get_by_label("Revenue worth a closer look").fill("123")
    page.get_by_role("button", name="Retry 1 step").click()
    page.wait_for_url(f"**/workflows/{uid}")
    assert page.request.get(f"/api/workflows/{uid}").json()["params"]["threshold"] == 123


def test_hostile_lines_stay_text(page: Page, say: Callable[..., None]) -> None:
    uid = talking(page)
    say(
        uid, "task_b", "<script>window.hit = 1</script>", "<img src=x onerror='window.hit = 1'>", "</template><svg onload='window.hit = 1'>"
    )
    expect(lines(page)).to_have_count(3)
    expect(page.locator(".log")).to_contain_text("<script>window.hit = 1</script>")
    page.reload()
    expect(lines(page)).to_have_count(3)
    assert page.evaluate("window.hit") is None
    page.locator(".deeds .btn").click()
