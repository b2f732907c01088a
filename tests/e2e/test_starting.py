"""Starting by a form and by the clock, in a real browser: by mouse, by keyboard only, and without JavaScript."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e.conftest import ROOT

pytestmark = pytest.mark.e2e
SOURCE = {
    "name": "Regional",
    "params": {
        "properties": {
            "region": {"type": "string", "enum": ["EU", "US"], "default": "EU", "title": "Region"},
            "size": {"type": "integer", "maximum": 10, "default": 5, "title": "Size"},
            "note": {"type": "string", "title": "Note", "default": ""},
        }
    },
    "steps": [
        {"id": "load", "action": "input"},
        {
            "id": "archive",
            "action": "transform",
            "needs": ["load"],
            "run_if": {"==": [{"var": "params.region"}, "US"]},
            "with": {"value": 1},
        },
    ],
}
ON_WORKFLOW = re.compile(r"/workflows/[0-9a-f-]{36}$")
MAKE_DUE = """
from datetime import timedelta
from django.utils import timezone
from workflows_app.models import Schedule
Schedule.objects.filter(name={!r}).update(next_at=timezone.now() + timedelta(seconds={}))
"""


@pytest.fixture
def slug(page: Page) -> str:
    """A template with a condition on a parameter."""
    answer = page.request.post("/api/templates", data={"slug": "regional", "source": SOURCE})
    assert answer.status in {201, 409}, answer.text()
    return "regional"


def workflows(page: Page, slug: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.request.get(f"/api/workflows?template={slug}&limit=200").json()
    return found


@pytest.fixture
def fire(product: str, surroundings: dict[str, str]) -> Callable[..., None]:
    """Makes a schedule of the running product due in some seconds, as the minute would."""

    def due(name: str, *, after: int = 0) -> None:
        subprocess.run([sys.executable, "manage.py", "shell", "-c", MAKE_DUE.format(name, after)], cwd=ROOT, env=surroundings, check=True)

    return due


def test_the_plan_follows_the_form_errors_come_at_their_fields_and_nothing_typed_is_lost(
    page: Page, slug: str, complaints: list[str]
) -> None:
    page.goto(f"/templates/{slug}/start")
    plan = page.locator("#plan")
    expect(plan).to_contain_text("will be skipped: region is not US")
    page.get_by_label("Note").fill("half a sen")
    page.get_by_label("Region").select_option("US")
    expect(plan).not_to_contain_text("will be skipped")
    page.get_by_label("Size").fill("99")
    page.get_by_label("Note").press("End")
    page.get_by_label("Note").press_sequentially("tence")
    expect(page.locator(".param", has=page.get_by_label("Size")).locator(".problem")).to_have_text("✕ 99 is greater than the maximum of 10")
    expect(page.get_by_label("Note")).to_have_value("half a sentence")
    expect(page.get_by_label("Note")).to_be_focused()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".problem")).to_have_text("✕ 99 is greater than the maximum of 10")
    expect(page.get_by_label("Note")).to_have_value("half a sentence")
    complaints[:] = [line for line in complaints if "422" not in line]
    page.get_by_label("Size").fill("9")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page).to_have_url(ON_WORKFLOW)
    expect(page.locator(".page-head .status").first).to_contain_text("Completed")


def test_a_double_click_starts_one_workflow(page: Page, slug: str) -> None:
    before = len(workflows(page, slug))
    page.goto(f"/templates/{slug}/start")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if _is_start(request) else None)
    page.get_by_role("button", name="Start", exact=True).dblclick()
    expect(page).to_have_url(ON_WORKFLOW)
    assert (len(posts), len(workflows(page, slug))) == (1, before + 1)


def _is_start(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/start")


def test_started_with_the_keyboard_alone(page: Page, slug: str) -> None:
    page.goto(f"/templates/{slug}/start")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "p.region":
            break
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("7")
    expect(page.locator("#plan")).not_to_contain_text("will be skipped")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(ON_WORKFLOW)
    started = page.request.get(f"/api{re.sub('https?://[^/]+', '', page.url)}").json()
    assert started["status"] in {"PENDING", "RUNNING", "COMPLETED"}
    assert {step["id"]: step["status"] for step in started["steps"]}["archive"] != "STOPPED"


def test_started_and_scheduled_without_javascript(watched: Callable[..., Page], slug: str) -> None:
    page = watched(java_script_enabled=False)
    page.goto(f"/templates/{slug}/start")
    page.get_by_label("Size").fill("8")
    page.get_by_role("button", name="JSON").click()
    expect(page.get_by_label("Parameters as JSON")).to_have_value(re.compile('"size": 8'))
    page.get_by_role("button", name="Form", exact=True).click()
    expect(page.get_by_label("Size")).to_have_value("8")
    page.get_by_role("button", name="Save as schedule…").click()
    expect(page.get_by_label("Size")).to_have_value("8")
    page.get_by_label("Name").fill("Without a script")
    page.get_by_label("When").fill("15 6 * * *")
    page.get_by_role("button", name="Show the next times").click()
    expect(page.locator("#cron-preview")).to_contain_text("At 06:15")
    page.get_by_role("button", name="Make the schedule").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Without a script")
    page.get_by_role("button", name="Run now").click()
    expect(page).to_have_url(ON_WORKFLOW)


def test_a_schedule_is_made_fires_by_itself_and_its_page_follows(page: Page, slug: str, fire: Callable[..., None]) -> None:
    page.goto("/schedules/new?template=regional")
    page.get_by_label("Name").fill("Fires")
    page.get_by_label("When").fill("0 25 * * *")
    expect(page.locator("#cron-preview")).to_contain_text("the hour '25' is not understood")
    page.get_by_label("When").fill("30 4 * * *")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    expect(page.locator("#cron-preview")).to_contain_text("At 04:30 Asia/Tokyo")
    page.get_by_label("Size").fill("3")
    page.get_by_role("button", name="Make the schedule").click()
    expect(page.locator("#live")).to_contain_text("Nothing yet.")
    fire("Fires")
    page.reload()
    expect(page.locator(".started-grid .status")).to_contain_text("Completed")
    page.locator(".started-grid .row-link").click()
    expect(page).to_have_url(ON_WORKFLOW)


def test_a_quiet_page_looks_as_soon_as_its_schedule_is_due(page: Page, slug: str, fire: Callable[..., None]) -> None:
    page.request.post("/api/schedules", data={"name": "Soon", "template": slug, "cron": "0 4 * * *"})
    fire("Soon", after=5)
    page.goto("/schedules?show=active")
    row = page.locator(".schedules-grid tr", has_text="Soon")
    expect(row.locator(".status")).to_contain_text("Completed", timeout=12_000)


def test_a_schedule_is_paused_resumed_changed_and_deleted_while_what_is_typed_stays(page: Page, slug: str) -> None:
    made = page.request.post("/api/schedules", data={"name": "Changed", "template": slug, "cron": "0 4 * * *"}).json()
    page.goto("/schedules")
    row = page.locator(f"#s-{made['id']}")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused")
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("in ")
    row.get_by_role("link", name="Changed").click()
    page.get_by_label("Name").fill("Changed twice")
    page.request.post(f"/api/schedules/{made['id']}/run")
    page.evaluate("htmx.trigger(document.getElementById('live'), 'refresh')")
    expect(page.locator(".started-grid .row-link")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Changed twice")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Changed twice")
    page.locator("summary", has_text="Delete…").click()
    page.get_by_role("button", name="Delete the schedule").click()
    expect(page.locator("#messages")).to_contain_text("“Changed twice” is deleted; its workflows stay.")
