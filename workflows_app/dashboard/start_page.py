"""The page that starts a workflow from a template: the form, and what will run beside it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from workflows_app.dashboard import params_form
from workflows_app.dashboard.looks import listed, plural
from workflows_app.engine.definitions import compiled
from workflows_app.graph.definition import Node
from workflows_app.models import Template, Workflow

MOST_NODES = 200


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """`after` names what it needs; `notes` its policies where they are not the usual ones."""

    id: str
    name: str
    action: str
    after: str
    notes: str


@dataclass(frozen=True, slots=True)
class StartPage:
    """`problems` are errors that belong to no field of the form."""

    template: Template
    dialect: str
    fields: list[params_form.Field]
    problems: list[str]
    key: str
    source_uid: str
    steps: list[PlannedStep]
    step_count: str
    unseen: int
    kept: str


def build(
    template: Template, *, values: Mapping[str, Any], errors: Mapping[str, str] | None = None, key: str = "", source_uid: str = ""
) -> StartPage:
    """`key` is the form's idempotency key: the same form sent twice starts one workflow."""
    version = template.current
    assert version is not None  # noqa: S101 - published templates only
    nodes = compiled(version.definition_id).nodes
    fields = params_form.fields(version.params_schema, values, errors)
    return StartPage(
        template=template,
        dialect=f"{version.dialect} dialect",
        fields=fields,
        problems=params_form.problems(fields, errors or {}),
        key=key or str(uuid.uuid4()),
        source_uid=source_uid,
        steps=[_planned(node) for node in nodes[:MOST_NODES]],
        step_count=plural(len(nodes), "step"),
        unseen=max(0, len(nodes) - MOST_NODES),
        kept=_kept(version.retention_days),
    )


def params_of(uid: str) -> Mapping[str, Any] | None:
    """The parameters of an earlier workflow, to fill the form with; None when there is no such workflow."""
    try:
        return Workflow.objects.filter(uid=uuid.UUID(uid)).values_list("params", flat=True).first()
    except ValueError:
        return None


def _kept(days: int | None) -> str:
    """How long its ended workflows stay."""
    days = settings.ENV.retention_days if days is None else days
    return f"kept for {plural(days, 'day')}" if days else "kept for ever"


def _planned(node: Node) -> PlannedStep:
    after = f"after {listed(list(node.needs))}" if node.needs else "at once"
    return PlannedStep(node.id, node.name if node.name != node.id else "", node.action, after, ", ".join(_notes(node)))


def _notes(node: Node) -> list[str]:
    notes = ["only if its condition holds"] if node.run_if is not None else []
    notes += ["may fail"] if node.on_failure == "continue" else []
    notes += [f"timeout {node.timeout_seconds:g} s"] if node.timeout_seconds else []
    notes += [f"up to {node.retry.retries + 1} tries"] if node.retry.retries else []
    return notes
