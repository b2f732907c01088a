"""Notifications over the API."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.access.test_notifications import a_notification
from tests.api.calls import detail, fields, get, post
from tests.factories import a_token, a_user, a_workflow
from workflows_app.models import NotificationRead

pytestmark = pytest.mark.django_db


def test_the_list_shows_who_it_is_for_what_it_is_about_and_whether_it_was_read() -> None:
    workflow = a_workflow()
    row = a_notification("Approve it", role="sales", level="warning", workflow=workflow, node_id="ask", message="please")
    assert get("/api/notifications").json() == [
        {
            "id": str(row.uid), "title": "Approve it", "message": "please", "level": "warning", "user": None, "role": "sales",
            "channel": None, "workflowId": str(workflow.uid), "stepId": "ask", "createdAt": "2026-11-21T12:00:00+00:00", "isRead": False,
        }
    ]  # fmt: skip


def test_reading_one_takes_it_from_the_unread_ones() -> None:
    first, _ = a_notification("one"), a_notification("two")
    assert post(f"/api/notifications/{first.uid}/read").json()["isRead"] is True
    assert [row["title"] for row in get("/api/notifications?unread=true").json()] == ["two"]
    assert [row["isRead"] for row in get("/api/notifications").json()] == [False, True]


def test_reading_all_says_how_many_were_unread() -> None:
    for _ in range(3):
        a_notification()
    assert post("/api/notifications/read-all").json() == {"marked": 3}
    assert post("/api/notifications/read-all").json() == {"marked": 0}
    assert get("/api/notifications?unread=true").json() == []


def test_pages_follow_the_link() -> None:
    for number in range(5):
        a_notification(f"n{number}")
    seen, path = [], "/api/notifications?limit=2"
    while path:
        response = get(path)
        seen += [row["title"] for row in response.json()]
        link = re.match(r"<http://testserver(.*)>; rel=\"next\"", response.get("Link", ""))
        path = link[1] if link else ""
    assert seen == ["n4", "n3", "n2", "n1", "n0"]


def test_the_list_costs_the_same_however_long(django_assert_num_queries: Any) -> None:
    get("/api/notifications")
    for _ in range(20):
        a_notification(user=a_user(), workflow=a_workflow())
    with django_assert_num_queries(3):
        assert len(get("/api/notifications").json()) == 20


def test_nobody_reads_what_is_for_others(server_mode: None) -> None:
    a_token(secret="s")
    hidden = a_notification(user=a_user())
    assert get("/api/notifications", Authorization="Bearer s").json() == []
    assert post(f"/api/notifications/{hidden.uid}/read", Authorization="Bearer s").status_code == 404
    assert not NotificationRead.objects.exists()


@pytest.mark.parametrize("uid", ["7", "%00", "9e107d9d-3720-4b1c-8a2e-000000000000"])
def test_an_unknown_one_is_not_found(uid: str) -> None:
    response = post(f"/api/notifications/{uid}/read")
    assert response.status_code == 404 and detail(response).startswith("Notification ")


@pytest.mark.parametrize(
    ("query", "named"),
    [("cursor=x", "query.cursor"), ("limit=0", "query.limit"), ("limit=x", "query.limit"), ("unread=perhaps", "query.unread")],
)
def test_a_wrong_query_names_its_field(query: str, named: str) -> None:
    assert fields(get(f"/api/notifications?{query}")) == {named}
