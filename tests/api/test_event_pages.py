"""docs/events.md and docs/secrets.md: what they show works, and what they promise holds."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands
from django.db import connection
from django.test import Client

from tests.api.calls import get, post
from tests.api.curl import curls
from tests.engine.stage import Stage, log_of, step
from tests.factories import NOW
from workflows_app.access import event_sources, secrets
from workflows_app.catalog.publish import publish
from workflows_app.catalog.start import start_template
from workflows_app.engine import report
from workflows_app.management.commands.secrets import Command
from workflows_app.models import EventSource, Workflow

DOCS = Path(settings.BASE_DIR) / "docs"
EVENTS, SECRETS = (DOCS / "events.md").read_text(), (DOCS / "secrets.md").read_text()
CANARY = "canary-c0ffee-4711"


def block(page: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)
    assert found is not None
    return found[1]


def sent_by_the_page() -> list[Any]:
    """Import the template as the page says, and send its events."""
    imports, *events = (line for line in curls(EVENTS) if line.method == "POST")
    assert imports.body == "@big-order.yaml" and _is_imported(imports.path)
    return [line.send({}).json() for line in events]


def _is_imported(path: str) -> bool:
    """As curl sends a file when nobody says what it is."""
    sent = Client().post(path, block(EVENTS, "yaml"), content_type="application/x-www-form-urlencoded")
    return sent.status_code == 201 and sent.json()["id"] == "big-order"


@pytest.mark.django_db(transaction=True)
def test_the_events_of_the_page_do_what_stands_in_its_table() -> None:
    told = sent_by_the_page()
    rows = re.findall(r"^\| (?:order \d+|no id) \| `matched: (\w+)`, (.*?) \| `(.*)` \|$", EVENTS, re.MULTILINE)
    assert len(told) == len(rows) == 3
    for event, (matched, reason, message) in zip(told, rows, strict=True):
        assert str(event["templates"][0]["matched"]).lower() == matched
        assert event["message"] == message
        if event["workflows"]:
            assert event["workflows"][0]["id"] == event["templates"][0]["workflowId"] and "workflowId" in reason
        else:
            assert f"`{event['templates'][0]['reason']}`" == reason


@pytest.mark.django_db(transaction=True)
def test_the_other_lines_of_the_page_find_those_events() -> None:
    lines, sent = list(curls(EVENTS)), sent_by_the_page()
    listing, one = (line for line in lines if line.method == "GET")
    assert [event["id"] for event in listing.send({}).json()] == [sent[1]["id"]]
    assert one.send({"EVENT": sent[0]["id"]}).json()["payload"] == {"order": {"id": 42, "total": 99.5}}
    again = next(line for line in lines if line.headers).send({}).json()
    assert again["id"] == sent[0]["id"] and Workflow.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_signature_that_the_page_shows_is_taken() -> None:
    assert len(block(EVENTS, "python").splitlines()) <= 15
    code: dict[str, Any] = {}
    exec(block(EVENTS, "python"), code)
    secret = event_sources.create(name="shop", now=NOW).secret
    body, headers = code["signed"](secret, "msg_1", {"order": {"id": 42}})
    answer = post("/api/events/webhooks/shop", body, **{name.replace("-", "_"): value for name, value in headers.items()})
    assert answer.status_code == 200 and answer.json()["idempotencyKey"] == "msg_1"


def test_every_command_that_the_pages_name_is_there() -> None:
    commands = get_commands()
    for name in re.findall(r"manage\.py (\w+)", EVENTS + SECRETS):
        assert commands[name] == "workflows_app", name
    verbs = {name.removeprefix("_") for name in vars(Command) if name in {"_set", "_list", "_delete", "_rotate"}}
    assert set(re.findall(r"^\| `manage\.py secrets (\w+)", SECRETS, re.MULTILINE)) == verbs == {"set", "list", "delete", "rotate"}


def test_every_link_of_the_pages_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([a-z/_-]+\.md)\)", EVENTS + SECRETS):
        assert (DOCS / link).exists(), link


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return Stage()


@pytest.fixture
def echo() -> Iterator[str]:
    """A service that answers with the headers it got: /ok with 200, anything else with 500."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/ok" else 500)
            body = f'{{"you sent": "{self.headers["Authorization"]}"}}'.encode()
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Echo", self.headers["Authorization"])
            self.end_headers()
            self.wfile.write(body)
            seen.append(self.headers["Authorization"])

        def log_message(self, *args: Any) -> None:
            pass

    seen: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.seen = seen  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    assert seen and all(value == f"Bearer {CANARY}" for value in seen)


def dump() -> str:
    """Everything that every table holds, as text."""
    parts = []
    for model in apps.get_models():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            parts += [repr(row) for row in cursor.fetchall()]
    return "\n".join(parts)


@pytest.mark.parametrize(("path", "status"), [("/ok", "COMPLETED"), ("/broken", "FAILED")])
def test_a_secret_is_in_no_row_page_or_answer_whether_the_step_succeeds_or_fails(
    stage: Stage, echo: str, path: str, status: str, settings: Any, caplog: Any
) -> None:
    """RELIABILITY: a canary secret through an action, failures too: 0 hits in the database, logs, pages and answers."""
    settings.ENV = settings.ENV.model_copy(update={"retry_max_retries": 1, "retry_initial_delay": 0.01})
    secrets.put(name="SHOP_KEY", value=CANARY, now=stage.now)
    publish(slug="ask", source=block(SECRETS, "yaml"), now=stage.now)
    workflow = stage.play(start_template(slug="ask", params={"url": echo + path}, now=stage.now))
    assert workflow.status == status, log_of(workflow, "ask")
    assert "•••" in str(step(workflow, "ask").output) or status == "FAILED"
    shown = [get(f"/api/workflows/{workflow.uid}"), get(f"/api/workflows/{workflow.uid}/steps/ask"), get("/api/templates/ask")]
    shown += [get(f"/workflows/{workflow.uid}"), get("/admin/workflows_app/secret/"), get("/admin/workflows_app/step/")]
    assert [answer.status_code for answer in shown] == [200] * len(shown)
    texts = [dump(), str(report.workflow(workflow.uid)), caplog.text, *(answer.content.decode() for answer in shown)]
    assert [text for text in texts if CANARY in text] == []


@pytest.mark.django_db
def test_a_signing_secret_is_in_no_row() -> None:
    secret = event_sources.create(name="shop", now=NOW).secret
    found = dump()
    assert "shop" in found and secret not in found and secret.removeprefix("whsec_") not in found
    assert EventSource.objects.get().signing_secret == secret


@pytest.mark.django_db(transaction=True)
def test_a_step_that_names_a_missing_secret_says_which(stage: Stage) -> None:
    publish(slug="ask", source=block(SECRETS, "yaml"), now=stage.now)
    workflow = stage.play(start_template(slug="ask", params={"url": "http://127.0.0.1:9"}, now=stage.now))
    assert workflow.status == "FAILED" and "SHOP_KEY" in step(workflow, "ask").error
