"""What came from outside is shown as text: on every page nothing of it runs, and none of it becomes an element or an attribute."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.contrib import admin
from django.urls import URLPattern
from playwright.sync_api import Browser, Page, Request

from tests.e2e import places
from tests.e2e.conftest import WATCH_POLICY
from tests.e2e.still import Still, still
from tests.payloads import PAYLOADS, PRODUCT
from workflows_app.dashboard.urls import urlpatterns

pytestmark = pytest.mark.e2e
OF_ONE = [address for addresses in places.PAGES.values() for address in addresses if re.search(r"\{(?!wide)", address)]
OPENED_EVERY, PARSED_EVERY = (1, 1) if os.environ.get("PAYLOADS") == "all" else (24, 8)
CANARY = """
window.__came_alive = [];
Object.defineProperty(window, '__xss', {set: () => window.__came_alive.push('__xss'), get: () => () => window.__came_alive.push('__xss')});
for (const name of ['alert', 'confirm', 'prompt']) window[name] = () => window.__came_alive.push(name);
"""
ALIVE = """(shown) => {
    const foreign = [...window.__came_alive], here = location.origin;
    const made = 'x-xss, iframe, object, embed, base, marquee, math, audio, video, foreignObject, animate, hx-partial, c-button, [id=xss]';
    const addresses = /^(href|xlink:href|src|action|formaction|poster|data|background|hx-get|hx-post)$/;
    const roots = [shown, ...[...shown.querySelectorAll('template')].map((one) => one.content)];
    for (const element of roots.flatMap((root) => [...root.querySelectorAll('*')])) {
        const names = element.getAttributeNames();
        const seen = (why) => foreign.push(why + ': ' + element.outerHTML.slice(0, 200));
        if (element.matches(made) || element.shadowRoot) seen('element');
        if (element.matches('meta[http-equiv], style, noscript p, script:not([src]):not([type="application/json"])')) seen('element');
        if (names.some((name) => /^(on|data-xss|srcdoc|hx-on|data-hx)/i.test(name))) seen('attribute');
        if (/evil|window\\.__xss/.test(element.getAttribute('style') || '')) seen('style');
        for (const name of names.filter((name) => addresses.test(name))) {
            try {
                const url = new URL(element.getAttribute(name), document.baseURI);
                if (url.origin !== here && !/^(github\\.com|docs\\.)/.test(url.host)) seen(name);
            } catch { seen(name); }
        }
    }
    return foreign;
}"""
PARSE = f"""async (asked) => {{
    const alive = {ALIVE}, found = [];
    const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
    for (const [address, fields] of asked) {{
        const posted = fields && {{method: 'POST', body: new URLSearchParams({{...fields, csrfmiddlewaretoken: token}})}};
        const answer = await fetch(address, posted || {{redirect: 'error'}}), text = await answer.text();
        const parsed = new DOMParser().parseFromString(text, 'text/html');
        const isFit = posted ? answer.status < 500 && answer.status !== 403 : answer.ok;
        const wrong = [...alive(parsed), ...(isFit ? [] : [answer.status]), ...(text.includes('{PRODUCT}') ? ['computed'] : [])];
        if (wrong.length) found.push([address, fields, ...wrong]);
    }}
    return found;
}}"""


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
    assert page.evaluate(f"() => ({ALIVE})(document)") == [], address
    assert PRODUCT not in page.content(), f"{address} computed an expression"
    assert urlsplit(page.url).path == urlsplit(address).path, f"{address} led to {page.url}"


def filled(address: str, found: dict[str, Any], number: int) -> str:
    words = found["payloads"] or ["nightly"]
    pick = {
        "workflow": found["workflows"][number], "other": found["workflows"][number - 1], "wide": found["wide"],
        "running": found.get("running", ""), "ask": found["asks"][number % len(found["asks"])],
        "event": found["events"][number], "schedule": found["schedules"][number], "slug": found["slugs"][number],
        "text": quote(words[number], safe=""), "typed": words[number], "id": quote(words[number][:200], safe=""),
        "nowhere": "00000000-0000-4000-8000-000000000000",
    }  # fmt: skip
    return address.format(**pick)


def some(address: str, *, every: int) -> range:
    """Numbers of payloads, others at each address; one that shows all of them at once is opened once."""
    return range(OF_ONE.index(address) % every, len(PAYLOADS), every) if address in OF_ONE else range(1)


def test_every_url_of_the_dashboard_has_a_place() -> None:
    """One that is new is put into tests/e2e/places.py: what it shows is tried with every payload from then on."""
    names = [pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)]
    assert sorted(set(names)) == sorted({*places.PAGES, *places.FILES, *places.ONLY_POSTED, *places.LEAD_ELSEWHERE})


@pytest.mark.parametrize("every", [24, 8])
def test_every_payload_is_tried_on_some_page(every: int) -> None:
    assert {number for address in OF_ONE for number in some(address, every=every)} == set(range(len(PAYLOADS)))


def test_each_payload_on_the_pages_that_show_one_thing(page: Page, hostile: Still) -> None:
    for number in range(len(PAYLOADS)):
        opened(page, filled("/workflows/{workflow}?view=list&step=a", hostile.found, number))


@pytest.mark.parametrize("name", sorted(places.PAGES))
def test_every_page_shows_payloads_as_texts(page: Page, hostile: Still, name: str) -> None:
    """A whole page for each: what one payload breaks must not hide what another would. PAYLOADS=all tries each at each address."""
    for address in places.PAGES[name]:
        for number in some(address, every=OPENED_EVERY):
            opened(page, filled(address, hostile.found, number))


@pytest.mark.parametrize("name", sorted(name for name, addresses in places.PAGES.items() if set(addresses) & set(OF_ONE)))
def test_no_payload_makes_an_element_or_an_attribute_on_any_page(page: Page, hostile: Still, name: str) -> None:
    """More of them, parsed as a browser without scripts does: what is in `noscript` counts, too."""
    opened(page, "/workers")
    for address in set(places.PAGES[name]) & set(OF_ONE):
        asked = [(filled(address, hostile.found, number), None) for number in some(address, every=PARSED_EVERY)]
        assert page.evaluate(PARSE, asked) == []


@pytest.mark.parametrize("name", sorted(places.POSTED))
def test_no_payload_that_a_form_sends_comes_back_as_an_element_or_an_attribute(page: Page, hostile: Still, name: str) -> None:
    """Questions, refusals and messages: every payload in every field that is typed, or that a page passes on."""
    opened(page, "/workers")
    for form, (address, fields) in enumerate(places.POSTED[name], len(name)):
        numbers = range(form % PARSED_EVERY, len(PAYLOADS), PARSED_EVERY)
        asked = [_filled_in(address, fields, hostile.found, number) for number in numbers]
        assert page.evaluate(PARSE, asked) == []
    complaints: list[str] = page.complaints  # type: ignore[attr-defined]
    assert not [text for text in complaints if not re.search(r"status of 4\d\d", text)]


def _filled_in(address: str, fields: Mapping[str, str], found: dict[str, Any], number: int) -> tuple[str, dict[str, str]]:
    return filled(address, found, number), {name: filled(value, found, number) for name, value in fields.items()}


def test_the_admin_shows_payloads_as_texts(page: Page, hostile: Still) -> None:
    """Its lists, and the page of the first of each."""
    for app, model in sorted((model._meta.app_label, model._meta.model_name) for model in admin.site._registry):
        opened(page, f"/admin/{app}/{model}/")
        row = page.locator("#result_list tbody th a").first
        if row.count():
            opened(page, str(row.get_attribute("href")))


def test_pages_that_there_are_not_show_payloads_as_texts(page: Page, hostile: Still) -> None:
    for address in places.ERRORS:
        for number in (3, 27):
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
