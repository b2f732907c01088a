"""docs/api.md against the API: every operation has its curl line, no line leads nowhere, and every line works."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from tests.access.test_notifications import a_notification
from tests.api.calls import post
from tests.api.curl import Curl, curls
from tests.api.templates_for_tests import SOURCE
from tests.engine.report.test_elements import a_map
from tests.factories import NOW, a_token, a_workflow
from workflows_app.api import api, v1
from workflows_app.catalog import bundled
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import EventSource

TEXT = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text()
LINES = list(curls(TEXT))
UUID = "98e6017e-4e8d-4e98-b817-5455b96b392e"
FILES = {"@test.yaml": "# dialect: template\n# slug: test\n" + SOURCE}
NAMES = {
    "$ID": "{workflow_id}", "$MAPPED": "{workflow_id}", "$ASKED": "{workflow_id}", UUID: "{workflow_id}", "$EXECUTION": "{execution_id}",
    "$EVENT": "{event_id}", "$NOTIFICATION": "{notification_id}", "$SCHEDULE": "{schedule_id}", "greet": "{step_id}",
    "ask": "{step_id}", "fetch": "{step_id}", "fetch[0]": "{step_id}", "shop": "{source}", "hot-lead": "{graph_id}",
}  # fmt: skip


def generic(line: Curl) -> tuple[str, str]:
    parts = [NAMES.get(part, part) for part in line.path.split("?")[0].split("/")]
    if parts[2] == "templates" and len(parts) > 3 and parts[3] != "import":
        parts[3] = "{slug}"
    return line.method, "/".join(parts)


def test_the_page_shows_exactly_the_operations_there_are() -> None:
    paths = api.get_openapi_schema()["paths"] | v1.get_openapi_schema()["paths"]
    assert {generic(line) for line in LINES} == {(method.upper(), path) for path, methods in paths.items() for method in methods}


def test_no_curl_of_the_page_is_left_out() -> None:
    assert len(re.findall(r"^curl |=\$\(curl ", TEXT, re.MULTILINE)) == len(LINES)


def signed(body: str) -> dict[str, str]:
    """The headers of a webhook, as its sender makes them."""
    key, moment = b"a secret of the shop", str(int(time.time()))
    EventSource.objects.create(name="shop", signing_secret=f"whsec_{base64.b64encode(key).decode()}", created_at=NOW)
    digest = hmac.new(key, f"msg_1.{moment}.{body}".encode(), hashlib.sha256).digest()
    return {"MESSAGE": "msg_1", "TIME": moment, "SIGNATURE": f"v1,{base64.b64encode(digest).decode()}"}


@pytest.fixture
def variables() -> dict[str, str]:
    """Ids of rows that are as the page has them."""
    bundled.load(now=NOW)
    asked = a_workflow(Node("ask", "approval"), statuses={"ask": Status.WAITING_FOR_DEPENDENCY})
    form = {"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]}
    asked.steps.update(waits_for="approval", attempt=1, claimed_at=NOW, metadata={"approval": {"form": form}})
    a_token(secret="s")
    dag = {"name": "x", "dag": {"nodes": [{"id": "a", "handler": "input"}]}}
    return {
        "TOKEN": "s",
        "ID": post("/api/workflows/from-template?template_id=test", {"name": "Ana"}).json()["id"],
        "ASKED": str(asked.uid),
        "MAPPED": str(a_map().uid),
        "SCHEDULE": post("/api/schedules", {"name": "Other", "template": "test", "cron": "0 0 * * *"}).json()["id"],
        "NOTIFICATION": str(a_notification().uid),
        "EVENT": post("/api/events", {}).json()["id"],
        "EXECUTION": post("/v1/workflow", dag).json()["execution_id"],
        **signed(next(line.body or "" for line in LINES if "webhooks" in line.url)),
    }


@pytest.mark.django_db
def test_every_line_works_from_top_to_bottom(variables: dict[str, str]) -> None:
    """409 is an answer too: where the page shows two ways, only one can be gone."""
    for line in LINES:
        response = replace(line, url=line.url.replace(UUID, "$ID"), body=FILES.get(line.body or "", line.body)).send(variables)
        assert response.status_code in {200, 201, 204, 409}, (line, response.content)
