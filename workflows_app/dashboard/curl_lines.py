"""What the page does, as lines for a terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.conf import settings

from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models import Workflow

Call = tuple[str, str]


def calls(workflow: Workflow, step_id: str, base_url: str) -> list[Call]:
    """`(words, line)` of all that the page shows and offers now; `step_id` is the selected step, if one is."""
    url = f"{base_url}/api/workflows/{workflow.uid}"
    return [("Read this workflow", curl(url)), *_of_step(url, step_id), *_deeds(workflow, url, step_id), *_like_it(workflow, base_url)]


def curl(url: str, *, method: str = "", body: Mapping[str, Any] | None = None) -> str:
    parts = ["curl", *(["-X", method] if method else []), shlex.quote(url)]
    parts += [] if settings.IS_LOCAL else ["-H", '"Authorization: Bearer $TOKEN"']
    parts += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(json.dumps(body))] if body is not None else []
    return " ".join(parts)


def _of_step(url: str, step_id: str) -> list[Call]:
    if not step_id:
        return []
    step = f"{url}/steps/{quote(step_id, safe='')}"
    return [(f"Read step {step_id}", curl(step)), (f"Read the log of {step_id}", curl(f"{step}/logs?limit=1000"))]


def _deeds(workflow: Workflow, url: str, step_id: str) -> list[Call]:
    """Those that its status allows."""
    if workflow.awaits_trigger:
        return [("Stop it", curl(f"{url}/stop", method="POST"))]
    found = [("Stop it", curl(f"{url}/stop", method="POST"))] if workflow.status in ACTIVE else []
    found += [("Resume it", curl(f"{url}/resume", method="POST"))] if workflow.status == Status.STOPPED else []
    found += [("Retry all that failed", curl(f"{url}/retry", method="POST"))] if workflow.status == Status.FAILED else []
    if workflow.status in FINAL and step_id and not step_id.endswith("]"):
        found.append((f"Retry {step_id} and those below", curl(f"{url}/retry", method="POST", body={"fromStep": step_id})))
    return [*found, ("Run it again as a new workflow", curl(f"{url}/rerun", method="POST"))]


def _like_it(workflow: Workflow, base_url: str) -> list[Call]:
    if workflow.template_version is None:
        return []
    start = f"{base_url}/api/workflows/from-template?template_id={workflow.template_version.template.slug}"
    return [("Start one like it", curl(start, method="POST", body=workflow.params))]
