"""The page of notifications, and the count in the header of every page."""

import re

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import HX, text_of
from tests.dashboard.rows import EVIL, a_notification, asking, signed_in
from tests.factories import a_user, a_workflow
from workflows_app.models import NotificationRead

PAGES = ["/workflows", "/templates", "/approvals", "/events", "/notifications", "/workers", "/no-such-page"]


def shown(response) -> list[str]:
    return re.findall(r'<p class="note-title">([^<]+)', response.content.decode())


def counted(response, which: str = "unread") -> str:
    found = re.search(rf'id="{which}-count"[^>]*>(\d*\+?)<', response.content.decode())
    assert found, "the page has no count"
    return found[1]


def test_a_notification_tells_level_title_message_for_whom_when_and_from_which_step(reader):
    workflow = a_workflow(name="Night load")
    a_notification("Stock is low", message="Only 3 left", level="warning", role="buyers", workflow=workflow, node_id="fetch")
    response = reader.get("/notifications")
    assert "! Warning Stock is low (unread) Only 3 left" in text_of(response)
    assert "to the role buyers · from Night load, fetch" in text_of(response)
    assert f'href="/workflows/{workflow.uid}?step=fetch"' in response.content.decode()


def test_without_any_the_page_says_where_they_come_from(reader):
    assert "No notifications yet" in text_of(reader.get("/notifications"))
    assert "Nothing unread" in text_of(reader.get("/notifications?show=unread"))


def test_one_that_is_read_loses_its_mark_and_leaves_the_unread(reader):
    first, _ = a_notification("first"), a_notification("second")
    response = reader.post(f"/notifications/{first.uid}/read?show=unread")
    assert response.headers["Location"] == "/notifications?show=unread"
    assert shown(reader.get("/notifications?show=unread")) == ["second"]
    assert shown(reader.get("/notifications")) == ["second", "first"]
    assert reader.get("/notifications").content.count(b"(unread)") == 1


def test_all_can_be_read_at_once(reader):
    for _ in range(3):
        a_notification()
    assert counted(reader.get("/notifications")) == "3"
    reader.post("/notifications/read-all")
    assert counted(reader.get("/notifications")) == ""
    assert b"Mark all as read" not in reader.get("/notifications").content


def test_where_htmx_asks_the_list_comes_back_at_once_with_the_count_beside_it(reader):
    note = a_notification()
    response = reader.post(f"/notifications/{note.uid}/read", headers=HX)
    assert response.status_code == 200
    html = response.content.decode()
    assert "<html" not in html
    assert re.search(r'<span class="count" id="unread-count" hx-swap-oob="true" hidden>', html)
    assert 'hx-get="/notifications?"' in html


@pytest.mark.parametrize("uid", ["00000000-0000-4000-8000-000000000000", "nonsense"])
def test_what_is_not_there_cannot_be_read(reader, uid):
    assert reader.post(f"/notifications/{uid}/read").status_code == 404


def test_reading_is_no_get(reader):
    note = a_notification()
    assert reader.get(f"/notifications/{note.uid}/read").status_code == 405
    assert reader.get("/notifications/read-all").status_code == 405


@pytest.mark.django_db
def test_nobody_sees_reads_or_counts_what_is_for_others(server_mode):
    ana, bo = a_user("ana"), a_user("bo")
    ana.groups.add(Group.objects.create(name="sales"))
    for_ana, _, _ = a_notification("for ana", user=ana), a_notification("for sales", role="sales"), a_notification("for all")
    assert shown(signed_in(ana).get("/notifications")) == ["for all", "for sales", "for ana"]
    assert shown(signed_in(bo).get("/notifications")) == ["for all"]
    assert counted(signed_in(bo).get("/workflows")) == "1"
    assert signed_in(bo).post(f"/notifications/{for_ana.uid}/read").status_code == 404
    assert not NotificationRead.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/notifications", "/approvals", "/events"])
def test_a_stranger_is_sent_to_the_login(client, server_mode, address):
    assert client.get(address, headers={"host": "localhost"}).headers["Location"].startswith("/login")


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_the_counts_in_its_header(reader, address):
    a_notification()
    asking()
    asking()
    response = reader.get(address)
    assert (counted(response), counted(response, "approvals")) == ("1", "2")


def test_a_page_for_strangers_counts_nothing(client, server_mode, db):
    assert b"unread-count" not in client.get("/login", headers={"host": "localhost"}).content


def test_the_poll_brings_a_count_that_changed(reader):
    tag = reader.get("/workers").headers["HX-PTag"]
    assert reader.get("/workers", headers={**HX, "HX-PTag": tag}).status_code == 304
    note = a_notification()
    second = reader.get("/workers", headers={**HX, "HX-PTag": tag})
    assert (second.status_code, counted(second)) == (200, "1")
    reader.post(f"/notifications/{note.uid}/read")
    third = reader.get("/workers", headers={**HX, "HX-PTag": second.headers["HX-PTag"]})
    assert (third.status_code, counted(third)) == (200, "")
    asking()
    assert counted(reader.get("/workers", headers={**HX, "HX-PTag": third.headers["HX-PTag"]}), "approvals") == "1"


def test_a_hundred_are_told_as_more_than_99(reader):
    for _ in range(100):
        a_notification()
    assert counted(reader.get("/workers")) == "99+"


def test_more_than_a_page_of_them_is_read_page_by_page(reader):
    for n in range(120):
        a_notification(f"n{n}")
    seen, address = [], "/notifications"
    while address:
        response = reader.get(address)
        seen += shown(response)
        older = re.search(r'href="(\?[^"]+)"[^>]* rel="next"', response.content.decode())
        address = f"/notifications{older[1]}" if older else ""
    assert seen == [f"n{n}" for n in reversed(range(120))]


def test_the_number_of_queries_does_not_grow_with_the_notifications(reader):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            reader.get("/notifications")
        return len(captured)

    a_notification(workflow=a_workflow(), user=a_user())
    queries()
    few = queries()
    for _ in range(30):
        a_notification(workflow=a_workflow(), user=a_user())
    assert queries() == few


def test_stored_text_is_shown_as_text(reader):
    a_notification(EVIL, message=EVIL, channel=EVIL, workflow=a_workflow(name=EVIL), node_id=EVIL)
    html = reader.get("/notifications").content.decode()
    assert "<img src=x" not in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_list_can_be_narrowed_to_a_level_by_the_url_and_a_second_click_widens_it_again(reader):
    for level in ("error", "error", "info"):
        a_notification(level, level=level)
    assert shown(reader.get("/notifications?level=error")) == ["error", "error"]
    assert shown(reader.get("/notifications?level=error&show=unread")) == ["error", "error"]
    assert shown(reader.get("/notifications?level=nonsense")) == ["info", "error", "error"]
    html = reader.get("/notifications?level=error&show=unread").content.decode()
    assert 'href="?show=unread&amp;level=warning"' in html and 'href="?show=unread" class="tab s-failed" aria-current="true"' in html
    assert "Nothing unread is of this level." in text_of(reader.get("/notifications?level=warning&show=unread"))
