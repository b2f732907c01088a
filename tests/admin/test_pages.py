"""The other pages of the admin: what ran is looked at, never changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.factories import a_template, a_token, a_worker, a_workflow, an_attempt
from workflows_app.graph.statuses import Status
from workflows_app.models import ApiToken, Attempt, Step, TemplateVersion, Worker, Workflow

pytestmark = pytest.mark.django_db
SHOWN = [Workflow, Step, Attempt, TemplateVersion, Worker]


@pytest.fixture(autouse=True)
def _rows() -> None:
    workflow = a_workflow(template=a_template("etl"), statuses={"fetch": Status.COMPLETED, "shape": Status.RUNNING}, name="Nightly")
    an_attempt(workflow.steps.get(node_id="fetch"))
    a_worker()
    a_token()


def url(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", [*SHOWN, ApiToken])
def test_lists_and_rows_are_shown(client: Client, model: Any) -> None:
    assert client.get(url(model, "changelist")).status_code == 200
    assert client.get(url(model, "change", model.objects.first().pk)).status_code == 200


@pytest.mark.parametrize("model", SHOWN)
def test_nothing_that_ran_is_added_changed_or_deleted_even_by_a_superuser(client: Client, model: Any) -> None:
    pk = model.objects.first().pk
    for path in (url(model, "add"), url(model, "change", pk), url(model, "delete", pk)):
        assert client.post(path, {"post": "yes", "name": "x"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
    client.post(url(model, "changelist"), selected)
    assert model.objects.filter(pk=pk).exists()


def test_a_workflow_shows_status_and_progress(client: Client) -> None:
    page = client.get(url(Workflow, "changelist")).content.decode()
    assert "Nightly" in page and "RUNNING" in page and "50 %" in page


@pytest.mark.parametrize(("query", "found"), [("Nightly", 1), ("night", 1), ("nope", 0), ("%", 0)])
def test_workflows_are_searched(client: Client, query: str, found: int) -> None:
    assert client.get(url(Workflow, "changelist"), {"q": query}).context["cl"].result_count == found


def test_workflows_are_found_by_the_start_of_their_id(client: Client) -> None:
    uid = str(Workflow.objects.get().uid)
    assert b"Nightly" in client.get(url(Workflow, "changelist"), {"q": uid[:8]}).content


def test_steps_and_attempts_are_found_by_their_workflow(client: Client) -> None:
    uid = str(Workflow.objects.get().uid)
    assert b"fetch" in client.get(url(Step, "changelist"), {"q": uid}).content
    assert b"completed" in client.get(url(Attempt, "changelist"), {"q": uid}).content


@pytest.mark.parametrize("model", [Workflow, Step, Attempt, TemplateVersion])
def test_a_list_costs_few_queries_whatever_its_length(client: Client, model: Any, django_assert_max_num_queries: Any) -> None:
    for _ in range(10):
        more = a_workflow(template=a_template(), statuses={"fetch": Status.COMPLETED})
        an_attempt(more.steps.get(node_id="fetch"))
    client.get(url(model, "changelist"))
    with django_assert_max_num_queries(5):
        client.get(url(model, "changelist"))


def test_a_token_is_revoked_but_neither_made_nor_changed_here(client: Client) -> None:
    token = ApiToken.objects.get()
    page = client.get(url(ApiToken, "change", token.pk)).content.decode()
    assert token.digest not in page
    assert client.get(url(ApiToken, "add")).status_code == 403
    assert client.post(url(ApiToken, "delete", token.pk), {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()


def test_the_pages_of_django_q_are_closed(client: Client) -> None:
    """They unpickle rows, and a schedule there may name any function."""
    foreign = list(apps.get_app_config("django_q").get_models())
    assert foreign
    assert not [model for model in foreign if admin.site.is_registered(model)]
    assert client.get("/admin/django_q/").status_code == 404
