"""Secrets and signing secrets go in and never come out; events are looked at."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from tests.factories import NOW, a_user
from workflows_app.access import event_sources, secrets, webhooks
from workflows_app.engine import secret_values
from workflows_app.models import Event, EventSource, Secret

pytestmark = pytest.mark.django_db
CANARY = "canary-9a1b"
ADD_SECRET, ADD_SOURCE = "/admin/workflows_app/secret/add/", "/admin/workflows_app/eventsource/add/"


def change(row: Any, page: str = "change") -> str:
    return reverse(f"admin:workflows_app_{row._meta.model_name}_{page}", args=[row.pk])


def test_a_secret_is_put_in_and_no_page_shows_it(client: Client) -> None:
    assert client.post(ADD_SECRET, {"name": "API_KEY", "new_value": f" {CANARY} "}).status_code == 302
    row = Secret.objects.get()
    assert row.value == f" {CANARY} "
    pages = [client.get(path) for path in (change(row), "/admin/workflows_app/secret/", change(row, "history"), change(row, "delete"))]
    assert [page.status_code for page in pages] == [200] * 4
    assert not [page for page in pages if CANARY in page.content.decode() or row.value in page.content.decode()]
    assert CANARY not in str(list(LogEntry.objects.values()))


def test_a_refused_form_does_not_send_the_value_back(client: Client) -> None:
    page = client.post(ADD_SECRET, {"name": "not a name", "new_value": CANARY})
    assert page.status_code == 200 and "is not allowed" in page.content.decode() and CANARY not in page.content.decode()
    assert not Secret.objects.exists()


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("a", ""), ("a", "x" * 50_001), ("a b", "x")])
def test_what_cannot_be_kept_is_refused_in_the_form(client: Client, name: str, value: str) -> None:
    assert client.post(ADD_SECRET, {"name": name, "new_value": value}).status_code == 200
    assert not Secret.objects.exists()


def test_a_taken_name_is_refused_and_keeps_its_value(client: Client) -> None:
    secrets.put(name="API_KEY", value="first", now=NOW)
    assert client.post(ADD_SECRET, {"name": "API_KEY", "new_value": "second"}).status_code == 200
    assert secret_values.values(["API_KEY"]) == {"API_KEY": "first"}


def test_a_value_is_changed_and_the_name_is_fixed(client: Client) -> None:
    secrets.put(name="API_KEY", value="first", now=NOW)
    row = Secret.objects.get()
    assert client.post(change(row), {"name": "other", "new_value": "second"}).status_code == 302
    assert secret_values.values(["API_KEY", "other"]) == {"API_KEY": "second"}
    assert Secret.objects.get().created_at == NOW < Secret.objects.get().updated_at


def test_secrets_are_deleted_one_by_one_and_together(client: Client) -> None:
    for name in "abc":
        secrets.put(name=name, value="x", now=NOW)
    client.post(change(Secret.objects.get(name="a"), "delete"), {"post": "yes"})
    keys = [row.pk for row in Secret.objects.filter(name__in=["b", "c"])]
    client.post("/admin/workflows_app/secret/", {"action": "delete_selected", "_selected_action": keys, "post": "yes"})
    assert secrets.names() == []


def test_a_secret_of_a_lost_key_hides_no_other_and_can_be_put_again(client: Client, settings: Any) -> None:
    from hybrid_site.secret import fernet_key

    secrets.put(name="lost", value="x", now=NOW)
    settings.SECRETS_KEYS = (fernet_key(),)
    row = Secret.objects.defer("value").get()
    assert client.get("/admin/workflows_app/secret/").status_code == 200
    assert client.post(change(row), {"new_value": "again"}).status_code == 302
    assert secret_values.values(["lost"]) == {"lost": "again"}


def test_a_user_without_the_permission_sees_none_of_it(server_mode: None) -> None:
    secrets.put(name="API_KEY", value="x", now=NOW)
    client = Client()
    client.force_login(a_user(is_staff=True))
    for path in (ADD_SECRET, ADD_SOURCE, change(Secret.objects.get()), "/admin/workflows_app/secret/", "/admin/workflows_app/event/"):
        assert client.get(path).status_code == 403


def test_a_new_source_shows_its_secret_this_once(client: Client) -> None:
    page = client.post(ADD_SOURCE, {"name": "shop", "is_active": "on", "given": ""}, follow=True).content.decode()
    row = EventSource.objects.get()
    assert row.is_active and row.signing_secret.replace("+", "&#x2B;") in page.replace("+", "&#x2B;") and "not shown again" in page
    for path in ("/admin/workflows_app/eventsource/", change(row)):
        assert row.signing_secret not in client.get(path).content.decode()
    assert row.signing_secret not in str(list(LogEntry.objects.values()))


def test_a_secret_that_the_sender_gave_is_kept_and_not_shown(client: Client) -> None:
    given = event_sources.new_secret()
    page = client.post(ADD_SOURCE, {"name": "shop", "is_active": "on", "given": given}, follow=True).content.decode()
    assert EventSource.objects.get().signing_secret == given and given not in page


@pytest.mark.parametrize("given", ["whsec_", "secret", "whsec_QUJD"])
def test_a_secret_that_is_none_is_refused_and_not_sent_back(client: Client, given: str) -> None:
    page = client.post(ADD_SOURCE, {"name": "shop", "is_active": "on", "given": given})
    assert page.status_code == 200 and f'value="{given}"' not in page.content.decode()
    assert not EventSource.objects.exists()


def test_a_source_is_switched_off_and_keeps_its_secret(client: Client) -> None:
    made = event_sources.create(name="shop", now=NOW)
    client.post(change(made.row), {"given": ""})
    row = EventSource.objects.get()
    assert not row.is_active and row.signing_secret == made.secret and row.name == "shop"


def test_a_source_gets_a_new_secret_which_is_shown_once(client: Client) -> None:
    made = event_sources.create(name="shop", now=NOW)
    page = client.post(change(made.row), {"is_active": "on", "given": "", "make_new": "on"}, follow=True).content.decode()
    row = EventSource.objects.get()
    assert row.signing_secret != made.secret and len(webhooks.key_of(row.signing_secret)) == 32
    assert "not shown again" in page and made.secret not in page


def test_events_are_shown_and_never_changed(client: Client) -> None:
    event = Event.objects.create(
        payload={"order": 7}, source="shop", received_at=NOW, is_delivered=True,
        matches=[{"template": "orders", "name": "Orders", "version": 1, "matched": True, "reason": None, "workflowId": "w"}],
    )  # fmt: skip
    listing = client.get("/admin/workflows_app/event/").content.decode()
    assert "shop" in listing and "orders" in listing
    assert "order" in client.get(change(event)).content.decode()
    for path in ("/admin/workflows_app/event/add/", change(event), change(event, "delete")):
        assert client.post(path, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(("q", "found"), [("shop", 1), ("sho", 0), ("key-1", 1), ("nope", 0), ("uid", 1)])
def test_events_are_searched(client: Client, q: str, found: int) -> None:
    event = Event.objects.create(payload=1, source="shop", idempotency_key="key-1", received_at=NOW)
    q = str(event.uid)[:8] if q == "uid" else q
    assert client.get("/admin/workflows_app/event/", {"q": q}).context["cl"].result_count == found


def test_the_list_of_events_costs_few_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        Event.objects.create(payload=number, received_at=NOW, received_by=a_user())
    client.get("/admin/workflows_app/event/")
    with django_assert_max_num_queries(5):
        client.get("/admin/workflows_app/event/")
