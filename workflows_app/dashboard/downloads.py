"""A workflow and its outputs as JSON files."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from workflows_app.dashboard.workflow import found
from workflows_app.engine import report
from workflows_app.graph.statuses import Status
from workflows_app.models import Step


@login_required
@require_safe
def workflow_json(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """As the API answers it."""
    return _file(report.workflow(found(uid).uid), f"workflow-{str(uid)[:8]}.json")


@login_required
@require_safe
def outputs_json(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """`{step id: output}` of all steps that completed."""
    done = Step.objects.top_level().filter(workflow=found(uid), status=Status.COMPLETED).order_by("position")
    return _file(dict(done.values_list("node_id", "output")), f"workflow-{str(uid)[:8]}-outputs.json")


def _file(value: Any, name: str) -> HttpResponse:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return HttpResponse(text, content_type="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'})
