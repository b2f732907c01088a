"""Graphs and executions as JSON in the words of their own door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows_app.dialects.source import read
from workflows_app.engine.report.times import iso
from workflows_app.graph.progress import progress
from workflows_app.models import Template, Workflow

Json = dict[str, Any]


def graph_json(template: Template) -> Json:
    """A template of the graph dialect, with nodes and edges as its author sent them."""
    if template.current is None:
        raise ValueError(f"Template {template.slug} was never published")
    written = read(template.current.source).value
    return {
        "id": template.slug,
        "name": template.name,
        "description": template.description,
        "trigger": written.get("trigger"),
        "nodes": written["nodes"],
        "edges": written.get("edges", []),
        "version": template.current.number,
        "created_at": iso(template.created_at),
        "updated_at": iso(template.updated_at),
    }


def started_json(receipt: Mapping[str, Any]) -> Json:
    """What an event did, from its receipt."""
    templates = receipt["templates"]
    return {
        "event_id": receipt["id"],
        "matched": any(template["matched"] for template in templates),
        "message": receipt["message"],
        "executions": [
            {"id": started["id"], "workflow_id": started["templateId"], "status": started["status"]} for started in receipt["workflows"]
        ],
        "workflows": [
            {"id": template["template"], "name": template["name"], "matched": template["matched"], "reason": template["reason"]}
            for template in templates
        ],
    }


def execution_json(row: Workflow) -> Json:
    """A workflow of any door; its template, if there is one, must be loaded with it."""
    return {
        "id": str(row.uid),
        "workflow_id": row.template_version.template.slug if row.template_version else None,
        "workflow_name": row.name,
        "status": row.status,
        "payload": row.params,
        "started_at": iso(row.started_at),
        "ended_at": iso(row.ended_at),
        "created_at": iso(row.created_at),
        "error": row.error or None,
        "progress": progress(done=row.done_steps, total=row.total_steps),
    }


def execution_step_json(step: Mapping[str, Any]) -> Json:
    """From the step as the report has it."""
    return {
        "id": step["id"],
        "node_id": step["id"],
        "type": step["action"],
        "status": step["status"],
        "result": step["outputs"],
        "error": step["error"],
        "started_at": step["startTime"],
        "ended_at": step["endTime"],
        "attempts": step["attempts"],
        "logs": step["logs"],
        "skipped": bool(step["metadata"].get("skipped")),
    }
