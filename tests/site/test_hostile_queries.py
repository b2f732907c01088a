"""Addresses and forms that nobody types by accident: each is answered in words, none with an error of the server."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import pytest
from django.test import Client

from tests.factories import a_definition, a_log_line, a_template, a_workflow
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status

pytestmark = pytest.mark.django_db
VALUES = (
    "\0", "a\0b", "²", "9" * 18, "9" * 400, "1.²", "\ud7ff\ufffe", "a[99999999999999999999]", "a[²]", "[%\\", '"' * 400,
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00+23:59", "since:9999w", "step:x",
)  # fmt: skip
ASKED: Mapping[str, tuple[str, ...]] = {
    "/workflows": ("status", "template", "tag", "since", "from", "to", "q", "after", "rows"),
    "/workflows/compare": ("a", "b"),
    "/workflows/{uid}": (
        "view", "step", "show", "from", "elements", "element_from", "sort", "attempt", "level", "match", "line", "dir", "open", "gaps",
    ),
    "/workflows/{uid}?view=timeline&x=1": ("step", "open", "from"),
    "/workflows/{uid}?view=events&x=1": ("step", "from"),
    "/workflows/{uid}?step=a": ("find", "line", "match", "attempt"),
    "/workflows/{uid}/log-rows?step=a": ("line", "attempt", "find"),
    "/workflows/{uid}/log.txt": ("step", "attempt"),
    "/workflows/{uid}/retry-with": ("step",),
    "/templates": ("q", "tag", "show", "after"),
    "/templates/nightly": ("from", "after", "rows", "cursor"),
    "/templates/nightly/start": ("version", "from", "view"),
    "/schedules": ("show", "template"),
    "/schedules/new": ("template", "from"),
    "/schedules/new?template=nightly": ("from",),
    "/schedules/preview": ("cron", "timezone"),
    "/events": ("source", "matched", "cursor", "after"),
    "/notifications": ("show", "cursor", "after"),
    "/approvals": ("from", "after"),
    "/palette": ("q", "part"),
}  # fmt: skip


@pytest.fixture
def uid() -> uuid.UUID:
    template = a_template("nightly", definition=a_definition(Node("a", "transform")))
    workflow = a_workflow(template=template, statuses={"a": Status.FAILED})
    a_log_line(workflow.steps.get(), "it failed")
    return workflow.uid


@pytest.fixture
def curious() -> Client:
    return Client(headers={"host": "localhost"}, raise_request_exception=False)


@pytest.mark.parametrize(("page", "key"), [(page, key) for page, keys in ASKED.items() for key in keys])
def test_no_address_breaks_a_page(curious: Client, uid: uuid.UUID, page: str, key: str) -> None:
    path, _, query = page.format(uid=uid).partition("?")
    fixed = dict(pair.split("=") for pair in query.split("&") if pair)
    found = {value: curious.get(path, fixed | {key: value}).status_code for value in VALUES}
    assert {value: status for value, status in found.items() if status >= 500} == {}


FORMS: Mapping[str, tuple[str, ...]] = {
    "/workflows/bulk": ("verb", "workflow", "shown", "query"),
    "/workflows/bulk/confirmed": ("asked", "typed"),
    "/views": ("view-name", "query"),
    "/views/1": ("view-name",),
    "/workflows/{uid}/retry": ("from_step", "back"),
    "/workflows/{uid}/retry-with": ("step",),
    "/templates/nightly/start": ("version", "idempotency_key", "json", "fill"),
    "/templates/nightly/plan": ("version", "json"),
    "/schedules/new": ("template", "name", "cron"),
    "/schedules/new?template=nightly": ("name", "cron", "timezone", "overlap", "json"),
    "/events": ("payload", "source", "key"),
    "/queue/pause": ("reason",),
    "/theme": ("theme", "next"),
}


@pytest.mark.parametrize(("form", "key"), [(form, key) for form, keys in FORMS.items() for key in keys])
def test_no_form_breaks_a_page(curious: Client, uid: uuid.UUID, form: str, key: str) -> None:
    fixed = {"view-name": "Mine", "payload": "{}", "verb": "stop", "view": "json" if key == "json" else ""}
    found = {value: curious.post(form.format(uid=uid), fixed | {key: value}).status_code for value in VALUES}
    assert {value: status for value, status in found.items() if status >= 500} == {}


@pytest.mark.parametrize("path", ["/workers/a\0/drain", "/workers/9\ud7ff/drain", "/views/99999999999999999999999/delete", "/queue/\0"])
def test_no_path_of_a_button_breaks_a_page(curious: Client, path: str) -> None:
    assert curious.post(path).status_code < 500


def test_what_no_database_keeps_is_refused_in_words(curious: Client) -> None:
    response = curious.get("/workflows", {"q": "tag:\0"})
    assert response.status_code == 400
    assert "Nothing was changed" in response.content.decode()


def test_a_program_that_sends_it_is_answered_in_json(curious: Client) -> None:
    response = curious.get("/api/workflows", {"name": "\0"})
    assert (response.status_code, response["Content-Type"].split(";")[0]) == (422, "application/json")
