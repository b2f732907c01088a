"""Which notifications a user sees, and which they have read."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from tests.factories import NOW, a_user, later
from workflows_app.access.notifications import NotificationNotFound, mark_all_read, mark_read, recent_unread_count, unread_count, visible_to
from workflows_app.models import Notification, NotificationRead

pytestmark = pytest.mark.django_db


def a_notification(title: str = "Done", **changes: Any) -> Notification:
    return Notification.objects.create(title=title, created_at=NOW, **changes)


def in_role(name: str) -> User:
    user = a_user()
    user.groups.add(Group.objects.get_or_create(name=name)[0])
    return user


def titles(user: User, **options: Any) -> list[str]:
    return [row.title for row in visible_to(user, **options)]


def test_a_user_sees_what_is_for_them_their_role_a_channel_and_everybody_newest_first() -> None:
    ana, bo = in_role("sales"), a_user()
    a_notification("everybody")
    a_notification("for ana", user=ana)
    a_notification("for sales", role="sales")
    a_notification("in a channel", channel="deals")
    assert titles(ana) == ["in a channel", "for sales", "for ana", "everybody"]
    assert titles(bo) == ["in a channel", "everybody"]


def test_a_superuser_sees_all() -> None:
    a_notification("for ana", user=a_user())
    a_notification("for sales", role="sales")
    assert len(titles(a_user(is_superuser=True))) == 2


def test_reading_is_each_users_own() -> None:
    ana, bo = a_user(), a_user()
    mark_read(user=ana, uid=a_notification("one").uid, now=NOW)
    a_notification("two")
    assert (titles(ana, unread_only=True), titles(bo, unread_only=True)) == (["two"], ["two", "one"])
    assert (unread_count(ana), unread_count(bo)) == (1, 2)


def test_reading_twice_keeps_the_first_time() -> None:
    ana, row = a_user(), a_notification()
    for moment in (NOW, later(60)):
        mark_read(user=ana, uid=row.uid, now=moment)
    assert [read.read_at for read in NotificationRead.objects.all()] == [NOW]


def test_all_that_a_user_sees_is_read_at_once_and_no_more() -> None:
    ana = a_user()
    a_notification("for bo", user=a_user())
    first = a_notification("one")
    a_notification("two")
    mark_read(user=ana, uid=first.uid, now=NOW)
    assert mark_all_read(user=ana, now=NOW) == 1
    assert (unread_count(ana), NotificationRead.objects.count()) == (0, 2)


def test_what_a_user_does_not_see_they_cannot_read() -> None:
    hidden = a_notification(user=a_user())
    with pytest.raises(NotificationNotFound):
        mark_read(user=a_user(), uid=hidden.uid, now=NOW)
    assert not NotificationRead.objects.exists()


@pytest.mark.parametrize("uid", ["", "7", "\0", "9e107d9d-3720-4b1c-8a2e-000000000000", None])
def test_what_is_not_there_is_not_found(uid: object) -> None:
    with pytest.raises(NotificationNotFound):
        mark_read(user=a_user(), uid=uid, now=NOW)


def test_the_count_for_every_page_looks_at_the_latest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_app.access.notifications.RECENT", 3)
    ana, bo = a_user(), a_user()
    assert recent_unread_count(ana) == 0
    for user in (ana, ana, bo, None):
        note = a_notification(user=user)
    assert (recent_unread_count(ana), unread_count(ana)) == (2, 3)
    mark_read(user=ana, uid=note.uid, now=NOW)
    assert recent_unread_count(ana) == 1
