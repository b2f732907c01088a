"""`python -m tests.screenshots --out DIR`: every page on an ordinary day, and on the first one, in both themes and at two widths."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.e2e.still import Still, still

WIDTHS = {1280: 860, 400: 800}
THEMES = ("light", "dark")
MOST_PIXELS = 2_600
LIVES: Mapping[str, str] = {
    "overview": "/",
    "workflows": "/workflows",
    "workflows-filtered": "/workflows?status=failed",
    "workflows-by-error": "/workflows?q=error:503",
    "workflow-failed": "/workflows/{failed}",
    "workflow-running": "/workflows/{running}",
    "workflow-running-step": "/workflows/{running}?step=load_warehouse",
    "workflow-timeline": "/workflows/{running}?view=timeline",
    "workflow-list": "/workflows/{failed}?view=list",
    "workflow-params": "/workflows/{failed}?view=params",
    "workflow-outputs": "/workflows/{failed}?view=outputs",
    "workflow-events": "/workflows/{failed}?view=events",
    "workflow-json": "/workflows/{failed}?view=json",
    "workflow-wide": "/workflows/{wide}",
    "workflow-waiting": "/workflows/{ask}",
    "workflow-retry": "/workflows/{failed}/retry-with?step=post_to_ledger",
    "compare": "/workflows/compare?a={failed}&b={other}",
    "templates": "/templates",
    "template": "/templates/nightly-etl",
    "template-start": "/templates/nightly-etl/start",
    "schedules": "/schedules",
    "schedule-new": "/schedules/new?template=billing",
    "schedule": "/schedules/{schedule}",
    "approvals": "/approvals",
    "approval": "/approvals/{ask}/approve",
    "events": "/events",
    "event": "/events/{event}",
    "notifications": "/notifications",
    "workers": "/workers",
    "not-found": "/workflows/00000000-0000-4000-8000-000000000000",
    "login": "/login",
    "admin": "/admin/",
}
FIRST_DAY = {
    "first-overview": "/", "first-workflows": "/workflows", "first-templates": "/templates", "first-schedules": "/schedules",
    "first-approvals": "/approvals", "first-events": "/events", "first-notifications": "/notifications", "first-workers": "/workers",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a directory for the PNG files")
    parser.add_argument("--only", default="", help="names of pages, separated by commas; without it, all")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    chosen = set(filter(None, options.only.split(",")))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for writer, pages in (("tests.still_lives", LIVES), ("", FIRST_DAY)):
            wanted = {name: address for name, address in pages.items() if not chosen or name in chosen}
            if wanted:
                with tempfile.TemporaryDirectory(prefix="hybrid-pictures-") as data, still(Path(data), writer) as running:
                    take(browser, running, wanted, options.out)
        browser.close()


def take(browser: Browser, running: Still, pages: Mapping[str, str], out: Path) -> None:
    for width, theme, page in _browsers(browser, running):
        for name, address in pages.items():
            page.set_viewport_size({"width": width, "height": WIDTHS[width]})
            page.goto(filled(address, running))
            page.wait_for_load_state("networkidle")
            height = min(MOST_PIXELS, page.evaluate("document.documentElement.scrollHeight"))
            page.set_viewport_size({"width": width, "height": height})  # what is far below is not drawn before it is seen
            page.screenshot(path=out / f"{name}-{theme}-{width}.png")


def _browsers(browser: Browser, running: Still) -> Iterator[tuple[int, str, Page]]:
    for width, height in WIDTHS.items():
        for theme in THEMES:
            options = {"color_scheme": theme, "reduced_motion": "reduce", "timezone_id": "UTC"}
            context = browser.new_context(base_url=running.url, viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
            yield width, theme, context.new_page()
            context.close()


def filled(address: str, running: Still) -> str:
    found = running.found
    if not found:
        return address
    pick = {name: found[name] for name in ("failed", "running", "wide")}
    return address.format(
        **pick, other=found["workflows"][2], ask=found["asks"][0], schedule=found["schedules"][0], event=found["events"][0]
    )


if __name__ == "__main__":
    main()
