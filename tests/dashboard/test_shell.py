"""What surrounds every page: places, counts, the footer, what the scripts need."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.dashboard.rows import a_notification, signed_in
from tests.factories import a_user
from workflows_app.dashboard import shell

PLACES = ["/", "/workflows", "/templates", "/schedules", "/approvals", "/events", "/notifications", "/workers"]


def places(html: str) -> list[tuple[str, str]]:
    return re.findall(r'<a href="([^"]+)" data-go="(\w)"', html)


def test_every_place_is_in_the_header_with_a_key_of_its_own(reader):
    found = places(reader.get("/workflows").content.decode())
    assert [url for url, _ in found] == PLACES
    assert len({key for _, key in found}) == len(PLACES)


@pytest.mark.parametrize("address", PLACES)
def test_each_place_can_be_opened_and_is_marked_as_the_one_where_one_is(reader, address):
    response = reader.get(address)
    assert response.status_code == 200
    current = re.findall(r'<a href="([^"]+)" data-go="\w" aria-current="page"', response.content.decode())
    assert current == [address]


@pytest.mark.parametrize(("path", "url", "is_here"), [
    ("/workflows", "/workflows", True), ("/workflows/abc", "/workflows", True), ("/workflowsx", "/workflows", False),
    ("/", "/", True), ("/workflows", "/", False),
])  # fmt: skip
def test_a_page_below_a_place_belongs_to_it(path, url, is_here):
    assert shell._is_under(path, url) is is_here


def test_the_count_stands_beside_its_place_and_is_read_aloud_with_words(reader):
    a_notification()
    html = reader.get("/templates").content.decode()
    assert re.search(r'data-go="n">Notifications<span class="count" id="unread-count">1<span class="sr-only"> unread</span>', html)


def test_the_footer_tells_the_version(reader, settings):
    assert f"Hybrid Engine {settings.VERSION}" in reader.get("/workflows").content.decode()


def test_only_staff_see_the_way_to_the_admin_and_everybody_the_way_out(server_mode, db):
    for is_staff in (True, False):
        html = signed_in(a_user("kim" if is_staff else "lee", is_staff=is_staff)).get("/templates").content.decode()
        assert ('href="/admin/"' in html) is is_staff
        assert 'action="/logout"' in html


def test_strangers_see_no_places_no_palette_and_no_account(server_mode, db):
    html = Client(headers={"host": "localhost"}).get("/login").content.decode()
    assert places(html) == []
    assert 'id="palette"' not in html
    assert "data-menu" not in html


def test_a_name_of_a_user_is_shown_as_text(server_mode, db):
    html = signed_in(a_user("<script>alert(1)</script>")).get("/templates").content.decode()
    assert "<script>alert" not in html


def test_a_region_has_no_shell_and_costs_no_shell(reader):
    html = reader.get("/workflows", headers={"HX-Request": "true", "HX-Request-Type": "partial"}).content.decode()
    assert places(html) == []


def test_the_icon_of_the_tab_has_a_variant_for_each_state_that_matters(reader):
    html = reader.get("/workflows").content.decode()
    for state in ("failed", "running", "waiting"):
        assert re.search(rf'id="favicon"[^>]* data-{state}="/static/favicon-{state}[^"]*\.svg"', html)
