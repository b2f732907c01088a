"""Views that people save."""

import pytest

from tests.factories import NOW, a_user
from workflows_app.access import saved_views
from workflows_app.access.saved_views import ViewNotFound, ViewRefused
from workflows_app.models import SavedView


def a_view(owner, name="Nightly", *, is_shared=False, query="q=night") -> SavedView:
    return saved_views.save(owner=owner, name=name, query=query, is_shared=is_shared, now=NOW)


def seen_by(user) -> list[str]:
    return [view.name for view in saved_views.visible_to(user)]


def test_own_views_come_first_then_those_that_others_share(db):
    ana, ben = a_user("ana"), a_user("ben")
    a_view(ben, "A shared one", is_shared=True)
    a_view(ben, "A secret one")
    a_view(ana, "Z own")
    assert seen_by(ana) == ["Z own", "A shared one"]


def test_a_name_is_taken_once_by_each_and_its_spaces_do_not_count(db):
    ana, ben = a_user(), a_user()
    a_view(ana, "EU  nightly ")
    a_view(ben, "EU nightly")
    with pytest.raises(ViewRefused, match="You have a view called “EU nightly” already"):
        a_view(ana, "EU nightly")
    assert seen_by(ana) == ["EU nightly"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(db, name):
    with pytest.raises(ViewRefused):
        a_view(a_user(), name)


def test_views_and_their_filters_are_limited(db, monkeypatch):
    ana = a_user()
    monkeypatch.setattr(saved_views, "MOST_OWN", 1)
    with pytest.raises(ViewRefused, match="longer than"):
        a_view(ana, query="q=" + "x" * 2_000)
    a_view(ana)
    with pytest.raises(ViewRefused, match="You have 1 views already"):
        a_view(ana, "another")


def test_only_the_owner_changes_and_deletes_a_view(db):
    ana, ben = a_user(), a_user()
    view = a_view(ana, is_shared=True)
    for attempt in (
        lambda: saved_views.change(owner=ben, key=view.pk, name="mine", is_shared=False),
        lambda: saved_views.delete(owner=ben, key=view.pk),
    ):
        with pytest.raises(ViewNotFound):
            attempt()
    a_view(ana, "taken")
    with pytest.raises(ViewRefused):
        saved_views.change(owner=ana, key=view.pk, name="taken", is_shared=True)
    assert saved_views.change(owner=ana, key=view.pk, name="renamed", is_shared=False).name == "renamed"
    assert seen_by(ben) == []
    assert saved_views.delete(owner=ana, key=view.pk) == "renamed"
