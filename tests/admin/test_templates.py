"""Editing templates in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.api.templates_for_tests import SOURCE, a_published
from tests.factories import a_user
from workflows_app.models import Template, TemplateVersion

pytestmark = pytest.mark.django_db
ADD = "/admin/workflows_app/template/add/"


def change_url(slug: str = "data_processing") -> str:
    return reverse("admin:workflows_app_template_change", args=[Template.objects.get(slug=slug).pk])


def save(client: Client, url: str, **values: Any) -> Any:
    return client.post(url, {"source": SOURCE, "note": "", "expect_version": "1", **values})


def errors(response: Any) -> str:
    assert response.status_code == 200, response.headers
    form = response.context["adminform"].form
    return str(form.errors)


def test_the_editor_shows_the_current_source(client: Client) -> None:
    a_published()
    response = client.get(change_url())
    assert "Made for tests" in response.content.decode()
    assert response.context["adminform"].form["expect_version"].value() == 1


def test_saving_publishes_a_new_version_by_its_author(client: Client) -> None:
    a_published()
    response = save(client, change_url(), source=SOURCE.replace("Data processing", "Renamed"), note="better name")
    assert response.status_code == 302
    template = Template.objects.get()
    assert (template.name, template.current.number, template.current.note) == ("Renamed", 2, "better name")
    assert template.current.created_by.get_username() == "local"
    assert TemplateVersion.objects.get(number=1).source == SOURCE


def test_lines_of_a_browser_are_kept_as_plain_lines(client: Client) -> None:
    a_published()
    save(client, change_url(), source=SOURCE.replace("\n", "\r\n"))
    assert Template.objects.get().current.source == SOURCE


def test_a_bad_definition_is_refused_with_its_line_and_nothing_is_published(client: Client) -> None:
    a_published()
    told = errors(save(client, change_url(), source=SOURCE.replace("needs: [fetch]", "needs: [fetsch]")))
    assert "line 11" in told and "fetsch" in told
    assert TemplateVersion.objects.count() == 1


@pytest.mark.parametrize("source", ["", "   ", "::", "\t", "!!python/object:os.system {}", "a: &a [*a]", "x" * 900_000])
def test_no_text_crashes_the_editor(client: Client, source: str) -> None:
    a_published()
    assert errors(save(client, change_url(), source=source))


def test_an_author_who_saw_an_older_version_is_told_and_loses_nothing(client: Client) -> None:
    a_published()
    a_published(source=SOURCE + "# more\n")
    response = save(client, change_url(), source=SOURCE + "# mine\n", expect_version="1")
    assert "Version 2 was published since" in errors(response)
    assert "# mine" in response.content.decode()
    assert TemplateVersion.objects.count() == 2


def test_a_new_template_is_published_as_version_1(client: Client) -> None:
    assert save(client, ADD, slug="new", expect_version="0").status_code == 302
    template = Template.objects.get()
    assert (template.slug, template.name, template.current.number) == ("new", "Data processing", 1)


@pytest.mark.parametrize("slug", ["", "a b", "ä", "-x", "data_processing"])
def test_a_slug_that_is_bad_or_taken_is_refused(client: Client, slug: str) -> None:
    a_published()
    assert "slug" in errors(save(client, ADD, slug=slug, expect_version="0"))
    assert Template.objects.count() == 1


def test_the_starter_of_a_new_template_is_valid(client: Client) -> None:
    starter = client.get(ADD).context["adminform"].form["source"].value()
    assert save(client, ADD, slug="new", source=starter, expect_version="0").status_code == 302


def test_the_slug_of_a_template_is_fixed(client: Client) -> None:
    a_published()
    save(client, change_url(), slug="other")
    assert Template.objects.get().slug == "data_processing"


def test_deleting_withdraws_and_keeps_the_versions(client: Client) -> None:
    a_published()
    url = change_url().replace("change", "delete")
    assert "data_processing" in client.get(url).content.decode()
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Template.objects.published().exists()
    assert TemplateVersion.objects.count() == 1
    assert client.get("/admin/workflows_app/template/").context["cl"].result_count == 0


def test_several_are_deleted_at_once(client: Client) -> None:
    keys = [a_published(slug).template_id for slug in ("a", "b")]
    client.post("/admin/workflows_app/template/", {"action": "delete_selected", "_selected_action": keys, "post": "yes"})
    assert not Template.objects.published().exists()


def test_a_withdrawn_template_comes_back_when_its_slug_is_published_again(client: Client) -> None:
    a_published()
    Template.objects.update(deleted_at="2026-11-21T12:00:00Z")
    assert save(client, ADD, slug="data_processing", expect_version="0").status_code == 302
    assert Template.objects.get().current.number == 2


def test_a_user_without_the_permission_sees_no_editor(server_mode: None) -> None:
    a_published()
    client = Client()
    client.force_login(a_user(is_staff=True))
    assert client.get(change_url()).status_code == 403
    assert save(client, change_url()).status_code == 403
    assert TemplateVersion.objects.count() == 1
