"""Saving, changing and deleting views on the page of workflows."""

import re

from tests.dashboard.conftest import HX, text_of
from tests.dashboard.rows import EVIL, signed_in
from tests.factories import NOW, a_user, a_workflow
from workflows_app.access import saved_views
from workflows_app.graph.statuses import Status
from workflows_app.models import SavedView


def save(reader, name="EU nightly", query="/workflows?q=tag%3Aeu&status=failed", **data):
    return reader.post("/views", {"view-name": name, "query": query, **data}, follow=True)


def tab(page, name: str) -> str:
    found = re.search(rf'<a href="([^"]+)" class="tab[^>]*>{name}(.*?)</a>', page.content.decode())
    assert found, name
    return found[0]


def test_the_filters_are_saved_under_a_name_and_stand_above_the_list_with_their_count(reader):
    a_workflow(tags=["eu"], statuses={"fetch": Status.FAILED, "shape": Status.STOPPED})
    page = save(reader)
    assert page.redirect_chain == [("/workflows?status=failed&q=tag%3Aeu", 302)]
    assert "Saved as “EU nightly”" in text_of(page)
    shown = tab(page, "EU nightly")
    assert 'href="/workflows?status=failed&amp;q=tag%3Aeu"' in shown
    assert 'aria-current="true"' in shown
    assert '<span class="count">1</span>' in shown
    assert 'aria-current="true"' not in tab(reader.get("/workflows"), "EU nightly")


def test_only_filters_are_kept_and_a_place_in_the_list_is_not(reader):
    save(reader, query="https://evil.example/?q=x&after=77&rows=1.2&next=//evil")
    assert SavedView.objects.get().query == "q=x"


def test_a_view_is_renamed_shared_and_deleted_by_its_owner(reader):
    save(reader)
    view = SavedView.objects.get()
    page = reader.get("/workflows?status=failed&q=tag%3Aeu")
    assert f'action="/views/{view.pk}"' in page.content.decode()
    assert "Your view" in tab(page, "EU nightly")
    renamed = reader.post(f"/views/{view.pk}", {"view-name": "EU", "shared": "on"}, follow=True)
    assert "shared with everybody" in tab(renamed, "EU")
    gone = reader.post(f"/views/{view.pk}/delete", follow=True)
    assert "The view “EU” is gone" in text_of(gone)
    assert reader.post(f"/views/{view.pk}/delete").status_code == 404


def test_a_shared_view_of_another_is_shown_and_not_offered_to_be_changed(db, server_mode):
    view = saved_views.save(owner=a_user("ana"), name="Hers", query="q=x", is_shared=True, now=NOW)
    saved_views.save(owner=a_user("ben"), name="Secret", query="q=y", is_shared=False, now=NOW)
    reader = signed_in(a_user("eve"))
    page = reader.get("/workflows?q=x")
    assert "Shared by ana" in tab(page, "Hers")
    assert "Secret" not in text_of(page)
    assert f"/views/{view.pk}" not in page.content.decode()
    assert reader.post(f"/views/{view.pk}", {"view-name": "Mine"}).status_code == 404


def test_what_cannot_be_saved_is_told(reader):
    save(reader)
    assert "The view was not saved. You have a view called “EU nightly” already: choose another name." in text_of(save(reader))
    assert "The view was not saved. Give the view a name." in text_of(save(reader, name=" "))
    view = SavedView.objects.get()
    said = text_of(reader.post(f"/views/{view.pk}", {"view-name": ""}, follow=True))
    assert "The view was not changed. Give the view a name." in said


def test_a_new_view_is_seen_by_the_next_poll(reader):
    tag = reader.get("/workflows").headers["HX-PTag"]
    save(reader)
    assert reader.get("/workflows", headers={**HX, "HX-PTag": tag}).status_code == 200


def test_hostile_names_are_shown_as_text(reader):
    page = save(reader, name=EVIL[:60])
    assert b"<script>alert" not in page.content
    assert EVIL[:60] in text_of(page)
