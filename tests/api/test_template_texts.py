"""Templates as text over the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.api.calls import call, detail, fields, get, post
from tests.api.templates_for_tests import SOURCE, a_published
from workflows_app.models import Template

pytestmark = pytest.mark.django_db
IMPORT = "/api/templates/import"


def send(text: str | bytes, content_type: str) -> Any:
    return Client(raise_request_exception=False).post(IMPORT, text, content_type=content_type)


def test_an_export_is_a_file_of_yaml() -> None:
    a_published("one")
    response = get("/api/templates/one/export")
    assert response["Content-Type"] == "application/yaml; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="one.yaml"'
    assert response.content.decode().startswith("# dialect: template\n# slug: one\n")


def test_an_unknown_template_has_no_export() -> None:
    assert get("/api/templates/nope/export").status_code == 404


@pytest.mark.parametrize(
    "content_type", ["application/yaml", "text/yaml; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"]
)
def test_the_text_of_an_export_can_be_sent_as_it_is(content_type: str) -> None:
    a_published("one")
    response = send(get("/api/templates/one/export").content, content_type)
    assert (response.status_code, response.json()["id"], response.json()["version"]) == (200, "one", 2)


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_json_may_say_slug_and_dialect_beside_the_source(content_type: str) -> None:
    client = Client()
    for source in (SOURCE, {"name": "x", "steps": [{"id": "a", "action": "input"}]}):
        Template.objects.filter(slug="two").update(slug=f"two{Template.objects.count()}")
        body = {"source": source, "slug": "two", "dialect": "template"}
        response = call("POST", IMPORT, body) if "json" in content_type else client.generic("POST", IMPORT, json.dumps(body), content_type)
        assert (response.status_code, response.json()["id"]) == (201, "two")


def test_a_text_that_does_not_compile_is_refused_where_it_is_wrong() -> None:
    response = send(SOURCE.replace("needs: [fetch]", "needs: [fetsch]"), "application/yaml")
    assert response.status_code == 422
    (found,) = detail(response)
    assert (found["loc"], found["line"]) == (["body", "source", "steps", 1, "needs", 0], 11)
    assert not Template.objects.exists()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"body.source"}),
        ({"source": 7}, {"body.source"}),
        ({"source": SOURCE, "path": "/etc/passwd"}, {"body.path"}),
        ({"source": SOURCE, "slug": "../x"}, {"body.slug"}),
        ({"source": SOURCE, "slug": "import"}, {"body.slug"}),
        ({"source": SOURCE, "dialect": "klingon"}, {"body.dialect"}),
        ([], {"body"}),
    ],
)
def test_a_wrong_body_names_each_field(body: Any, named: set[str]) -> None:
    assert fields(post(IMPORT, body)) == named


@pytest.mark.parametrize("text", [b"\xff\xfe", b"name: \x00", b"", b"x" * 900_000, b"&a [*a]"])
def test_no_text_crashes_it(text: bytes) -> None:
    assert send(text, "text/plain").status_code in {400, 422}


def test_the_address_of_the_import_is_no_template() -> None:
    assert get(IMPORT).status_code == 405
    assert fields(post("/api/templates", {"slug": "import", "source": SOURCE})) == {"body.slug"}
