"""What came from outside is shown as text: on every page nothing of it runs, and none of it becomes an element or an attribute."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.urls import URLPattern
from playwright.sync_api import Browser, Page, Request

from tests.e2e import places
from tests.e2e.conftest import WATCH_POLICY
from tests.e2e.still import Still, still
from tests.payloads import PAYLOADS, PRODUCT
from workflows_app.dashboard.urls import urlpatterns

pytestmark = pytest.mark.e2e
SOME = tuple(range(3, len(PAYLOADS), 24))
CANARY = """
window.__came_alive = [];
Object.defineProperty(window, '__xss', {set: () => window.__came_alive.push('__xss'), get: () => () => window.__came_alive.push('__xss')});
for (const name of ['alert', 'confirm', 'prompt']) window[name] = () => window.__came_alive.push(name);
"""
ALIVE = """() => {
    const foreign = [...window.__came_alive], here = location.origin;
    const made = 'x-xss, iframe, object, embed, base, marquee, math, audio, video, foreignObject, animate, hx-partial, c-button, [id=xss]';
    const roots = [document, ...[...document.querySelectorAll('template')].map((one) => one.content)];
    for (const element of roots.flatMap((root) => [...root.querySelectorAll('*')])) {
        const names = element.getAttributeNames();
        const seen = (why) => foreign.push(why + ': ' + element.outerHTML.slice(0, 200));
        if (element.matches(made) || element.shadowRoot) seen('element');
        if (element.matches('meta[http-equiv], style, noscript p, script:not([src]):not([type="application/json"])')) seen('element');
        if (names.some((name) => /^(on|data-xss|srcdoc|hx-on|data-hx|xlink)/i.test(name))) seen('attribute');
        if (/evil|window\\.__xss/.test(element.getAttribute('style') || '')) seen('style');
        for (const name of names.filter((name) => /^(href|src|action|formaction|poster|data|background|hx-get|hx-post)$/.test(name))) {
            try {
                const url = new URL(element.getAttribute(name), document.baseURI);
                if (url.origin !== here && !/^(github\\.com|docs\\.)/.test(url.host)) seen(name);
            } catch { seen(name); }
        }
    }
    return foreign;
}"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    with still(tmp_path_factory.mktemp("hostile"), "tests.hostile_rows") as running:
        yield running


@pytest.fixture
def page(browser: Browser, hostile: Still) -> Iterator[Page]:
    """With a canary in every document, and all that should not happen in `page.complaints`."""
    context = browser.new_context(base_url=hostile.url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.add_init_script(WATCH_POLICY)
    context.add_init_script(CANARY)
    context.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # a part of a page names no icon
    page = context.new_page()
    complaints: list[str] = []
    page.complaints = complaints  # type: ignore[attr-defined]
    page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: complaints.append(f"error {error}"))
    page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("request", lambda request: complaints.extend(_foreign(request, hostile.url)))
    yield page
    context.close()


def _foreign(request: Request, own: str) -> list[str]:
    return [] if request.url.startswith((own, "data:image/svg", "blob:")) else [f"asked for {request.url}"]


def opened(page: Page, address: str, *, status: Sequence[int] = (200,)) -> None:
    """The page is where it was sent, nothing came alive, nobody complained."""
    complaints: list[str] = page.complaints  # type: ignore[attr-defined]
    response = page.goto(address)
    assert response and response.status in status, f"{address}: {response and response.status}"
    judge(page, address)
    refused = [text for text in complaints if not (re.search(r"status of 4\d\d", text) and status != (200,))]
    assert not refused, f"{address}: {refused}"
    complaints.clear()


def judge(page: Page, address: str) -> None:
    assert page.evaluate(ALIVE) == [], address
    assert PRODUCT not in page.content(), f"{address} computed an expression"
    assert urlsplit(page.url).path == urlsplit(address).path, f"{address} led to {page.url}"


def filled(address: str, found: dict[str, Any], number: int) -> str:
    words = found["payloads"] or ["nightly"]
    pick = {
        "workflow": found["workflows"][number], "other": found["workflows"][number - 1], "wide": found["wide"],
        "running": found.get("running", ""), "ask": found["asks"][number % len(found["asks"])],
        "event": found["events"][number], "schedule": found["schedules"][number], "slug": found["slugs"][number],
        "text": quote(words[number], safe=""), "id": quote(words[number][:200], safe=""), "nowhere": "00000000-0000-4000-8000-000000000000",
    }  # fmt: skip
    return address.format(**pick)


def test_every_url_of_the_dashboard_has_a_place() -> None:
    """One that is new is put into tests/e2e/places.py: what it shows is tried with every payload from then on."""
    names = [pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)]
    assert sorted(set(names)) == sorted({*places.PAGES, *places.FILES, *places.ONLY_POSTED, *places.LEAD_ELSEWHERE})


def test_each_payload_on_the_pages_that_show_one_thing(page: Page, hostile: Still) -> None:
    """A whole page for each: what one payload breaks must not hide what another would."""
    for number in range(len(PAYLOADS)):
        opened(page, filled("/workflows/{workflow}?view=list&step=a", hostile.found, number))


@pytest.mark.parametrize("name", sorted(places.PAGES))
def test_every_page_shows_payloads_as_texts(page: Page, hostile: Still, name: str) -> None:
    """Lists show all of them at once; of the others some are opened, beside the one with every payload in it."""
    for address in places.PAGES[name]:
        for number in SOME if re.search(r"\{(?!wide)", address) else (0,):
            opened(page, filled(address, hostile.found, number))


def test_pages_that_there_are_not_show_payloads_as_texts(page: Page, hostile: Still) -> None:
    for address in places.ERRORS:
        for number in SOME[:2]:
            opened(page, filled(address, hostile.found, number), status=(404, 405))


def test_the_login_and_the_documentation_show_payloads_as_texts(page: Page, hostile: Still) -> None:
    for address in places.AROUND:
        opened(page, filled(address, hostile.found, 0))


def test_downloads_are_files_of_plain_text_or_json(page: Page, hostile: Still) -> None:
    for address in places.FILES.values():
        response = page.request.get(filled(address, hostile.found, 0))
        assert response.ok and response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-type"].split(";")[0] in {"text/plain", "application/json"}
        assert "attachment" in response.headers.get("content-disposition", "") or "text/html" not in response.headers["content-type"]
