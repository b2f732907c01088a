"""The palette: whatever is typed, where it may lead; and the page of it where there is no script."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import EVIL, signed_in
from tests.factories import a_template, a_user, a_workflow
from workflows_app.dashboard import palette_page


def links(response) -> list[str]:
    return re.findall(r'role="option"[^>]* href="([^"]+)"', response.content.decode())


def test_without_a_word_it_offers_pages_templates_and_the_latest_workflows(reader):
    a_template("nightly")
    older, newer = a_workflow(name="First"), a_workflow(name="Second")
    found = links(reader.get("/palette?part=list"))
    assert found[:2] == ["/", "/workflows"]
    assert "/templates/nightly/start" in found
    assert found[-2:] == [f"/workflows/{newer.uid}", f"/workflows/{older.uid}"]


@pytest.mark.parametrize("typed", ["night", "NIGHT", "start nightly", "run night", "  night "])
def test_a_template_is_found_by_name_or_slug_also_after_a_verb(reader, typed):
    a_template("nightly_etl", name="Every night")
    a_template("other")
    assert links(reader.get("/palette", {"part": "list", "q": typed})) == ["/templates/nightly_etl/start"]


@pytest.mark.parametrize("typed", ["workers", "go to workers", "Work"])
def test_a_page_is_found_by_its_name(reader, typed):
    assert "/workers" in links(reader.get("/palette", {"part": "list", "q": typed}))


def test_a_workflow_is_found_by_its_name_and_by_the_beginning_of_its_id(reader):
    wanted, other = a_workflow(name="Invoices of May"), a_workflow(name="Else")
    assert links(reader.get("/palette?part=list&q=voices")) == [f"/workflows/{wanted.uid}"]
    for typed in (str(wanted.uid), str(wanted.uid)[:8], wanted.uid.hex, f"open {str(wanted.uid)[:13]}"):
        found = links(reader.get("/palette", {"part": "list", "q": typed}))
        assert f"/workflows/{wanted.uid}" in found
        assert f"/workflows/{other.uid}" not in found


def test_to_start_something_finds_what_can_be_started_and_to_go_somewhere_all_else(reader):
    a_template("nightly")
    workflow = a_workflow(name="nightly")
    assert links(reader.get("/palette?part=list&q=start+nightly")) == ["/templates/nightly/start"]
    assert links(reader.get("/palette?part=list&q=go+to+nightly")) == [f"/workflows/{workflow.uid}"]


def test_a_workflow_shows_its_status_in_words_for_the_page(reader):
    a_workflow(name="Invoices")
    assert "○ Pending Invoices" in text_of(reader.get("/palette?q=invoices"))


def test_names_are_looked_for_among_the_latest_only(reader, monkeypatch):
    monkeypatch.setattr(palette_page, "RECENT", 2)
    a_workflow(name="Needle")
    assert links(reader.get("/palette?part=list&q=needle"))
    a_workflow(), a_workflow()
    assert links(reader.get("/palette?part=list&q=needle")) == []


def test_the_page_works_as_a_form_and_says_when_nothing_was_found(reader):
    response = reader.get("/palette?q=zzz")
    assert "Nothing has that name" in text_of(response)
    assert 'href="/workflows?q=zzz"' in response.content.decode()
    assert 'name="q" type="search" value="zzz"' in response.content.decode()


def test_only_staff_are_led_to_the_admin(server_mode, db):
    for is_staff in (True, False):
        found = links(signed_in(a_user(is_staff=is_staff)).get("/palette?part=list&q=admin"))
        assert ("/admin/" in found) is is_staff


def test_strangers_find_nothing(server_mode, db):
    response = Client(headers={"host": "localhost"}).get("/palette?part=list")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/login")


@pytest.mark.parametrize("address", ["/palette", "/palette?part=list"])
def test_names_are_shown_as_text(reader, address):
    a_workflow(name=EVIL)
    a_template("evil", name=EVIL)
    for query in ({}, {"q": EVIL}):
        html = reader.get(address, query).content.decode()
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_the_number_of_queries_does_not_grow_with_what_is_found(reader):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            reader.get("/palette?part=list")
        return len(queries)

    a_workflow(template=a_template())
    count()  # the first of all makes the local user
    few = count()
    for _ in range(10):
        a_workflow(template=a_template())
    assert count() == few


@pytest.mark.parametrize("typed", ["%F0%9F%92%A9", "a" * 5000, "%22%27%3C", "%25", "..", "ffffffff-"])
def test_odd_words_find_nothing_and_break_nothing(reader, typed):
    assert reader.get(f"/palette?part=list&q={typed}").status_code == 200
