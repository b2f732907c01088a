"""Rows with a payload in every field that is filled from outside: `python -m tests.hostile_rows` writes them into DATA_DIR's database
and prints what the places of `tests.e2e.places` need."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import django

WIDE = 24


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hybrid_site.settings")
    django.setup()
    from tests import factories

    factories.NOW = datetime.now(UTC)  # the pages show what is recent
    json.dump(write(), sys.stdout)


def write() -> dict[str, Any]:
    """By name: the ids that addresses are made of; `workflows` has one for each payload."""
    from tests.payloads import PAYLOADS

    user = _people(PAYLOADS)
    templates = [_template(number, payload, user) for number, payload in enumerate(PAYLOADS)]
    wide = _wide(PAYLOADS, templates[0])
    workflows = [_workflow(payload, template, user) for payload, template in zip(PAYLOADS, templates, strict=True)]
    asks = [_asking(payload, user) for payload in PAYLOADS[::WIDE]]
    events = [_event(number, payload, workflows[number]) for number, payload in enumerate(PAYLOADS)]
    schedules = [_schedule(payload, template, user) for payload, template in zip(PAYLOADS, templates, strict=True)]
    _around(PAYLOADS, workflows, user)
    return {
        "workflows": [str(one.uid) for one in workflows], "wide": str(wide.uid), "asks": [str(one.uid) for one in asks],
        "events": [str(one.uid) for one in events], "schedules": [str(one.uid) for one in schedules],
        "slugs": [one.slug for one in templates], "payloads": list(PAYLOADS),
    }  # fmt: skip


def _people(payloads: Sequence[str]) -> Any:
    from django.contrib.auth.models import User

    from workflows_app.access.local_user import local_user

    User.objects.bulk_create(User(username=payload[:150], first_name=payload[:150], email=payload[:250]) for payload in payloads)
    local_user()
    return User.objects.get(username=payloads[0][:150])


def _template(number: int, payload: str, user: Any) -> Any:
    from tests.factories import a_definition, a_template
    from workflows_app.graph.definition import Node

    field = {"title": payload, "description": payload, "type": "string", "default": payload, "examples": [payload]}
    chosen = {"enum": [payload, f"{payload} "], "title": payload}
    schema = {"properties": {payload: field, f"{payload}1": chosen, "plain": {"default": {payload: [payload]}}}, "required": [payload]}
    nodes = [Node("a", payload[:200], name=payload), Node("b", "output", name=payload, needs=("a",), config={payload: payload})]
    template = a_template(
        f"hostile-{number}", definition=a_definition(*nodes), source=f"# {payload}\n", params_schema=schema,
        name=payload[:200], description=payload, tags=[payload],
    )  # fmt: skip
    template.versions.update(note=payload, created_by=user, trigger={"==": [payload, payload]})
    return template


def _workflow(payload: str, template: Any, user: Any) -> Any:
    """A failed one that says the payload wherever one can say something."""
    from tests.factories import NOW, a_log_line, a_workflow, an_attempt, later
    from workflows_app.graph.statuses import Status
    from workflows_app.models import Workflow

    workflow = a_workflow(
        template=template, statuses={"a": Status.FAILED, "b": Status.STOPPED}, name=payload[:200], description=payload, tags=[payload],
        params={payload: payload, "in": {payload: [payload, {payload: None}]}}, metadata={payload: payload},
        idempotency_key=payload, started_by=user,
    )  # fmt: skip
    Workflow.objects.filter(pk=workflow.pk).update(error=f"a: {payload}", created_at=NOW, updated_at=later(0))
    for step in workflow.steps.all():
        step.metadata = {payload: payload, "waitingFor": payload, "reason": payload, "model": payload}
        step.output, step.error = {payload: payload, "text": payload, "rows": [{payload: payload}]}, payload
        step.save()
        an_attempt(step, outcome="failed", error=payload)
        an_attempt(step, number=2, outcome="crashed", error=payload, late_result="failed")
        for level in ("INFO", "WARNING", "ERROR"):
            a_log_line(step, payload, level=level)
        a_log_line(step, f"before\n{payload}\n\x1b[31mafter\x1b[0m")
    return workflow


def _wide(payloads: Sequence[str], template: Any) -> Any:
    """Every payload in one workflow: as ids of steps, keys and lines. Ids like these no door lets in: what if one did."""
    from tests.factories import a_log_line, a_step, a_workflow, an_attempt
    from workflows_app.graph.definition import Node
    from workflows_app.graph.statuses import Status
    from workflows_app.models import Workflow

    nodes = [Node(payload[:200], payload[:200], name=payload) for payload in payloads]
    nodes += [Node("all", "map", needs=(nodes[0].id,), body=Node("all", "output"))]
    everything = {payload: {payload: payload} for payload in payloads}
    statuses = dict.fromkeys((node.id for node in nodes), Status.FAILED)
    workflow = a_workflow(*nodes, statuses=statuses, name=payloads[0], params=everything, tags=list(payloads))
    Workflow.objects.filter(pk=workflow.pk).update(error="\n".join(payloads))
    for step, payload in zip(workflow.steps.order_by("position"), payloads, strict=False):
        step.error, step.output = payload, everything if step.position == 0 else payload
        step.save()
        an_attempt(step, outcome="failed", error=payload)
        a_log_line(step, payload, level="ERROR")
    parent = workflow.steps.get(node_id="all")
    for index, payload in enumerate(payloads):
        node = Node(f"all[{index}]", "output", name=payload)
        a_step(workflow, node, position=index, status=Status.FAILED, parent=parent, element={payload: payload}, error=payload)
    for payload in payloads:
        a_log_line(workflow.steps.get(position=0, parent=None), payload)
    return workflow


def _asking(payload: str, user: Any) -> Any:
    from tests.dashboard.rows import asking
    from workflows_app.models import Step

    field = {"type": "string", "title": payload, "description": payload, "default": payload}
    form = {"properties": {payload: field, "choice": {"enum": [payload, "no"], "title": payload}}, "required": [payload]}
    shown = {"title": payload, "message": payload}
    workflow = asking(form=form, asked=shown, name=payload[:200], started_by=user, approvers=[])
    step = Step.objects.get(workflow=workflow, node_id="ask")
    step.metadata = {**step.metadata, "waitingFor": payload}
    step.save()
    return workflow


def _event(number: int, payload: str, workflow: Any) -> Any:
    from tests.dashboard.rows import a_match, an_event

    match = a_match(payload, workflow=workflow, reason=payload) | {"name": payload, "reason": payload}
    deliveries = [{"workflowId": str(workflow.uid), "stepId": payload}]
    return an_event(
        source=payload[:100], payload={payload: payload, "n": [payload]}, idempotency_key=f"{number} {payload}", matches=[match],
        deliveries=deliveries,
    )  # fmt: skip


def _schedule(payload: str, template: Any, user: Any) -> Any:
    from tests.factories import NOW, later
    from workflows_app.models import Schedule

    return Schedule.objects.create(
        template=template, name=payload[:100], cron="0 3 * * *", params={payload: payload}, last_error=payload, created_by=user,
        created_at=NOW, updated_at=NOW, next_at=later(86_400 * 365),
    )  # fmt: skip


def _around(payloads: Sequence[str], workflows: Sequence[Any], user: Any) -> None:
    """What else the pages and the admin list."""
    from tests.dashboard.rows import a_notification
    from tests.factories import NOW, a_token, a_worker, later
    from workflows_app.access.local_user import local_user
    from workflows_app.models import EventSource, QueuePause, Repair, SavedView, Secret

    local = local_user()
    for number, payload in enumerate(payloads):
        a_notification(
            payload[:200], message=payload, role="", channel=payload[:100], workflow=workflows[number], node_id=payload[:200],
            level=("info", "warning", "error")[number % 3],
        )  # fmt: skip
        SavedView.objects.create(
            owner=local if number % 2 else user, name=payload[:60], query=f"q={payload}", is_shared=True, created_at=NOW
        )
        a_worker(f"{number:032}", host=payload, version=payload[:40], heartbeat_at=NOW + timedelta(days=3650))
        a_token(user=user, name=payload[:100], secret=f"{number}")
        Secret.objects.create(name=payload[:100], value="kept", created_at=NOW, updated_at=NOW)
        EventSource.objects.create(name=payload[:100], signing_secret="kept", created_at=NOW)
        Repair.objects.create(at=later(number), kind=Repair.KINDS[0][0], workflow=workflows[number], detail=payload)
    QueuePause.objects.create(since=NOW, by=user, reason=payloads[0])


if __name__ == "__main__":
    main()
