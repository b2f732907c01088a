"""What waits for people, in a real browser: approvals, notifications, events, and maps that work through their elements."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import wait_for_polls
from tests.processes.group import until

pytestmark = pytest.mark.e2e
FORM = {
    "properties": {"amount": {"type": "integer", "title": "Amount", "maximum": 500}, "note": {"type": "string", "title": "Note"}},
    "required": ["amount"],
}
UNREAD = "#unread-count"


def run(page: Page, name: str, *steps: dict[str, Any]) -> str:
    answer = page.request.post("/api/workflows", data={"name": name, "definition": {"steps": list(steps)}})
    assert answer.ok, answer.text()
    return str(answer.json()["id"])


def ask(page: Page, name: str = "Invoice") -> str:
    asking = {"id": "ask", "action": "approval", "with": {"title": f"Pay {name}?", "message": "Shall we pay?", "form": FORM}}
    uid = run(page, name, asking, {"id": "pay", "action": "output", "needs": ["ask"], "with": {"value": "{{ ask.output.data.amount }}"}})
    until("it asks", lambda: page.request.get(f"/api/workflows/{uid}/steps/ask").json()["status"] == "WAITING_FOR_DEPENDENCY")
    return uid


def tell(page: Page, title: str) -> str:
    return run(
        page, "Tells", {"id": "tell", "action": "send_notification", "with": {"title": title, "message": "Look", "level": "warning"}}
    )


def unread(page: Page) -> int:
    return len(page.request.get("/api/notifications?unread=true&limit=200").json())


def test_an_approval_appears_by_itself_and_is_decided_by_its_form(page: Page) -> None:
    page.goto("/approvals")
    uid = ask(page, "Aster Books")
    panel = page.locator(".approval", has_text="Pay Aster Books?")
    panel.get_by_label("Amount").fill("120")
    panel.get_by_role("button", name="Approve").click()
    expect(page.locator("#messages")).to_contain_text("Approved: Pay Aster Books?")
    expect(panel).to_have_count(0)
    page.goto(f"/workflows/{uid}?step=ask")
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    expect(page.locator(".decision")).to_contain_text("Approved by local")


def test_a_wrong_value_is_told_at_its_field_and_mended_there(page: Page, complaints: list[str]) -> None:
    page.goto(f"/workflows/{ask(page, 'Wrong')}")
    page.get_by_role("link", name="Decide ask…").click()
    page.get_by_label("Amount").fill("900")
    page.get_by_label("Reason").fill("as agreed")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".has-error")).to_contain_text("900 is greater than the maximum of 500")
    expect(page.get_by_label("Reason")).to_have_value("as agreed")
    page.get_by_label("Amount").fill("90")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    assert [said for said in complaints if "422" not in said] == []
    complaints.clear()


def test_the_enter_key_decides_nothing(page: Page) -> None:
    uid = ask(page, "Enter")
    page.goto(f"/workflows/{uid}?step=ask")
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    page.goto(f"/approvals/{uid}/ask")
    page.get_by_label("Amount").fill("5")
    page.get_by_label("Amount").press("Enter")
    page.get_by_label("Note").press("Enter")
    expect(page).to_have_url(re.compile(f"/approvals/{uid}/ask$"))
    page.get_by_role("button", name="Reject").click()
    page.wait_for_url("**/approvals")
    page.goto(f"/workflows/{uid}?step=ask")
    expect(page.locator(".decision")).to_contain_text("Rejected by local")


def test_a_rejection_without_scripts(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts(java_script_enabled=False).new_page()
    uid = ask(page, "No scripts")
    page.goto(f"/workflows/{uid}?view=list")
    expect(page.locator("#step-ask .status")).to_contain_text("Waiting")
    page.get_by_role("link", name="Decide ask…").click()
    page.get_by_label("Reason").fill("too much")
    page.get_by_role("button", name="Reject").click()
    page.goto(f"/workflows/{uid}?step=ask")
    expect(page.locator(".decision")).to_contain_text("Rejected by local: too much")


def test_what_is_typed_into_the_form_stays_while_the_workflow_moves(page: Page) -> None:
    body = {"action": "delay", "with": {"seconds": 0.3}}
    beside = {"id": "beside", "action": "map", "with": {"items": list(range(30)), "limit": 2, "do": body}}
    asking = {"id": "ask", "action": "approval", "with": {"message": "Shall we?", "form": FORM}}
    page.goto(f"/workflows/{run(page, 'Moves', asking, beside)}?step=ask")
    page.get_by_label("Amount").fill("42")
    note = page.get_by_label("Note")
    note.fill("half a sen")
    note.press("ArrowLeft")
    wait_for_polls(page, 4)
    expect(note).to_be_focused()
    assert page.evaluate("document.activeElement.selectionStart") == 9
    assert (page.get_by_label("Amount").input_value(), note.input_value()) == ("42", "half a sen")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#messages")).to_contain_text("Rejected: ask")


def test_a_notification_comes_by_itself_and_the_count_falls_when_it_is_read(page: Page) -> None:
    page.goto("/notifications")
    before = unread(page)
    tell(page, "Paper is low")
    note = page.locator(".note", has_text="Paper is low").first
    expect(note).to_have_class(re.compile("is-unread"))
    expect(page.locator(UNREAD)).to_have_text(f"{before + 1} unread", use_inner_text=False)
    page.evaluate("window.notReloaded = true")
    note.get_by_role("button", name="as read").click()
    expect(note).not_to_have_class(re.compile("is-unread"))
    expect(page.locator(UNREAD)).to_have_text(f"{before} unread" if before else " unread", use_inner_text=False)
    assert page.evaluate("window.notReloaded")
    page.get_by_role("button", name="Mark all as read").click() if before else None
    expect(page.locator(UNREAD)).to_be_hidden()
    note.get_by_role("link", name="Tells, tell").click()
    expect(page.get_by_role("heading", name="Tells")).to_be_visible()


def test_notifications_are_read_without_scripts(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts(java_script_enabled=False).new_page()
    tell(page, "Ink is low")
    page.goto("/workflows")
    page.get_by_role("link", name="Notifications").click()
    page.get_by_label("Which").get_by_role("link", name="Unread").click()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("Nothing unread")).to_be_visible()
    assert unread(page) == 0


def test_a_test_event_leads_to_what_it_started(page: Page) -> None:
    page.goto("/events")
    page.get_by_role("textbox", name="Source").fill("crm")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/events/*")
    started = page.locator("#m-hot_lead")
    expect(started).to_contain_text("Started")
    expect(started).to_contain_text("Completed")
    started.locator("a[href^='/workflows/']").click()
    expect(page.get_by_role("heading", name="Hot lead")).to_be_visible()
    page.get_by_role("link", name="from crm").click()
    expect(page.get_by_role("heading", name="Event from crm")).to_be_visible()


def test_a_broken_payload_is_told_and_stays(page: Page, complaints: list[str]) -> None:
    page.goto("/events")
    page.get_by_label("Payload").fill('{"lead": ')
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".has-error")).to_contain_text("This is not JSON")
    expect(page.get_by_label("Payload")).to_have_value('{"lead": ')
    expect(page.get_by_label("Payload")).to_be_focused()
    assert [said for said in complaints if "422" not in said] == []
    complaints.clear()


def test_a_step_that_waited_for_an_event_goes_on_and_the_event_says_so(page: Page) -> None:
    uid = run(page, "Waits", {"id": "paid", "action": "wait_for_event", "with": {"source": "bank"}})
    page.goto(f"/workflows/{uid}?view=list")
    expect(page.locator("#step-paid")).to_contain_text("waits for an event from bank")
    sent = page.request.post("/api/events?source=bank", data={"invoice": 1}).json()["id"]
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    page.goto(f"/events/{sent}")
    page.get_by_role("link", name="paid", exact=True).click()
    expect(page.get_by_role("log")).to_contain_text(f"Event {sent} came from bank")


def test_the_elements_of_a_map_finish_before_the_readers_eyes(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 500})
    body = {"action": "delay", "with": {"seconds": 0.5}}
    spread = {"id": "spread", "action": "map", "with": {"items": list(range(40)), "limit": 4, "do": body}}
    page.goto(f"/workflows/{run(page, 'Spreads', spread)}?view=list&step=spread")
    page.evaluate("window.notReloaded = true")
    watched_one = page.get_by_role("link", name="spread[25]")
    watched_one.focus()
    page.evaluate("document.activeElement.scrollIntoView({block: 'center'})")
    place = page.evaluate("document.activeElement.getBoundingClientRect().top")
    expect(page.locator("#step-spread .bar").first).to_contain_text(re.compile(r"1\d of 40 elements"))
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") == place
    assert page.evaluate("scrollY") > 0
    expect(watched_one).to_be_focused()
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    expect(page.locator("#step-spread .bar").first).to_contain_text("40 of 40 elements")
    expect(watched_one).to_be_focused()
    watched_one.press("Enter")
    expect(page.locator(".detail-row .detail-row")).to_contain_text("25")
    assert page.evaluate("window.notReloaded")


def test_a_map_in_a_workflow_can_be_looked_into_without_scripts(contexts: Callable[..., BrowserContext]) -> None:
    page = contexts(java_script_enabled=False).new_page()
    items = [{"wait": 0}, {"wait": "much"}, {"wait": 0}]
    body = {"action": "delay", "with": {"seconds": "{{ item.wait }}"}}
    uid = run(page, "Looks", {"id": "all", "action": "map", "with": {"items": items, "failures": "tolerate", "do": body}})
    page.goto(f"/workflows/{uid}?view=list")
    page.get_by_role("link", name="all", exact=True).click()
    page.get_by_label("Elements by status").get_by_role("link", name="Failed").click()
    page.get_by_role("link", name="all[1]").click()
    expect(page.locator(".detail-row .detail-row")).to_contain_text('"wait": "much"')


def test_a_sub_workflow_and_its_parent_lead_to_each_other(page: Page) -> None:
    uid = run(page, "Parent", {"id": "child", "action": "sub_workflow", "with": {"template": "test"}})
    page.goto(f"/workflows/{uid}?view=list")
    page.locator("#step-child .child").get_by_role("link").click()
    page.get_by_role("link", name="child of Parent").click()
    expect(page.get_by_role("region", name="Step child")).to_be_visible()
    expect(page.locator(".page-head .status")).to_contain_text("Completed")


def test_a_workflow_that_was_only_submitted_is_started_with_what_it_needs(page: Page, complaints: list[str]) -> None:
    said = {"id": "said", "handler": "output", "dependencies": ["first"], "config": {"value": "{{ input.name }}"}}
    dag = {"nodes": [{"id": "first", "handler": "input", "dependencies": [], "config": {}}, said]}
    answer = page.request.post("/v1/workflow", data={"name": "Submitted", "dag": dag})
    assert answer.ok, answer.text()
    page.goto(f"/workflows/{answer.json()['execution_id']}")
    expect(page.locator(".story")).to_contain_text("Submitted, not started")
    values = page.get_by_label("Values")
    values.fill('{"name": ')
    wait_for_polls(page, 1)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".has-error")).to_contain_text("must be a JSON object")
    expect(values).to_have_value('{"name": ')
    values.fill('{"name": "Ada"}')
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".page-head .status")).to_contain_text("Completed")
    page.get_by_label("Views of this workflow").get_by_role("link", name="Outputs").click()
    expect(page.locator(".output").first).to_contain_text("Ada")
    assert [said for said in complaints if "422" not in said] == []
    complaints.clear()


@pytest.mark.parametrize("width", [1280, 400])
def test_every_place_can_be_reached_from_the_header(watched: Callable[..., Page], width: int) -> None:
    page = watched(viewport={"width": width, "height": 700})
    page.goto("/workflows")
    for name in ("Templates", "Schedules", "Approvals", "Events", "Notifications", "Workers", "Workflows"):
        if width < 960:
            page.get_by_role("button", name="Menu").click()
        page.get_by_label("Main").get_by_role("link", name=name).click()
        page.wait_for_url(f"**/{name.lower()}")
        expect(page.locator("#places [aria-current]")).to_contain_text(name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
