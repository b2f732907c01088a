"""Rows that the pages of this package show: steps that ask, maps with elements, notifications, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from tests.factories import NOW, a_step, a_user, a_workflow
from workflows_app.dialects import params_schema
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Event, Notification, Step, Workflow

WAITING = Status.WAITING_FOR_DEPENDENCY
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"
FORM = {
    "properties": {
        "amount": {"type": "integer", "title": "Amount", "minimum": 1, "maximum": 500, "default": 20},
        "account": {"type": "string", "enum": ["main", "travel"]},
    },
    "required": ["amount", "account"],
}


def signed_in(user: User | None = None) -> Client:
    """A browser of this user; only after the fixture `server_mode`."""
    client = Client(headers={"host": "localhost"})
    client.force_login(user or a_user())
    return client


def asking(
    *, approvers: Sequence[str] = (), form: Mapping[str, Any] | None = None, asked: Mapping[str, Any] | None = None, **changes: Any
) -> Workflow:
    """A workflow whose step `ask` waits for an approval."""
    workflow = a_workflow(Node("ask", "approval"), **changes)
    shown = {"title": "", "message": "Pay?", "form": params_schema.normalise(form), "approvers": list(approvers), **(asked or {})}
    wait_for(workflow, "ask", Step.APPROVAL, metadata={"approval": shown, "waitingFor": "approval by anybody"})
    return workflow


def wait_for(workflow: Workflow, node_id: str, kind: str, **changes: Any) -> Step:
    values = {"status": WAITING, "attempt": 1, "available_at": None, "started_at": NOW, "claimed_at": NOW, "waits_for": kind, **changes}
    Step.objects.filter(workflow=workflow, node_id=node_id).update(**values)
    return Step.objects.get(workflow=workflow, node_id=node_id)


def mapping(statuses: Sequence[Status], **changes: Any) -> Workflow:
    """A workflow whose map `fetch` waits for elements that are like this."""
    workflow = a_workflow(Node("fetch", "map", body=Node("fetch", "http_call")), Node("after", "output", needs=("fetch",)), **changes)
    parent = wait_for(workflow, "fetch", Step.ELEMENTS, open_elements=len(statuses))
    for index, status in enumerate(statuses):
        values = {"element": {"n": index}, "error": f"element {index} broke" if status == Status.FAILED else ""}
        a_step(workflow, Node(f"fetch[{index}]", "http_call"), position=index, status=status, parent=parent, **values)
    return workflow


def a_notification(title: str = "Done", **changes: Any) -> Notification:
    return Notification.objects.create(title=title, created_at=NOW, **changes)


def an_event(*, source: str = "", payload: Any = None, **changes: Any) -> Event:
    values = {"received_at": NOW, "is_delivered": True, **changes}
    return Event.objects.create(source=source, payload={"a": 1} if payload is None else payload, **values)


def a_match(template: str, *, workflow: Workflow | None = None, reason: str | None = None, is_matched: bool = False) -> dict[str, Any]:
    """What one template said to an event, as the event keeps it."""
    matched = is_matched or workflow is not None
    uid = str(workflow.uid) if workflow else None
    return {"template": template, "name": template.title(), "version": 1, "matched": matched, "reason": reason, "workflowId": uid}
